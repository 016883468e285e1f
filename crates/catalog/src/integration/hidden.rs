//! What is hidden: fields of replies, and inputs that are secrets, with what is shown in their place and has to be masked where they come
//! back.

use std::borrow::Cow;

use model::{Inputs, OperationName, Refusal};
use serde_json::{Value, json};

use super::Integration;
use crate::{InputField, Kind, Message, Operation, body};

impl Integration {
    /// Whether a request that is plainly written and described by nothing may amount to something that is described.
    #[must_use]
    pub fn guards_undescribed(&self) -> bool {
        self.conceals || !self.undescribed.is_empty()
    }

    /// Whether any operation takes a secret as an input.
    #[must_use]
    pub const fn takes_secrets(&self) -> bool {
        self.takes_secrets
    }

    /// The inputs of an operation as anybody may see them: in the place of a secret stands its SHA-256.
    #[must_use]
    pub fn shown_inputs<'a>(&self, operation: &OperationName, inputs: &'a Inputs) -> Cow<'a, Inputs> {
        match self.operations.get(operation).filter(|_| self.takes_secrets) {
            None => Cow::Borrowed(inputs),
            Some(operation) => Cow::Owned(shown(operation, inputs)),
        }
    }

    /// What the request of an operation would have in it, as anybody may see it.
    ///
    /// # Errors
    /// As [`Self::named_body`].
    pub fn shown_body(&self, operation: &OperationName, inputs: Inputs) -> Result<Message, Refusal> {
        let (operation, inputs) = self.checked(operation, inputs)?;
        Ok(match operation.rule {
            Some(_) => {
                let mut shown = shown(operation, &inputs);
                for (name, _) in operation.inputs.iter().filter(|(_, field)| field.clock) {
                    let _ = shown.entry(name.clone()).or_insert_with(|| TIME.to_owned());
                }
                body::write(operation, &shown)
            }
            None => Message::default(),
        })
    }

    /// Whether an operation has a secret among these inputs.
    #[must_use]
    pub fn has_secret(&self, operation: &OperationName, inputs: &Inputs) -> bool {
        let operation = self.operations.get(operation).filter(|_| self.takes_secrets);
        operation.is_some_and(|operation| secrets(operation, inputs).next().is_some())
    }

    /// The texts of secret inputs, and those within such that are JSON. Whoever holds them masks them.
    #[must_use]
    pub fn secret_texts(&self, operation: &OperationName, inputs: &Inputs) -> Vec<String> {
        let Some(operation) = self.operations.get(operation) else { return Vec::new() };
        let mut texts = Vec::new();
        for (_, field, value) in secrets(operation, inputs) {
            if field.kind != Kind::String {
                leaves(&serde_json::from_str(value).unwrap_or_default(), &mut texts);
            }
            texts.push(value.clone());
        }
        texts
    }
}

/// What is shown where the time of the call will be.
const TIME: &str = "[the time of the call]";

fn secrets<'a>(
    operation: &'a Operation,
    inputs: &'a Inputs,
) -> impl Iterator<Item = (&'a String, &'a InputField, &'a String)> {
    let secret = operation.inputs.iter().filter(|(_, field)| field.secret);
    secret.filter_map(|(name, field)| Some((name, field, inputs.get(name)?)))
}

fn shown(operation: &Operation, inputs: &Inputs) -> Inputs {
    let mut shown = inputs.clone();
    for (name, field, value) in secrets(operation, inputs) {
        let digest = crypto::to_hex(&crypto::sha256(&[value.as_bytes()]));
        let text = match field.kind {
            Kind::Json => json!({ "[hidden]": format!("sha256:{digest}") }).to_string(),
            Kind::List => json!([format!("[hidden] sha256:{digest}")]).to_string(),
            Kind::String | Kind::Integer | Kind::Boolean => format!("[hidden] sha256:{digest}"),
        };
        shown.insert(name.clone(), text);
    }
    shown
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(fields) => fields.values().for_each(|item| leaves(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
