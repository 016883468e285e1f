//! What a service is told to answer while a case is tried.

use std::collections::BTreeMap;

use crate::service::Seen;

use super::{Case, built_in, sent_path};

/// What the service is to answer to one case.
pub(super) struct Script {
    pub(super) answer: Vec<u8>,
    /// Whether reads are made beside it.
    pub(super) beside: bool,
    method: String,
    path: String,
    body: Vec<u8>,
}

impl Script {
    pub(super) fn of(name: &str, case: &Case, secrets: &BTreeMap<String, String>) -> Self {
        let integration = built_in(name);
        let operation = case.named.as_ref().map(|named| &integration.operations()[named.as_str()]);
        let beside = operation.is_some_and(|one| !one.before().is_empty() || !one.after().is_empty());
        let written = if beside && case.is_sent() { case.written(name) } else { None };
        let (method, path, body) = match written {
            Some((method, _, message)) => {
                (method, sent_path(case, secrets), message.body.unwrap_or_default().to_vec())
            }
            None => Default::default(),
        };
        Self { answer: case.answers(), beside, method, path, body }
    }

    pub(super) fn is_for(&self, seen: &Seen) -> bool {
        (&self.method, &self.path, &self.body) == (&seen.method, &seen.target, &seen.body)
    }
}
