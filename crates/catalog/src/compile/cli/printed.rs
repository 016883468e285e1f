//! What is read of what a program prints.

use std::collections::BTreeMap;

use crate::file::CliEntry;
use crate::reply::Origin as FieldOrigin;
use crate::{Output, path};

/// Fields of what it prints that are kept.
pub(super) fn evidence(entry: &CliEntry, output: Output) -> Result<BTreeMap<String, FieldOrigin>, String> {
    let mut fields = BTreeMap::new();
    for (name, text) in &entry.evidence {
        if !path::is_word(name) {
            return Err("an evidence field's name is made of lower-case letters, digits and `_`".to_owned());
        }
        let from = FieldOrigin::parse_printed(text)?;
        if matches!(from, FieldOrigin::Line(_)) != (output == Output::Text) {
            return Err("`line:NUMBER` is for output that is text, a dotted path for JSON".to_owned());
        }
        fields.insert(name.clone(), from);
    }
    Ok(fields)
}

/// Where in what it prints a manifest stands.
pub(super) fn outline(entry: &CliEntry, output: Output) -> Result<Option<String>, String> {
    let Some(path) = &entry.outline else { return Ok(None) };
    match FieldOrigin::parse(path)? {
        FieldOrigin::Body(path) if output == Output::Json && !path.contains(['*', '#']) => Ok(Some(path)),
        _ => Err("`outline` is the dotted path of one manifest in JSON".to_owned()),
    }
}
