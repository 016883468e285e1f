//! Questions at a service about what the credential may do.

use model::{Inputs, OperationName};
use regex::Regex;
use serde_json::Value;

/// A harmless question whether the credential has a permission.
#[derive(Debug, Clone)]
pub struct Right {
    pub(crate) name: String,
    pub(crate) operation: OperationName,
    pub(crate) inputs: Inputs,
    pub(crate) at: At,
    pub(crate) granted: Regex,
}

/// Where the answer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// In the output, at a JSON pointer.
    Output(String),
    /// In a field of the evidence.
    Evidence(String),
}

impl Right {
    /// The permission, in the words of `scopes`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The read that tells.
    #[must_use]
    pub const fn operation(&self) -> &OperationName {
        &self.operation
    }

    /// What the read is asked with.
    #[must_use]
    pub const fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Whether an answer says that it is granted; `None` where the answer says nothing.
    #[must_use]
    pub fn is_granted(&self, answer: &Value) -> Option<bool> {
        match &self.at {
            At::Output(pointer) => {
                let said = answer.get("output").filter(|output| output.is_object())?.pointer(pointer);
                Some(said.is_some_and(|said| self.granted.is_match(&text(said))))
            }
            At::Evidence(field) => {
                let said = answer.get("evidence_fields")?.get(field)?;
                Some(self.granted.is_match(&text(said)))
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
