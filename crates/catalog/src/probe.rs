//! Reads that tell whether a credential works: a request as it stands in the file, or an operation by name whose inputs are
//! facts of the credential.

use std::collections::{BTreeMap, BTreeSet};

use model::{Inputs, Method, OperationName, Target};

use crate::body::json;

/// A read that tells whether a credential works, and what its reply has to be.
#[derive(Debug, Clone)]
pub struct Probe {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) expected: Expected,
}

/// An operation by name that tells the same. What it is asked with may be said by the credential itself, such as a project.
#[derive(Debug, Clone)]
pub struct Trial {
    pub(crate) operation: OperationName,
    pub(crate) inputs: BTreeMap<String, Vec<Piece>>,
    pub(crate) expected: Expected,
    pub(crate) otherwise: BTreeSet<u16>,
}

/// A piece of an input of a trial.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Fact { name: String, default: Option<String> },
}

/// What a reply has to be.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) body: BTreeMap<String, String>,
    pub(crate) has: Vec<String>,
}

impl Probe {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The target, relative to the service root.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// What in the reply is not as it should be; `None` where the credential works.
    #[must_use]
    pub fn unmet(&self, status: u16, body: &[u8]) -> Option<String> {
        self.expected.unmet(status, body)
    }
}

impl Trial {
    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> &OperationName {
        &self.operation
    }

    /// What it is asked with, for a credential with these facts.
    ///
    /// # Errors
    /// The name of a fact that is missing.
    pub fn inputs(&self, facts: &BTreeMap<String, String>) -> Result<Inputs, String> {
        let mut inputs = Inputs::new();
        for (input, pieces) in &self.inputs {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(part) => text.push_str(part),
                    Piece::Fact { name, default } => {
                        let fact = facts.get(name).or(default.as_ref()).ok_or_else(|| name.clone())?;
                        text.push_str(fact);
                    }
                }
            }
            inputs.insert(input.clone(), text);
        }
        Ok(inputs)
    }

    /// Whether a reply with this status says nothing about the credential, and the probe of the file is asked instead.
    #[must_use]
    pub fn is_undecided(&self, status: u16) -> bool {
        self.otherwise.contains(&status)
    }

    /// What in the reply is not as it should be; `None` where the credential works.
    #[must_use]
    pub fn unmet(&self, status: u16, body: &[u8]) -> Option<String> {
        self.expected.unmet(status, body)
    }
}

impl Expected {
    fn unmet(&self, status: u16, body: &[u8]) -> Option<String> {
        if status != self.status {
            return Some(format!("the service answered {status}, not {}", self.status));
        }
        if self.body.is_empty() && self.has.is_empty() {
            return None;
        }
        let Ok(body) = json::read(body) else {
            return Some("the service answered something else than JSON".to_owned());
        };
        let wrong = self
            .body
            .iter()
            .find(|(path, wanted)| body.at(path).and_then(json::Json::text).as_ref() != Some(*wanted))
            .map(|(path, wanted)| format!("`{path}` of the reply is not `{wanted}`"));
        let absent = || self.has.iter().find(|path| body.at(path).is_none());
        wrong.or_else(|| absent().map(|path| format!("`{path}` is missing in the reply")))
    }
}
