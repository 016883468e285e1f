//! Reads beside a write: that they are reads of the same file, with inputs and fields that these have.

use std::collections::{BTreeMap, BTreeSet};

use model::{Access, OperationName};

use super::no_input;
use crate::around::{BEGAN, GOT};
use crate::file::AroundEntry;
use crate::{Around, Operation, Slot, Text, nearest, path};

/// The reads of one side of a write.
pub(super) fn reads(
    entries: &[AroundEntry],
    write: &Operation,
    all: &BTreeMap<OperationName, Operation>,
) -> Result<Vec<Around>, String> {
    if let Some(entry) = entries.first().filter(|_| write.access == Access::Read) {
        return Err(format!("a read needs no `{}` beside it", entry.operation));
    }
    entries.iter().map(|entry| read(entry, write, all)).collect()
}

fn read(
    entry: &AroundEntry,
    write: &Operation,
    all: &BTreeMap<OperationName, Operation>,
) -> Result<Around, String> {
    let AroundEntry { operation, inputs, fields } = entry;
    let found = operation.parse().ok().and_then(|name: OperationName| all.get(&name));
    let found = found.ok_or_else(|| {
        let near = nearest::suffix(operation, all.keys().map(OperationName::as_str));
        format!("there is no operation {}{near}", nearest::shown(operation))
    })?;
    if found.access != Access::Read {
        return Err(format!("`{operation}` is a write, and beside a write stand reads only"));
    }
    let mut texts = BTreeMap::new();
    for (name, text) in inputs {
        if !found.inputs.contains_key(name) {
            return Err(format!(
                "`{operation}`: {}",
                no_input(name, found.inputs.keys().map(String::as_str))
            ));
        }
        let template = Text::parse(text).map_err(|problem| format!("the input `{name}`: {problem}"))?;
        for slot in template.slots() {
            let Slot::Input(used) = slot else {
                return Err(format!(
                    "the input `{name}`: it is made of inputs and evidence of the write only"
                ));
            };
            let known = *used == BEGAN || used.starts_with(GOT) || write.inputs.contains_key(used.as_str());
            if !known {
                return Err(no_input(used, write.inputs.keys().map(String::as_str)));
            }
        }
        texts.insert(name.clone(), template);
    }
    if let Some(taken) = write.inputs.keys().find(|name| *name == BEGAN || name.starts_with(GOT)) {
        return Err(format!("an input called `{taken}` can't be told from what a read beside it is made of"));
    }
    let has: BTreeSet<&str> = found
        .evidence
        .keys()
        .map(String::as_str)
        .chain(found.cli.iter().flat_map(crate::Cli::evidence))
        .collect();
    for (name, field) in fields {
        if !path::is_word(name) {
            return Err("an evidence field's name is made of lower-case letters, digits and `_`".to_owned());
        }
        if !has.contains(field.as_str()) {
            let near = nearest::suffix(field, has.iter().copied());
            return Err(format!("the evidence of `{operation}` has no {}{near}", nearest::shown(field)));
        }
    }
    if fields.is_empty() {
        return Err(format!("nothing of `{operation}` is kept, so it is made for nothing"));
    }
    Ok(Around { operation: found.name.clone(), inputs: texts, fields: fields.clone() })
}

#[cfg(test)]
mod tests;
