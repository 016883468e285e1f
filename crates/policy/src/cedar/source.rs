//! Policy files: parsed one by one, each policy with a name and a place.

use std::sync::Arc;

use cedar_policy::{Effect, ParseErrors, Policy, PolicyId, PolicySet};
use miette::Diagnostic;

use super::{DEFAULT, Rule, Source};
use crate::Error;

/// A policy under its own id, and what is said about it.
pub(super) struct Parsed {
    pub(super) policy: Policy,
    pub(super) rule: Rule,
    /// The file, by its place in the list, and the offset in it.
    pub(super) file: usize,
    pub(super) start: usize,
}

/// The policies of a file in the order in which they stand there.
pub(super) fn parse(file: usize, source: &Source<'_>) -> Result<Vec<Parsed>, Error> {
    let set: PolicySet = source.text.parse().map_err(|errors: ParseErrors| match errors.iter().next() {
        Some(first) => at(source, offset(first).or_else(|| offset(&errors)).unwrap_or(0), first.to_string()),
        None => at(source, 0, errors.to_string()),
    })?;
    if let Some(template) = set.templates().next() {
        let start = template.as_ref().loc().map_or(0, |loc| loc.start());
        return Err(at(
            source,
            start,
            "a template has no effect here; write a policy without slots".to_owned(),
        ));
    }
    let mut policies: Vec<(usize, &Policy)> = set.policies().map(|policy| (begin(policy), policy)).collect();
    policies.sort_by_key(|(start, _)| *start);
    let named = |(index, (start, policy))| named(file, source, index, (start, policy));
    policies.into_iter().enumerate().map(named).collect()
}

/// A mistake found in a file, with line and column from 1.
pub(super) fn at(source: &Source<'_>, offset: usize, message: String) -> Error {
    let (line, column) = place(source.text, offset);
    Error::Policy { source_name: source.name.to_owned(), line, column, message }
}

/// Where a diagnostic points, in bytes from the beginning of its file.
pub(super) fn offset(found: &impl Diagnostic) -> Option<usize> {
    found.labels().and_then(|mut labels| labels.next()).map(|label| label.offset())
}

/// Whether the policy reads `context`, as its JSON form says. What can't be read counts as a yes.
fn reads_context(policy: &Policy) -> bool {
    policy.to_json().map_or(true, |json| names_context(&json))
}

fn names_context(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| (key == "Var" && value.as_str() == Some("context")) || names_context(value)),
        serde_json::Value::Array(entries) => entries.iter().any(names_context),
        _ => false,
    }
}

/// How many people an annotation asks for.
fn approvers(value: &str) -> Option<u8> {
    match value.as_bytes() {
        b"required" => Some(1),
        [digit @ b'2'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

fn named(
    file: usize,
    source: &Source<'_>,
    index: usize,
    (start, policy): (usize, &Policy),
) -> Result<Parsed, Error> {
    let forbids = policy.effect() == Effect::Forbid;
    let wrong = |message: String| Err(at(source, start, message));
    for (key, value) in policy.annotations() {
        match key {
            "approval" if forbids => return wrong("`@approval` says nothing on a `forbid`".to_owned()),
            "approval" if approvers(value).is_none() => {
                let wanted =
                    "expected `@approval(\"required\")`, or how many people: `@approval(\"2\")`, up to 9";
                return wrong(wanted.to_owned());
            }
            "id" if value.is_empty() => return wrong("an `@id` has to say something".to_owned()),
            "id" | "description" | "approval" => {}
            other => {
                let known = "`@id`, `@description` or `@approval`";
                return wrong(format!("unknown annotation `@{other}`, expected {known}"));
            }
        }
    }
    let name: Arc<str> = match policy.annotation("id") {
        Some(id) => id.into(),
        None => format!("{}#{}", source.name, index + 1).into(),
    };
    let (line, _) = place(source.text, start);
    let rule = Rule {
        place: format!("{}:{line}", source.name),
        forbids,
        description: policy.annotation("description").map(ToOwned::to_owned),
        approvers: policy.annotation("approval").and_then(approvers).unwrap_or_default(),
        reads_context: reads_context(policy),
        standard: DEFAULT.contains(&policy.to_string()),
        name: Arc::clone(&name),
    };
    Ok(Parsed { policy: policy.new_id(PolicyId::new(&*name)), rule, file, start })
}

fn begin(policy: &Policy) -> usize {
    policy.as_ref().loc().map_or(0, |loc| loc.start())
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}
