//! Who answers in the tests.

use std::sync::{Arc, Mutex};

use keyring::{Ask, NoAnswer, Question};
use memory::Secret;

/// Gives one answer to every question, and remembers what was asked and told.
pub(crate) struct Answers {
    answer: Option<&'static str>,
    asked: Mutex<Vec<Question>>,
    told: Mutex<Vec<String>>,
}

impl Answers {
    pub(crate) fn with(answer: &'static str) -> Arc<Self> {
        Arc::new(Self { answer: Some(answer), asked: Mutex::default(), told: Mutex::default() })
    }

    pub(crate) fn nobody() -> Arc<Self> {
        Arc::new(Self { answer: None, asked: Mutex::default(), told: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

impl Ask for Answers {
    fn ask(&self, question: &Question) -> Result<Secret, NoAnswer> {
        self.asked.lock().unwrap().push(question.clone());
        let answer = self.answer.ok_or(NoAnswer::Nobody)?;
        Ok(Secret::new(answer.as_bytes().to_vec()).unwrap())
    }

    fn tell(&self, line: &str) {
        self.told.lock().unwrap().push(line.to_owned());
    }
}
