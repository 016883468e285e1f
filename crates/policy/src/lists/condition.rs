//! What a ready-made capability allows: one operation, with these inputs, on these resources.

use std::collections::{BTreeMap, BTreeSet};

use model::{Call, OperationName};

/// One operation that is allowed, as the catalogue finds it in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operation.
    pub operation: OperationName,
    /// Inputs that have to be there, each with one of these values.
    pub inputs: BTreeMap<String, BTreeSet<String>>,
    /// Resources, one of which it has to be on; empty where any will do.
    pub resources: BTreeSet<String>,
}

impl Condition {
    /// Why a call of this operation is not what is allowed; `None` where it is.
    pub(super) fn broken(&self, call: &Call) -> Option<String> {
        let Self { operation, inputs, resources } = self;
        if call.operation() != operation {
            return Some("no allowlist match".to_owned());
        }
        let wrong = inputs
            .iter()
            .find(|(name, values)| call.inputs().get(*name).is_none_or(|value| !values.contains(value)));
        if let Some((name, _)) = wrong {
            return Some(match call.inputs().contains_key(name) {
                true => format!("body field {name} value mismatch"),
                false => format!("missing body field {name}"),
            });
        }
        let elsewhere = !resources.is_empty() && !resources.contains(call.resource().as_str());
        elsewhere.then(|| "resource value mismatch".to_owned())
    }
}
