//! Reads beside a write, for its evidence: what was before it, and what is there after it.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Inputs, IntegrationName, OperationName, Timestamp};

use crate::{Slot, Text};

/// A read that is made before or after a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// Whose operation it is, where it is not the write's own integration.
    pub(crate) integration: Option<IntegrationName>,
    pub(crate) operation: OperationName,
    pub(crate) inputs: BTreeMap<String, Text>,
    /// A name in the evidence of the write, and the field of the read's evidence that it is.
    pub(crate) fields: BTreeMap<String, String>,
    /// For how long it is made again where it has not all of them yet.
    pub(crate) waits: Duration,
}

/// What is known of the write.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// Its inputs.
    pub inputs: &'a Inputs,
    /// What its evidence has so far.
    pub evidence: &'a [(String, String)],
    /// When it began.
    pub began: Timestamp,
}

impl Around {
    /// Whose operation it is; `None` for the integration of the write.
    #[must_use]
    pub const fn integration(&self) -> Option<&IntegrationName> {
        self.integration.as_ref()
    }

    /// For how long it is made again where it has not all of its fields yet, as some services show late what was done.
    #[must_use]
    pub const fn waits(&self) -> Duration {
        self.waits
    }

    /// The read.
    #[must_use]
    pub const fn operation(&self) -> &OperationName {
        &self.operation
    }

    /// A field of the write's evidence that the read is about and that is not there. Without it the read would be about anything.
    #[must_use]
    pub fn lacks(&self, write: Write<'_>) -> Option<&str> {
        let fields = self.inputs.values().flat_map(Text::slots).filter_map(|slot| match slot {
            Slot::Input(name) => name.strip_prefix(GOT),
            _ => None,
        });
        let mut missing = fields.filter(|field| !write.evidence.iter().any(|(known, _)| known == field));
        missing.next()
    }

    /// The inputs of the read. One that names an input which the write does not have is left out.
    #[must_use]
    pub fn inputs(&self, write: Write<'_>) -> Inputs {
        let named = |name: &str| match name.strip_prefix(GOT) {
            Some(field) => {
                write.evidence.iter().find(|(known, _)| known == field).map(|(_, value)| value.clone())
            }
            None if name == BEGAN => Some((write.began.millis() / 1000).to_string()),
            None => write.inputs.get(name).filter(|value| !value.is_empty()).cloned(),
        };
        let value = |slot: &Slot| match slot {
            Slot::Input(name) => named(name),
            _ => None,
        };
        let filled = self.inputs.iter().filter_map(|(name, text)| Some((name.clone(), text.fill(value)?)));
        filled.collect()
    }

    /// The names in the evidence of the write, each with the field of the read's evidence that it is.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, field)| (name.as_str(), field.as_str()))
    }
}

/// What stands before the name of a field of the write's evidence.
pub(crate) const GOT: &str = "got_";
/// When the write began.
pub(crate) const BEGAN: &str = "began";
