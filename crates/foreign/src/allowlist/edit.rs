//! What is done to a file.

use serde_json::Value;

use crate::integrations::Error;
use crate::yaml::{Document, Node, Step};

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The integration, in lower case.
    pub integration: String,
    /// Who may.
    pub caller: String,
    /// What.
    pub capability: String,
    /// With which parameters.
    pub params: Node,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is granted now.
    Added,
    /// It was so before.
    Unchanged,
    /// So many grants are gone, and the caller has others or rules.
    Removed(usize),
    /// So many grants are gone, and they were all: an entry that allows nothing is left.
    RemovedAll(usize),
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The integration.
    pub integration: String,
    /// Who may.
    pub caller: String,
    /// The capability; none for rules.
    pub capability: Option<String>,
    /// Its parameters.
    pub params: Value,
    /// How many rules were written by hand, where this line is about them.
    pub rules: usize,
}

/// What is granted in a file.
///
/// # Errors
/// When it is no allowlist.
pub fn list(document: &Document, file: &str) -> Result<Vec<Granted>, Error> {
    let mut lines = Vec::new();
    for entry in entries(document, file)? {
        for caller in items(entry, "callers") {
            let line = |capability: Option<&Value>, rules| Granted {
                integration: text(entry, "integration"),
                caller: id(caller),
                capability: capability.map(|capability| text(capability, "name")),
                params: capability
                    .and_then(|capability| capability.get("params"))
                    .cloned()
                    .unwrap_or(Value::Null),
                rules,
            };
            lines.extend(items(caller, "capabilities").iter().map(|capability| line(Some(capability), 0)));
            let rules = items(caller, "rules").iter().filter(|rule| **rule != nothing().value()).count();
            if rules > 0 || items(caller, "capabilities").is_empty() {
                lines.push(line(None, rules));
            }
        }
    }
    Ok(lines)
}

pub(super) fn add(document: &mut Document, grant: &Grant, file: &str) -> Result<Done, Error> {
    let mut edited = document.clone();
    let capability = capability(grant);
    let caller = Node::map([
        ("id", Node::text(&*grant.caller)),
        ("capabilities", Node::List(vec![capability.clone()])),
    ]);
    let Some((place, entry)) = entry(document, &grant.integration, file)? else {
        let callers = Node::List(vec![caller]);
        edited.append(
            &[],
            &Node::map([("integration", Node::text(&*grant.integration)), ("callers", callers)]),
        )?;
        *document = edited;
        return Ok(Done::Added);
    };
    let callers = vec![Step::Item(place), Step::Key("callers".to_owned())];
    let Some((which, there)) = of_caller(entry, &grant.caller, file)? else {
        edited.append(&callers, &caller)?;
        *document = edited;
        return Ok(Done::Added);
    };
    if items(there, "capabilities").iter().any(|known| same(known, grant)) {
        return Ok(Done::Unchanged);
    }
    let path = [callers, vec![Step::Item(which)]].concat();
    let list = [path.clone(), vec![Step::Key("capabilities".to_owned())]].concat();
    edited.append(&list, &capability)?;
    // The entry that allowed nothing has done its work.
    if let Some(at) = items(there, "rules").iter().position(|rule| *rule == nothing().value()) {
        if items(there, "rules").len() == 1 {
            edited.remove_key(&path, "rules")?;
        } else {
            edited.remove(&[path, vec![Step::Key("rules".to_owned())]].concat(), at)?;
        }
    }
    *document = edited;
    Ok(Done::Added)
}

pub(super) fn remove(document: &mut Document, grant: &Grant, file: &str) -> Result<Done, Error> {
    let none = || {
        Error::failed(
            format!(
                "`{file}` has no such grant of `{}` to `{}`",
                grant.integration,
                crate::flags::shown(&grant.caller).trim_matches('`')
            ),
            "`list` prints what is granted",
        )
    };
    let (place, entry) = entry(document, &grant.integration, file)?.ok_or_else(none)?;
    let (which, there) = of_caller(entry, &grant.caller, file)?.ok_or_else(none)?;
    let wanted = |known: &Value| match &grant.params {
        Node::Map(params) if !params.is_empty() => same(known, grant),
        _ => text(known, "name") == grant.capability,
    };
    let capabilities = items(there, "capabilities");
    let going: Vec<usize> =
        (0..capabilities.len()).filter(|at| capabilities.get(*at).is_some_and(wanted)).collect();
    if going.is_empty() {
        return Err(none());
    }
    let path = vec![Step::Item(place), Step::Key("callers".to_owned()), Step::Item(which)];
    let list = [path.clone(), vec![Step::Key("capabilities".to_owned())]].concat();
    let mut edited = document.clone();
    let last = going.len() == capabilities.len();
    let bare = last && items(there, "rules").is_empty();
    if bare {
        edited.set(&path, "rules", &Node::List(vec![nothing()]))?;
    }
    if last {
        edited.remove_key(&path, "capabilities")?;
    } else {
        going.iter().rev().try_for_each(|at| edited.remove(&list, *at))?;
    }
    *document = edited;
    Ok(if bare { Done::RemovedAll(going.len()) } else { Done::Removed(going.len()) })
}

/// A rule that matches no request: no header has a line end in its value. An empty list would not do: some programs take it
/// for no restriction at all, and an entry that is missing for one.
fn nothing() -> Node {
    let header = Node::map([("X-Nothing-Is-Allowed", Node::List(vec![Node::text("\n")]))]);
    let methods = Node::map([("GET", Node::map([("headers", header)]))]);
    Node::map([("path", Node::text("/nothing-is-allowed")), ("methods", methods)])
}

fn capability(grant: &Grant) -> Node {
    let mut entries = vec![("name".to_owned(), Node::text(&*grant.capability))];
    if matches!(&grant.params, Node::Map(params) if !params.is_empty()) {
        entries.push(("params".to_owned(), grant.params.clone()));
    }
    Node::Map(entries)
}

/// Whether a capability of a file is this one, parameters and all.
fn same(known: &Value, grant: &Grant) -> bool {
    let params = known
        .get("params")
        .filter(|params| !params.is_null() && **params != Value::Object(Default::default()));
    let wanted = Some(grant.params.value())
        .filter(|params| params.as_object().is_some_and(|params| !params.is_empty()));
    text(known, "name") == grant.capability && params == wanted.as_ref()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Who a caller is; nobody in particular is everybody.
fn id(caller: &Value) -> String {
    match caller.get("id") {
        None | Some(Value::Null) => "*".to_owned(),
        Some(Value::String(id)) if id.is_empty() => "*".to_owned(),
        Some(Value::String(id)) => id.clone(),
        Some(other) => other.to_string(),
    }
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn entry<'a>(document: &'a Document, name: &str, file: &str) -> Result<Option<(usize, &'a Value)>, Error> {
    let mut found = entries(document, file)?
        .iter()
        .enumerate()
        .filter(|(_, entry)| text(entry, "integration").eq_ignore_ascii_case(name));
    only(found.next(), found.next().is_some(), file)
}

fn of_caller<'a>(entry: &'a Value, name: &str, file: &str) -> Result<Option<(usize, &'a Value)>, Error> {
    let mut found = items(entry, "callers").iter().enumerate().filter(|(_, caller)| id(caller) == name);
    only(found.next(), found.next().is_some(), file)
}

fn only<T>(first: Option<T>, another: bool, file: &str) -> Result<Option<T>, Error> {
    if another {
        return Err(Error::failed(format!("`{file}` has two entries for it"), "make one of them by hand"));
    }
    Ok(first)
}

/// The entries of a file.
fn entries<'a>(document: &'a Document, file: &str) -> Result<&'a [Value], Error> {
    let wrong =
        |what: &str| Err(Error::failed(format!("`{file}` is no allowlist: {what}"), "nothing was written"));
    let list_of_maps = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.iter().all(Value::is_object),
        Some(_) => false,
    };
    match document.value() {
        Value::Null => Ok(&[]),
        Value::Array(entries) => {
            if entries.iter().any(|entry| text(entry, "integration").is_empty()) {
                return wrong("an entry names no integration");
            }
            let sound = |entry: &Value| {
                let caller = |caller: &Value| {
                    ["capabilities", "rules"].iter().all(|key| list_of_maps(caller.get(key)))
                };
                list_of_maps(entry.get("callers")) && items(entry, "callers").iter().all(caller)
            };
            if entries.iter().all(sound) {
                Ok(entries)
            } else {
                wrong("callers, capabilities and rules are lists")
            }
        }
        _ => wrong("it is a list of integrations and their callers"),
    }
}
