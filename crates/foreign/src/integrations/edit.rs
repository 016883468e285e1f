//! What is done to a file.

use serde_json::Value;

use super::block::{self, For};
use super::services::{Auth, Service, known};
use super::{Error, settings};
use crate::flags::{Given, Words};
use crate::yaml::{Document, Node, Step};

/// What was done to the block of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It is new.
    Added(String),
    /// It said all that before.
    Unchanged(String),
    /// These keys say something else now.
    Updated(String, Vec<String>),
    /// It is gone.
    Deleted(String),
}

/// One block of a file, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Where it leads to.
    pub destination: String,
    /// The types of what callers have to prove.
    pub incoming: Vec<String>,
    /// The types of its credentials.
    pub outgoing: Vec<String>,
}

/// What is in a file.
///
/// # Errors
/// When it is not a file of integrations.
pub fn list(document: &Document, file: &str) -> Result<Vec<Listed>, Error> {
    let text =
        |value: &Value, key: &str| meant(value, key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let types = |value: &Value, key: &str| {
        let auths = meant(value, key).and_then(Value::as_array);
        auths.map(|auths| auths.iter().map(|auth| text(auth, "type")).collect()).unwrap_or_default()
    };
    Ok(blocks(document, file)?
        .iter()
        .map(|block| Listed {
            name: text(block, "name"),
            destination: text(block, "destination"),
            incoming: types(block, "incoming_auth"),
            outgoing: types(block, "outgoing_auth"),
        })
        .collect())
}

/// What a block says under a key, itself or by what is merged into it.
fn meant<'a>(block: &'a Value, key: &str) -> Option<&'a Value> {
    block.get(key).or_else(|| match block.get("<<")? {
        Value::Array(several) => several.iter().find_map(|one| meant(one, key)),
        one => meant(one, key),
    })
}

pub(super) fn add(
    document: &mut Document,
    service: &Service,
    words: &Words,
    file: &str,
) -> Result<Done, Error> {
    let given = words.check(&block::flags(service, For::Add))?;
    let wanted = block::new(service, &given)?;
    let name = block::name(given.one("name").unwrap_or(&service.name))?;
    let Some((_, there)) = found(document, &name, file)? else {
        document.append(&[Step::Key("integrations".to_owned())], &wanted)?;
        return Ok(Done::Added(name));
    };
    let wanted = wanted.value();
    let mut keys: Vec<&String> =
        wanted.as_object().into_iter().chain(there.as_object()).flat_map(|map| map.keys()).collect();
    keys.sort();
    keys.dedup();
    let differs: Vec<String> = keys
        .into_iter()
        .filter(|key| *key != "name" && wanted.get(key.as_str()) != there.get(key.as_str()))
        .map(|key| format!("`{key}`"))
        .collect();
    if differs.is_empty() {
        return Ok(Done::Unchanged(name));
    }
    Err(Error::failed(
        format!("`{name}` is in `{file}` already, and says something else in {}", differs.join(", ")),
        format!("`update {name}` changes it; `-name` gives the new one a name of its own"),
    ))
}

pub(super) fn update(
    document: &mut Document,
    typed: &str,
    service: Option<&Service>,
    words: &Words,
    file: &str,
) -> Result<Done, Error> {
    let name = block::name(words.value_of("name").unwrap_or(typed))?;
    let Some((index, there)) = found(document, &name, file)? else {
        return match service {
            // As a script wants it that does not know whether it ran before.
            Some(service) => {
                let flags = block::flags(service, For::Add);
                let complete = words.check(&flags).and_then(|given| given.complete(&flags));
                complete.map_err(|error| {
                    Error::failed(
                        format!("there is no `{name}` in `{file}`, and for a new one {error}"),
                        "`list` prints what is there",
                    )
                })?;
                add(document, service, words, file)
            }
            None => Err(missing(document, &name, file)),
        };
    };
    let there = there.clone();
    let guessed = service.cloned().or_else(|| guess(&there));
    let flags =
        guessed.as_ref().map_or_else(block::of_any_block, |service| block::flags(service, For::Update));
    let given = words.check(&flags).map_err(|error| match guessed {
        Some(_) => error,
        None => error.hint("`-service NAME` says which service the block is for, and so which flags it has"),
    })?;
    let path = vec![Step::Key("integrations".to_owned()), Step::Item(index)];
    let mut edited = document.clone();
    let mut changed = Vec::new();
    for (key, value) in wanted(guessed.as_ref(), &there, &given)? {
        if there.get(key) != Some(&value.value()) {
            edited.set(&path, key, &value)?;
            changed.push(key.to_owned());
        }
    }
    if let Some(service) = &guessed {
        for (key, auths) in [("incoming_auth", &service.incoming), ("outgoing_auth", &service.outgoing)] {
            for auth in auths {
                changed.extend(secrets(&mut edited, (&path, &there), key, auth, &given)?);
            }
        }
    }
    *document = edited;
    Ok(if changed.is_empty() { Done::Unchanged(name) } else { Done::Updated(name, changed) })
}

pub(super) fn delete(document: &mut Document, name: &str, file: &str) -> Result<Done, Error> {
    let Some((index, _)) = found(document, name, file)? else { return Err(missing(document, name, file)) };
    document.remove(&[Step::Key("integrations".to_owned())], index)?;
    Ok(Done::Deleted(name.to_owned()))
}

/// The plain keys that flags say.
fn wanted(
    service: Option<&Service>,
    there: &Value,
    given: &Given,
) -> Result<Vec<(&'static str, Node)>, Error> {
    let now = there.get("destination").and_then(Value::as_str).unwrap_or_default();
    let mut wanted = Vec::new();
    if let Some(address) = block::moved(service, now, given)? {
        wanted.push(("destination", Node::Text(address)));
    }
    wanted.extend(settings::given(given)?);
    Ok(wanted)
}

/// Sets the secrets of one entry, where flags say them.
fn secrets(
    document: &mut Document,
    (path, there): (&[Step], &Value),
    key: &str,
    auth: &Auth,
    given: &Given,
) -> Result<Option<String>, Error> {
    let Some(references) = block::references(auth, given)? else { return Ok(None) };
    let entries = there.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let Some(index) = entries.iter().position(|entry| is_it(entry, auth)) else {
        let flag = auth.secret.as_ref().map(|secret| secret.flag.as_str()).unwrap_or_default();
        return Err(Error::failed(
            format!("`-{flag}` says where the secret of a `{}` is, and `{key}` has no such entry", auth.kind),
            "write the entry by hand, or delete the block and add it again",
        ));
    };
    let params = entries.get(index).and_then(|entry| entry.get("params"));
    if params.and_then(|params| params.get("secrets")) == Some(&references.value()) {
        return Ok(None);
    }
    let mut path = path.to_vec();
    path.extend([Step::Key(key.to_owned()), Step::Item(index), Step::Key("params".to_owned())]);
    document.set(&path, "secrets", &references)?;
    Ok(Some(format!("{key}[{index}].params.secrets")))
}

/// Whether an entry of a file is this one: its type, and its header where the type has one.
fn is_it(entry: &Value, auth: &Auth) -> bool {
    let header = |(key, value): &(&str, String)| {
        *key != "header"
            || entry
                .get("params")
                .and_then(|params| params.get("header"))
                .and_then(Value::as_str)
                .is_some_and(|there| there.eq_ignore_ascii_case(value))
    };
    entry.get("type").and_then(Value::as_str) == Some(auth.kind) && auth.params.iter().all(header)
}

/// The service whose address a block has.
fn guess(there: &Value) -> Option<Service> {
    let address = there.get("destination").and_then(Value::as_str)?.trim_end_matches('/');
    known().into_iter().find(|service| service.destination.trim_end_matches('/') == address)
}

fn found<'a>(document: &'a Document, name: &str, file: &str) -> Result<Option<(usize, &'a Value)>, Error> {
    let mut same = blocks(document, file)?.iter().enumerate().filter(|(_, block)| name_of(block) == name);
    let found = same.next();
    match same.next() {
        Some(_) => {
            Err(Error::failed(format!("`{name}` is in `{file}` twice"), "take one of them out by hand"))
        }
        None => Ok(found),
    }
}

fn name_of(block: &Value) -> String {
    block.get("name").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase()
}

fn missing(document: &Document, name: &str, file: &str) -> Error {
    let names: Vec<String> = blocks(document, file).into_iter().flatten().map(name_of).collect();
    let near = crate::flags::nearest(name, names.iter().map(|name| &**name));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`list` prints what is there".to_owned(),
    };
    Error::failed(format!("there is no `{name}` in `{file}`"), hint)
}

/// The blocks of a file.
fn blocks<'a>(document: &'a Document, file: &str) -> Result<&'a [Value], Error> {
    let wrong = |what: &str| {
        Err(Error::failed(format!("`{file}` is no file of integrations: {what}"), "nothing was written"))
    };
    let list = match document.value() {
        Value::Null => return Ok(&[]),
        Value::Object(entries) => entries.get("integrations"),
        _ => return wrong("it has no key `integrations`"),
    };
    match list {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(blocks)) if blocks.iter().all(|block| !name_of(block).is_empty()) => Ok(blocks),
        Some(Value::Array(_)) => wrong("an entry of `integrations` has no name"),
        Some(_) => wrong("`integrations` is no list"),
    }
}
