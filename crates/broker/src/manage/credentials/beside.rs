//! What stands beside a credential is shown to whoever may look, so the credential itself must not stand there: not whole, and none of
//! its secret parts.

use std::collections::BTreeMap;

use memory::Secret;
use secrets::Mask;
use serde_json::{Map, Value};

use super::Wrong;

/// Proof that neither the name nor the metadata of a credential holds it.
#[must_use]
pub(super) struct Apart(());

/// What is to stand beside a credential.
pub(super) struct Beside<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) metadata: Option<&'a Map<String, Value>>,
}

impl Beside<'_> {
    /// Looks for a credential that came along, as it is and in the usual encodings. `facts` are members of it that are no secret.
    pub(super) fn without(&self, credential: &str, facts: &BTreeMap<String, String>) -> Result<Apart, Wrong> {
        let masks: Vec<Mask> = parts(credential, facts)
            .into_iter()
            .filter_map(|part| Mask::new(&Secret::new(part.as_bytes().to_vec()).ok()?).ok())
            .collect();
        self.looked(&|text| masks.iter().any(|mask| mask.text(text.as_bytes()).is_some()))
    }

    /// The same for a credential of which only the fingerprint is at hand: a text that has it, or a word of one.
    pub(super) fn without_that_of(&self, fingerprint: &str) -> Result<Apart, Wrong> {
        let is = |text: &str| {
            let text = text.trim_matches(|c: char| "\"'`.,;:()".contains(c));
            super::fingerprint(text) == fingerprint
        };
        self.looked(&|text| is(text) || text.split_whitespace().any(is))
    }

    fn looked(&self, holds: &dyn Fn(&str) -> bool) -> Result<Apart, Wrong> {
        if self.name.is_some_and(holds) {
            return Err(Wrong::field("credential_name", HOLDS));
        }
        let found = |(name, value): (&String, &Value)| holds(name) || is_in(value, holds);
        if self.metadata.is_some_and(|metadata| metadata.iter().any(found)) {
            return Err(Wrong::field("metadata", HOLDS));
        }
        Ok(Apart(()))
    }
}

fn is_in(value: &Value, holds: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => holds(text),
        Value::Array(list) => list.iter().any(|one| is_in(one, holds)),
        Value::Object(members) => members.iter().any(|(name, one)| holds(name) || is_in(one, holds)),
        Value::Number(number) => holds(&number.to_string()),
        Value::Null | Value::Bool(_) => false,
    }
}

/// The credential, and the members of a document that are secret by themselves.
fn parts(credential: &str, facts: &BTreeMap<String, String>) -> Vec<zeroize::Zeroizing<String>> {
    let mut all = vec![zeroize::Zeroizing::new(credential.to_owned())];
    if let Ok(Value::Object(mut members)) = serde_json::from_str(credential) {
        for (name, value) in &mut members {
            let Value::String(text) = value else { continue };
            let text = zeroize::Zeroizing::new(std::mem::take(text));
            if !facts.contains_key(name) && SECRET.iter().any(|word| name.ends_with(word)) {
                all.push(text);
            }
        }
    }
    all
}

/// How members of documents are called that are secret: `secret_access_key`, `private_key`, `client_secret`, `session_token`.
const SECRET: [&str; 6] = ["secret", "key", "token", "password", "passphrase", "credential"];
const HOLDS: &str = "Value should not hold the credential: whoever may look is shown it";

#[cfg(test)]
mod tests;
