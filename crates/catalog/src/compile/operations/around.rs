//! Reads beside a write: that they are reads with inputs and fields that these have. Those of another integration are looked at when they
//! are made, as nobody knows here what a home will have under that name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Access, IntegrationName, OperationName, parse_duration};

use super::super::unknown;
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
    let AroundEntry { operation, integration, inputs, fields, waits } = entry;
    let integration: Option<IntegrationName> =
        integration.as_deref().map(str::parse).transpose().map_err(|error| wrong(&error))?;
    let name: OperationName = operation.parse().map_err(|_| unknown(operation, all))?;
    let found = match &integration {
        Some(_) => None,
        None => Some(found(&name, all)?),
    };
    if let Some(taken) = write.inputs.keys().find(|name| *name == BEGAN || name.starts_with(GOT)) {
        return Err(format!("an input called `{taken}` can't be told from what a read beside it is made of"));
    }
    let inputs = texts(inputs, write, found)?;
    if let Some(wrong) = fields.keys().find(|name| !path::is_word(name)) {
        let wrong = nearest::shown(wrong);
        return Err(format!(
            "an evidence field's name is made of lower-case letters, digits and `_`, not {wrong}"
        ));
    }
    if fields.is_empty() {
        return Err(format!("nothing of `{operation}` is kept, so it is made for nothing"));
    }
    if let Some(found) = found {
        check_fields(fields.values(), found)?;
    }
    let waits =
        waits.as_deref().map(parse_duration).transpose().map_err(|error| wrong(&error))?.unwrap_or_default();
    if waits > LONGEST {
        return Err(format!("`waits` is at most {} seconds, as the caller waits as well", LONGEST.as_secs()));
    }
    Ok(Around { integration, operation: name, inputs, fields: fields.clone(), waits })
}

fn wrong(error: &dyn std::error::Error) -> String {
    error.to_string()
}

/// A read of the same file.
fn found<'a>(
    name: &OperationName,
    all: &'a BTreeMap<OperationName, Operation>,
) -> Result<&'a Operation, String> {
    let found = all.get(name).ok_or_else(|| unknown(name.as_str(), all))?;
    if found.access == Access::Read {
        return Ok(found);
    }
    Err(format!("`{name}` is a write, and beside a write stand reads only"))
}

/// The inputs of a read: of things that the write has, and that the read takes where it is known.
fn texts(
    inputs: &BTreeMap<String, String>,
    write: &Operation,
    found: Option<&Operation>,
) -> Result<BTreeMap<String, Text>, String> {
    let mut texts = BTreeMap::new();
    for (name, text) in inputs {
        if let Some(found) = found.filter(|found| !found.inputs.contains_key(name)) {
            let no_input = no_input(name, found.inputs.keys().map(String::as_str));
            return Err(format!("`{}`: {no_input}", found.name));
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
    Ok(texts)
}

/// Whether the evidence of a read has these fields.
fn check_fields<'a>(fields: impl Iterator<Item = &'a String>, found: &Operation) -> Result<(), String> {
    let has: BTreeSet<&str> =
        found.evidence().chain(found.cli.iter().flat_map(crate::Cli::evidence)).collect();
    for field in fields {
        if !has.contains(field.as_str()) {
            let near = nearest::suffix(field, has.iter().copied());
            return Err(format!("the evidence of `{}` has no {}{near}", found.name, nearest::shown(field)));
        }
    }
    Ok(())
}

/// Longest time for which a write waits for what a service shows late.
const LONGEST: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests;
