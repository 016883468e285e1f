//! What a read by name waits for: whether its reply says that it is there, may still come, or never will.
//!
//! Nothing is asked here. A condition compares fields of the reply with one another or with what the file says, so an integration needs no code
//! for what it means to be ready.

use std::time::Duration;

use serde_json::Value;

use crate::body::json::{self, Json};

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    pub(crate) every: Duration,
    pub(crate) within: String,
    pub(crate) until: Vec<Vec<Test>>,
    pub(crate) never: Vec<Vec<Test>>,
}

/// What a reply says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    There,
    /// It is not there yet, and why.
    NotYet(String),
    /// It will not come, and why.
    Never(String),
}

impl Poll {
    /// How long is waited between two looks.
    #[must_use]
    pub const fn every(&self) -> Duration {
        self.every
    }

    /// The input that says for how many seconds it is asked.
    #[must_use]
    pub fn within(&self) -> &str {
        &self.within
    }

    /// What a reply with a good status says.
    #[must_use]
    pub fn seen(&self, body: &[u8]) -> Seen {
        let Ok(body) = json::read(body) else { return Seen::Never("the reply is not JSON".to_owned()) };
        let all = |tests: &&Vec<Test>| tests.iter().all(|test| test.holds(&body));
        if let Some(last) = self.never.iter().find(all).and_then(|tests| tests.last()) {
            return Seen::Never(format!("`{}`", last.text));
        }
        if self.until.iter().any(|tests| all(&tests)) {
            return Seen::There;
        }
        // Of several lists the one that holds longest is the one that is meant: the first of it says of which kind the reply is.
        let holding = |tests: &&Vec<Test>| tests.iter().take_while(|test| test.holds(&body)).count();
        let nearest = self.until.iter().rev().max_by_key(holding);
        let missing = nearest.and_then(|tests| tests.iter().find(|test| !test.holds(&body)));
        Seen::NotYet(missing.map_or_else(String::new, |test| format!("not yet `{}`", test.text)))
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    text: String,
    relation: Relation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Relation {
    /// The sum of what stands at some paths is at least that of others.
    AtLeast(Vec<Term>, Vec<Term>),
    /// Something at a path is this.
    Is(String, Term),
    /// Nothing at a path is this.
    IsNot(String, Term),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Path(String),
    Value(Value),
}

impl Test {
    /// Reads a condition.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`: a condition is `PATH >= PATH`, `PATH == WHAT` or `PATH != WHAT`");
        let sides = |word: &str| text.split_once(word).map(|(left, right)| (left.trim(), right.trim()));
        let one = |left: &str| is_path(left).then(|| left.to_owned());
        let sum = |side: &str| -> Option<Vec<Term>> {
            let terms = side.split('+').map(|part| Term::parse(part.trim()));
            let plain = |term: &Term| match term {
                Term::Path(path) => !path.contains('*'),
                Term::Value(value) => value.is_i64(),
            };
            terms.map(|term| term.filter(plain)).collect()
        };
        let relation = if let Some((left, right)) = sides(" >= ") {
            sum(left).zip(sum(right)).map(|(left, right)| Relation::AtLeast(left, right))
        } else if let Some((left, right)) = sides(" == ") {
            one(left).zip(Term::parse(right)).map(|(left, right)| Relation::Is(left, right))
        } else if let Some((left, right)) = sides(" != ") {
            one(left).zip(Term::parse(right)).map(|(left, right)| Relation::IsNot(left, right))
        } else {
            None
        };
        Ok(Self { text: text.to_owned(), relation: relation.ok_or_else(wrong)? })
    }

    fn holds(&self, body: &Json) -> bool {
        match &self.relation {
            Relation::AtLeast(left, right) => {
                sum(left, body).zip(sum(right, body)).is_some_and(|(left, right)| left >= right)
            }
            Relation::Is(path, what) => is(path, what, body),
            Relation::IsNot(path, what) => !is(path, what, body),
        }
    }
}

impl Term {
    fn parse(text: &str) -> Option<Self> {
        match serde_json::from_str(text) {
            Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                Some(Self::Value(value))
            }
            Ok(_) => None,
            Err(_) => is_path(text).then(|| Self::Path(text.to_owned())),
        }
    }
}

/// Whether this is a dotted path, in which `*` stands for every key.
pub(crate) fn is_path(text: &str) -> bool {
    let key = |key: &str| {
        key == "*"
            || (!key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)))
    };
    text.split('.').all(key)
}

/// What is not there counts as 0, as services leave such numbers out; what is no number adds up to nothing.
fn sum(terms: &[Term], body: &Json) -> Option<i128> {
    let number = |term: &Term| match term {
        Term::Value(value) => value.as_i64().map(i128::from),
        Term::Path(path) => match body.at(path) {
            None | Some(Json::Null) => Some(0),
            Some(Json::Integer(text)) => text.parse().ok(),
            Some(_) => None,
        },
    };
    terms.iter().map(number).sum()
}

/// Whether something at a path is this. What is not there is `null`.
fn is(path: &str, what: &Term, body: &Json) -> bool {
    let wanted = match what {
        Term::Value(value) => value.clone(),
        Term::Path(path) => body.at(path).map(Json::to_value).unwrap_or_default(),
    };
    let all = body.all(path);
    if all.is_empty() {
        wanted.is_null() && !path.contains('*')
    } else {
        all.iter().any(|found| found.is(&wanted))
    }
}

#[cfg(test)]
mod tests;
