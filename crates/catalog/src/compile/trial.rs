//! Reads that tell whether a credential works.

use std::collections::BTreeMap;

use model::{Access, Method, OperationName, Target};

use super::unknown;
use crate::file::{ExpectEntry, ProbeEntry, TrialEntry};
use crate::probe::{Expected, Piece};
use crate::{Integration, Probe, Trial, nearest, path};

/// A probe is a read that the file describes, so that trying a credential can never change anything.
pub(super) fn probe(entry: &ProbeEntry, integration: &Integration) -> Result<Probe, String> {
    let (method, target) = entry
        .request
        .split_once(' ')
        .ok_or("a probe's request is a method and a path, such as `GET /user`")?;
    let method: Method = method.parse().map_err(|error: model::ParseError| error.to_string())?;
    let target: Target = target.parse().map_err(|error: model::ParseError| error.to_string())?;
    let read =
        integration.route(method, &target).operation().is_some_and(|found| found.access == Access::Read);
    if !read {
        return Err("a probe is the request of an operation of this file whose access is `read`".to_owned());
    }
    Ok(Probe { method, target, expected: expected(&entry.expect)? })
}

/// A trial is a read by name, for the same reason.
pub(super) fn trial(name: &str, entry: &TrialEntry, integration: &Integration) -> Result<Trial, String> {
    if !path::is_word(name) {
        return Err("a trial's name is made of lower-case letters, digits and `_`".to_owned());
    }
    let operation: OperationName =
        entry.operation.parse().map_err(|error: model::ParseError| error.to_string())?;
    let found = integration
        .operations
        .get(&operation)
        .ok_or_else(|| unknown(operation.as_str(), &integration.operations))?;
    if found.access != Access::Read || found.rule.is_none() {
        return Err("a trial is an operation that is a request and whose access is `read`".to_owned());
    }
    let mut inputs = BTreeMap::new();
    for (input, text) in &entry.inputs {
        if !found.inputs.contains_key(input) {
            let near = nearest::suffix(input, found.inputs.keys().map(String::as_str));
            return Err(format!("`{operation}` has no input {}{near}", nearest::shown(input)));
        }
        inputs.insert(input.clone(), pieces(text)?);
    }
    let missing = found.inputs.iter().find(|(input, field)| {
        found.requires(input) && field.default.is_none() && !inputs.contains_key(*input)
    });
    if let Some((input, _)) = missing {
        return Err(format!("the input `{input}` of `{operation}` is missing"));
    }
    if !entry.otherwise.is_empty() && integration.probe.is_none() {
        return Err("`otherwise` asks the `probe` of the file, and there is none".to_owned());
    }
    let (expected, otherwise) = (expected(&entry.expect)?, entry.otherwise.iter().copied().collect());
    Ok(Trial { operation, inputs, expected, otherwise })
}

/// The pieces of a text in which `{NAME}` and `{NAME|TEXT}` are facts.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let wrong = || "a fact is written `{name}`, or `{name|text}` where it may be absent".to_owned();
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (inside, after) = behind.split_once('}').ok_or_else(wrong)?;
        let (name, default) = match inside.split_once('|') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inside, None),
        };
        if !path::is_word(name) || before.contains('}') {
            return Err(wrong());
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Fact { name: name.to_owned(), default });
        rest = after;
    }
    if rest.contains('}') {
        return Err(wrong());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn expected(entry: &ExpectEntry) -> Result<Expected, String> {
    let body = entry
        .body
        .iter()
        .map(|(path, wanted)| {
            let text = match wanted {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Bool(is) => is.to_string(),
                serde_json::Value::Number(number) => number.to_string(),
                _ => return Err(format!("`{path}` is compared with text, a number or a boolean")),
            };
            Ok((path.clone(), text))
        })
        .collect::<Result<_, String>>()?;
    Ok(Expected { status: entry.status, body, has: entry.has.clone() })
}
