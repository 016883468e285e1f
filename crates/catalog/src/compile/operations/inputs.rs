//! The inputs of an operation.

use std::collections::{BTreeMap, BTreeSet};

use model::{Access, Risk};

use crate::file::{InputEntry, OperationEntry, PlaceWord};
use crate::input::{DEFAULT_MAX, pattern};
use crate::operation::Rule;
use crate::{Cli, InputField, Kind, Place, Slot, Text, body, path, resource};

/// The inputs, with those that only the path names.
pub(super) fn inputs(
    entry: &OperationEntry,
    rule: Option<&Rule>,
) -> Result<BTreeMap<String, InputField>, String> {
    let paths = || rule.into_iter().flat_map(|rule| &rule.paths);
    let in_path: BTreeSet<&str> = paths().flat_map(path::Template::inputs).collect();
    let always: BTreeSet<&str> = in_path
        .iter()
        .copied()
        .filter(|name| paths().all(|path| path.inputs().any(|one| one == *name)))
        .collect();
    let mut inputs = BTreeMap::new();
    for (name, given) in &entry.inputs {
        if !path::is_word(name) {
            return Err("an input's name is made of lower-case letters, digits and `_`".to_owned());
        }
        if entry.cli.is_some() && crate::cli::is_reserved(name) {
            return Err(format!(
                "in commands `{{{name}}}` stands for something else, so no input has this name"
            ));
        }
        let place = place(name, given, Outward::of(entry))?;
        if (place == Place::Path) != in_path.contains(name.as_str()) {
            return Err(format!("the input `{name}` is either in the path by its name, or not `in: path`"));
        }
        if given.encoded_slash && place != Place::Path {
            return Err(format!("the input `{name}`: `encoded_slash` is for the path"));
        }
        if given.required == Some(false) && always.contains(name.as_str()) {
            return Err(format!("the input `{name}` stands in the path, so it is always there"));
        }
        let required = always.contains(name.as_str()) || given.required.unwrap_or(false);
        inputs.insert(name.clone(), field(name, given, place, required)?);
    }
    for name in in_path {
        if !inputs.contains_key(name) {
            let field = field(name, &InputEntry::default(), Place::Path, always.contains(name))?;
            inputs.insert(name.to_owned(), field);
        }
    }
    check_places(&inputs)?;
    check_implied(&inputs)?;
    check_references(&inputs, Outward::of(entry))?;
    check_rivals(&inputs)?;
    Ok(inputs)
}

/// A secret stands where nobody looks: not in an address, an argument or the name of what is worked on.
pub(super) fn check_secrets(
    inputs: &BTreeMap<String, InputField>,
    (resource, cli): (&resource::Template, Option<&Cli>),
) -> Result<(), String> {
    for (name, input) in inputs.iter().filter(|(_, input)| input.secret) {
        let in_address = matches!(input.place, Place::Path | Place::Query(_));
        let in_resource = resource.names().any(|one| one == name);
        let texts = || cli.into_iter().flat_map(|cli| &cli.args).flat_map(|group| &group.args);
        let names = |slot: &Slot| match slot {
            Slot::Input(one) | Slot::Escaped(one) | Slot::Path(one) | Slot::Each(one) => one == name,
            _ => false,
        };
        let in_args = texts().flat_map(Text::slots).any(names);
        if in_address || in_resource || in_args {
            return Err(format!(
                "the input `{name}` is secret, so it stands in a body, in `stdin` or in a file, and nowhere else"
            ));
        }
    }
    Ok(())
}

/// What stands for an input is text, and so is the input.
fn check_references(inputs: &BTreeMap<String, InputField>, outward: Outward) -> Result<(), String> {
    for (name, input) in inputs {
        let Some(other) = &input.stands_for else { continue };
        if outward != Outward::Program {
            return Err(format!("the input `{name}`: `stands_for` is for operations with `http: none`"));
        }
        let found =
            inputs.get(other).filter(|found| found.kind == Kind::String && found.stands_for.is_none());
        if input.kind != Kind::String || found.is_none() {
            return Err(format!("the input `{name}` stands for no other input that is text"));
        }
    }
    Ok(())
}

/// The inputs with which a read is tried.
pub(super) fn tried(
    entry: &OperationEntry,
    inputs: &BTreeMap<String, InputField>,
) -> Result<BTreeMap<String, String>, String> {
    if !entry.tried_with.is_empty() && (entry.access, entry.risk) != (Access::Read, Risk::Low) {
        return Err("`tried_with` is for a read of low risk".to_owned());
    }
    let tried = entry.tried_with.iter().map(|(name, text)| {
        let field =
            inputs.get(name).ok_or_else(|| super::no_input(name, inputs.keys().map(String::as_str)))?;
        let value =
            field.accept(name, text).map_err(|refusal| format!("`tried_with`: {}", refusal.message))?;
        Ok((name.clone(), value))
    });
    tried.collect()
}

/// What follows from an input has to be what the other inputs take.
fn check_implied(inputs: &BTreeMap<String, InputField>) -> Result<(), String> {
    for (name, input) in inputs {
        for (value, implied) in &input.implies {
            let wrong = |why: String| format!("what `{value}` implies in the input `{name}`: {why}");
            input.accept(name, value).map_err(|refusal| wrong(refusal.message))?;
            for (other, value) in implied {
                let field = inputs.get(other).ok_or_else(|| wrong(format!("there is no input `{other}`")))?;
                field.accept(other, value).map_err(|refusal| wrong(refusal.message))?;
            }
        }
    }
    Ok(())
}

/// What a program is told has other inputs as rivals, as there is no body.
fn check_rivals(inputs: &BTreeMap<String, InputField>) -> Result<(), String> {
    for (name, field) in inputs.iter().filter(|(_, field)| field.place == Place::Named) {
        let known =
            |path: &&Vec<String>| !matches!(&path[..], [one] if one != name && inputs.contains_key(one));
        if field.rivals.iter().find(known).is_some() {
            return Err(format!(
                "the rivals of the input `{name}`, which is for a program, are other inputs"
            ));
        }
    }
    Ok(())
}

fn check_places(inputs: &BTreeMap<String, InputField>) -> Result<(), String> {
    let mut keys = BTreeSet::new();
    let twice = inputs.iter().find(|(_, input)| match &input.place {
        Place::Query(key) => !keys.insert(format!("?{key}")),
        Place::Body(path) => !keys.insert(path.join("\0")),
        Place::Path | Place::Whole | Place::Named => false,
    });
    if let Some((name, _)) = twice {
        return Err(format!("the input `{name}` is read from the same place as another one"));
    }
    let in_body = |input: &&InputField| matches!(input.place, Place::Body(_));
    let whole = inputs.values().any(|input| matches!(&input.place, Place::Body(path) if path.is_empty()));
    if whole && inputs.values().filter(in_body).count() > 1 {
        return Err("an input that is the whole body is the only one in it".to_owned());
    }
    Ok(())
}

fn field(name: &str, given: &InputEntry, place: Place, required: bool) -> Result<InputField, String> {
    let max = given.max.unwrap_or(DEFAULT_MAX);
    if max == 0 {
        return Err("an input of no characters is no input".to_owned());
    }
    let is_list = matches!(given.kind, Kind::List | Kind::Json);
    let is_whole = matches!(&place, Place::Body(path) if path.is_empty());
    if is_list && place == Place::Path || given.kind == Kind::Json && matches!(place, Place::Query(_)) {
        return Err(format!("the input `{name}` is no text, so it cannot stand there"));
    }
    if is_whole && given.kind != Kind::Json {
        return Err(format!("the input `{name}` is the whole body, so it is of `type: json`"));
    }
    if given.multiline && matches!(place, Place::Path | Place::Query(_)) {
        return Err(format!("the input `{name}` cannot have several lines there"));
    }
    if given.kind == Kind::Json && given.pattern.is_some() {
        return Err(format!("the input `{name}` is JSON, so it has no `pattern`"));
    }
    if given.clock
        && (required
            || given.default.is_some()
            || !matches!(place, Place::Body(_))
            || given.kind != Kind::String)
    {
        return Err(format!(
            "the input `{name}` is the time of the call, so it is text in a body, and neither required nor with a default"
        ));
    }
    let rivals = given.rivals.iter().map(|path| body::keys(path)).collect::<Option<_>>();
    let rivals = rivals.ok_or_else(|| format!("the rivals of the input `{name}` are dotted paths"))?;
    let mut field = InputField {
        required,
        rivals,
        place,
        kind: given.kind,
        pattern: given.pattern.as_deref().map(pattern).transpose()?,
        max,
        encoded_slash: given.encoded_slash,
        ignore_case: given.ignore_case,
        title: given.title.clone(),
        default: None,
        clock: given.clock,
        except: given.except.clone(),
        implies: given.implies.clone(),
        multiline: given.multiline,
        stands_for: given.stands_for.clone(),
        secret: given.secret,
    };
    field.default = match &given.default {
        Some(text) => {
            Some(field.accept(name, text).map_err(|refusal| format!("its default: {}", refusal.message))?)
        }
        None => None,
    };
    Ok(field)
}

/// Whether an operation has requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outward {
    Requests,
    Program,
    Doorward,
}

impl Outward {
    const fn of(entry: &OperationEntry) -> Self {
        match (&entry.matches, &entry.http) {
            (Some(_), _) => Self::Requests,
            (None, Some(_)) => Self::Program,
            (None, None) => Self::Doorward,
        }
    }
}

fn place(name: &str, given: &InputEntry, outward: Outward) -> Result<Place, String> {
    let key = given.field.clone().unwrap_or_else(|| name.to_owned());
    match (given.place, outward) {
        (None, Outward::Doorward) if given.field.is_none() && given.kind == Kind::String => Ok(Place::Named),
        (None, Outward::Doorward) => {
            Err(format!("the input `{name}` of an operation without `match` is text"))
        }
        (None | Some(PlaceWord::Command), Outward::Program) if given.field.is_none() => Ok(Place::Named),
        (_, Outward::Doorward | Outward::Program) => Err(format!("the input `{name}` stands in no request")),
        (None, Outward::Requests) => Err(format!("the input `{name}` needs `in: path`, `query` or `body`")),
        (Some(PlaceWord::Path | PlaceWord::Command), Outward::Requests) if given.field.is_some() => {
            Err(format!("the input `{name}` stands there by its own name"))
        }
        (Some(PlaceWord::Path), Outward::Requests) => Ok(Place::Path),
        (Some(PlaceWord::Command), Outward::Requests) => Ok(Place::Named),
        (Some(PlaceWord::Query), Outward::Requests) => Ok(Place::Query(key)),
        (Some(PlaceWord::Body), Outward::Requests) if key == "." => Ok(Place::Body(Vec::new())),
        (Some(PlaceWord::Body), Outward::Requests) => body::keys(&key)
            .map(Place::Body)
            .ok_or_else(|| format!("the field of the input `{name}` is a dotted path")),
    }
}
