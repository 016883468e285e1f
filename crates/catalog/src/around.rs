//! Reads beside a write, for its evidence: what was before it, and what is there after it.

use std::collections::BTreeMap;

use model::{Inputs, OperationName, Timestamp};

use crate::{Slot, Text};

/// A read that is made before or after a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    pub(crate) operation: OperationName,
    pub(crate) inputs: BTreeMap<String, Text>,
    /// A name in the evidence of the write, and the field of the read's evidence that it is.
    pub(crate) fields: BTreeMap<String, String>,
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
    /// The read.
    #[must_use]
    pub const fn operation(&self) -> &OperationName {
        &self.operation
    }

    /// The inputs of the read. One that names what the write does not have is left out.
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
