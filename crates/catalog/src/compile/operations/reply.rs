//! What is made of a reply: what says that it was done, what is secret in it, what is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Access, Method, parse_duration};

use crate::file::{OperationEntry, PollEntry};
use crate::operation::Rule;
use crate::poll::{Test, is_path};
use crate::{InputField, Output, Poll, nearest};

/// What the reply has to have.
pub(super) fn expect(entry: &OperationEntry) -> Result<BTreeMap<String, serde_json::Value>, String> {
    let odd = entry
        .expect
        .iter()
        .find(|(path, value)| path.split('.').any(str::is_empty) || value.is_object() || value.is_array());
    if odd.is_some() || (!entry.expect.is_empty() && entry.matches.is_none()) {
        return Err("`expect` has dotted paths, and text, numbers, booleans or `null`".to_owned());
    }
    Ok(entry.expect.clone())
}

/// What is secret in the reply. What is kept as evidence cannot be.
pub(super) fn hides(entry: &OperationEntry) -> Result<Vec<String>, String> {
    let kept: Vec<&String> =
        entry.evidence.values().chain(entry.cli.iter().flat_map(|cli| cli.evidence.values())).collect();
    for path in &entry.hides {
        if !is_path(path) {
            return Err("`hides` has dotted paths, in which `*` is each".to_owned());
        }
        let below = |field: &&&String| {
            field.as_str() == path
                || field.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some(field) = kept.iter().find(below) {
            return Err(format!("{} is secret, so it is no evidence", nearest::shown(field)));
        }
    }
    Ok(entry.hides.clone())
}

/// What of the reply is given away. What is kept of it as evidence is among it, or it would be missing there.
pub(super) fn shows(entry: &OperationEntry) -> Result<Vec<String>, String> {
    if entry.shows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(path) = entry.shows.iter().find(|path| !is_path(path)) {
        return Err(format!(
            "`shows` has dotted paths, in which `*` is each, and not {}",
            nearest::shown(path)
        ));
    }
    let printed = entry.cli.iter().filter(|cli| cli.output.unwrap_or_default() != Output::Text);
    let mut kept = printed.flat_map(|cli| cli.evidence.values()).filter(|field| !field.contains(':'));
    let is_shown = |field: &str| entry.shows.iter().any(|path| leads(path, field));
    match kept.find(|field| !is_shown(field)) {
        Some(field) => Err(format!("{} is evidence, and `shows` leaves it out", nearest::shown(field))),
        None => Ok(entry.shows.clone()),
    }
}

/// Whether a field stands at a path or below it. A place in a list is one of each.
fn leads(path: &str, field: &str) -> bool {
    let mut keys = field.split('.');
    path.split('.').all(|wanted| keys.next().is_some_and(|key| wanted == "*" || wanted == key))
}

/// How the reply is written.
pub(super) fn output(entry: &OperationEntry) -> Result<Output, String> {
    match entry.output {
        None | Some(Output::Json) => Ok(Output::Json),
        Some(Output::Lines) if entry.matches.is_some() && entry.expect.is_empty() => Ok(Output::Lines),
        Some(_) => {
            Err("`output` of a reply is `json`, or `lines` where nothing is expected of it".to_owned())
        }
    }
}

/// What is waited for.
pub(super) fn poll(
    entry: &OperationEntry,
    rule: Option<&Rule>,
    inputs: &BTreeMap<String, InputField>,
) -> Result<Option<Poll>, String> {
    let Some(PollEntry { every, within, until, never }) = &entry.poll else { return Ok(None) };
    if entry.access != Access::Read || rule.is_none_or(|rule| rule.method != Method::Get) || !entry.by_name {
        return Err(
            "`poll` is for a read with `match: {method: GET}` that is done by its name only".to_owned()
        );
    }
    let every = parse_duration(every).map_err(|error| error.to_string())?;
    if !(SHORTEST..=LONGEST).contains(&every) {
        return Err("between two looks is a time from `500ms` to `1m`".to_owned());
    }
    if !inputs.get(within).is_some_and(|field| field.kind == crate::Kind::Integer && field.default.is_some())
    {
        return Err("`within` names an input that is a whole number and has a default".to_owned());
    }
    if until.is_empty() || until.iter().chain(never).any(Vec::is_empty) {
        return Err("`until` has at least one list, and no list of `poll` is empty".to_owned());
    }
    let tests = |lists: &Vec<Vec<String>>| -> Result<Vec<Vec<Test>>, String> {
        lists.iter().map(|list| list.iter().map(|text| Test::parse(text)).collect()).collect()
    };
    Ok(Some(Poll { every, within: within.clone(), until: tests(until)?, never: tests(never)? }))
}

/// Services are not asked more often.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);
