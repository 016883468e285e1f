//! Operations and ready-made narrowings.

mod around;
mod inputs;
mod message;
mod reply;

use std::collections::{BTreeMap, BTreeSet};

use model::{Method, OperationName};
use serde_saphyr::Spanned;

use super::{Origin, Owner, UNKNOWN};
use crate::file::{AllowEntry, File, GuardWord, NarrowingEntry, OperationEntry};
use crate::narrowing::{Fold, Template};
use crate::operation::Rule;
use crate::reply::Origin as FieldOrigin;
use crate::{
    Body, Effect, Error, InputField, Narrowing, Operation, Param, Place, Program, body, input, nearest, path,
    resource,
};
use inputs::inputs;

/// The operations of a file.
pub(super) fn compile(
    file: &File,
    origin: &Origin,
    program: Option<&Program>,
) -> Result<BTreeMap<OperationName, Operation>, Error> {
    check_enabled(file, origin)?;
    let mut operations = BTreeMap::new();
    for (name, entry) in &file.operations {
        let wrong =
            |problem: String| origin.wrong(entry.referenced.line(), format!("operation `{name}`: {problem}"));
        let parsed: OperationName =
            name.parse().map_err(|error: model::ParseError| wrong(error.to_string()))?;
        if name == UNKNOWN {
            return Err(wrong("this is the name of what no operation describes".to_owned()));
        }
        check_form(&entry.value, file.internal).map_err(&wrong)?;
        if entry.value.effect.is_some() && !file.internal {
            return Err(wrong("`effect` is for Doorward's own operations".to_owned()));
        }
        let usual = match (file.internal, entry.value.guard) {
            (true, Some(_)) => return Err(wrong("`guard` is for operations of a service".to_owned())),
            (true, None) => Effect::Manage,
            (false, Some(GuardWord::BreakGlass)) => Effect::BreakGlass,
            (false, Some(GuardWord::Disabled) | None) => Effect::Use,
        };
        let effect = entry.value.effect.unwrap_or(usual);
        let mut operation = operation(parsed.clone(), &entry.value, effect, program).map_err(wrong)?;
        operation.held_back = entry.value.guard == Some(GuardWord::Disabled);
        operation.enabled = enables(file, name);
        operations.insert(parsed, operation);
    }
    for (name, entry) in &file.operations {
        let (before, after) = (&entry.value.before, &entry.value.after);
        if before.is_empty() && after.is_empty() {
            continue;
        }
        let wrong =
            |problem: String| origin.wrong(entry.referenced.line(), format!("operation `{name}`: {problem}"));
        let Some(write) = name.parse().ok().and_then(|name: OperationName| operations.get(&name)) else {
            continue;
        };
        let before = around::reads(before, write, &operations).map_err(wrong)?;
        let after = around::reads(after, write, &operations).map_err(wrong)?;
        let parsed = write.name.clone();
        if let Some(write) = operations.get_mut(&parsed) {
            (write.before, write.after) = (before, after);
        }
    }
    // One that the user describes may have none: then every request is one that is not known.
    if operations.is_empty() && origin.owner == Owner::House {
        return Err(origin.wrong(0, "an integration has at least one operation"));
    }
    Ok(operations)
}

/// Whether the user's file switches an operation on.
fn enables(file: &File, name: &str) -> bool {
    file.enable.iter().any(|one| one.value == "*" || one.value == name)
}

/// What is enabled is there, and was off.
fn check_enabled(file: &File, origin: &Origin) -> Result<(), Error> {
    let off = file.operations.iter().filter(|(_, entry)| entry.value.guard == Some(GuardWord::Disabled));
    let off: Vec<&str> = off.map(|(name, _)| name.as_str()).collect();
    let wrong = file.enable.iter().find(|one| one.value != "*" && !off.contains(&one.value.as_str()));
    let Some(one) = wrong else { return Ok(()) };
    let known = if off.is_empty() { "none is".to_owned() } else { off.join(", ") };
    let message = format!("`enable`: `{}` is no operation that is disabled here ({known})", one.value);
    Err(origin.wrong(one.referenced.line(), message))
}

/// What has requests done on behalf of others: the fields become known to the operations, the names of the headers are given.
pub(super) fn on_behalf(
    file: &File,
    origin: &Origin,
    operations: &mut BTreeMap<OperationName, Operation>,
) -> Result<Vec<String>, Error> {
    let (mut headers, mut fields) = (Vec::new(), Vec::new());
    for word in &file.on_behalf {
        let field = || body::keys(word).ok_or_else(|| origin.wrong(0, "`on_behalf` has dotted paths"));
        match word.strip_prefix("header:") {
            Some(name) if is_header(name) => headers.push(name.to_ascii_lowercase()),
            Some(_) => {
                return Err(
                    origin.wrong(0, "`on_behalf` has names of headers, with a `*` at the end for any rest")
                );
            }
            None => fields.push(field()?),
        }
    }
    for operation in operations.values_mut() {
        operation.on_behalf.clone_from(&fields);
    }
    Ok(headers)
}

/// Whether this is the name of a header, or the beginning of one and a `*`.
fn is_header(name: &str) -> bool {
    let name = name.strip_suffix('*').unwrap_or(name);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// What a request that nobody described may amount to.
pub(super) fn undescribed(
    file: &File,
    origin: &Origin,
    operations: &BTreeMap<OperationName, Operation>,
) -> Result<Vec<OperationName>, Error> {
    let known = |one: &Spanned<String>| {
        let name = one.value.parse().ok().filter(|name| operations.contains_key(name));
        name.ok_or_else(|| {
            let near = nearest::suffix(&one.value, operations.keys().map(OperationName::as_str));
            origin.wrong(
                one.referenced.line(),
                format!("`undescribed`: there is no operation `{}`{near}", one.value),
            )
        })
    };
    file.undescribed.iter().map(known).collect()
}

/// Whether there is a way to do it, and one reason where there is no request.
fn check_form(entry: &OperationEntry, internal: bool) -> Result<(), String> {
    let only_by_program = entry.http.is_some();
    if entry.matches.is_some() && internal {
        return Err("an operation of Doorward itself has no `match`".to_owned());
    }
    if (entry.cli.is_some() || only_by_program) && internal {
        return Err("an operation of Doorward itself is done by no program".to_owned());
    }
    if only_by_program != entry.why.is_some() {
        return Err("`http: none` and `why` go together".to_owned());
    }
    if only_by_program && (entry.matches.is_some() || entry.cli.is_none()) {
        return Err("with `http: none` there is a `cli` and no `match`".to_owned());
    }
    if entry.matches.is_none() && !internal && !only_by_program {
        return Err("the key `match` is missing".to_owned());
    }
    Ok(())
}

fn rule(entry: &OperationEntry) -> Result<Option<Rule>, String> {
    let Some(matches) = &entry.matches else { return Ok(None) };
    let method: Method = matches.method.parse().map_err(|error: model::ParseError| error.to_string())?;
    if matches!(method, Method::Head | Method::Options) {
        return Err("HEAD belongs to the operation of GET, and OPTIONS is no operation".to_owned());
    }
    let paths: Vec<path::Template> =
        matches.path.0.iter().map(|path| path::Template::parse(path)).collect::<Result<_, _>>()?;
    let twice =
        paths.iter().enumerate().any(|(at, path)| paths.iter().skip(at + 1).any(|other| other == path));
    if paths.is_empty() || twice {
        return Err("an operation has one path or several, each once".to_owned());
    }
    Ok(Some(Rule { method, paths }))
}

fn operation(
    name: OperationName,
    entry: &OperationEntry,
    effect: Effect,
    program: Option<&Program>,
) -> Result<Operation, String> {
    let rule = rule(entry)?;
    let mut inputs = inputs(entry, rule.as_ref())?;
    let fixed = message::fixed(entry, &inputs)?;
    let reads_body = !fixed.is_empty() || inputs.values().any(|input| matches!(input.place, Place::Body(_)));
    let default =
        if rule.as_ref().is_some_and(|rule| rule.method == Method::Get) { Body::None } else { Body::Any };
    let body = entry.body.unwrap_or(default);
    if reads_body && matches!(body, Body::Any | Body::None) {
        return Err("inputs in the body need `body: json`, `form` or `json_or_form`".to_owned());
    }
    message::check_lists(&inputs, body)?;
    if rule.is_none() && (entry.body.is_some() || !entry.query.is_empty() || !entry.evidence.is_empty()) {
        return Err("without `match` there is no body, query or reply".to_owned());
    }
    let resource = resource::Template::parse(entry.resource.as_deref().unwrap_or("*"))?;
    if let Some(problem) = resource.resource_problem() {
        return Err(problem.to_owned());
    }
    check_names(&resource, &inputs)?;
    if let Some(kind) = message::whole(entry, rule.as_ref(), &inputs) {
        inputs.entry(input::WHOLE.to_owned()).or_insert_with(|| input::whole(kind, reads_body));
    }
    let cli = entry.cli.as_ref().map(|cli| super::cli::command(cli, (&inputs, &fixed, body), program));
    inputs::check_secrets(&inputs, (&resource, cli.as_ref().and_then(|cli| cli.as_ref().ok())))?;
    Ok(Operation {
        name,
        title: entry.title.clone(),
        docs: entry.docs.clone(),
        access: entry.access,
        risk: entry.risk,
        effect,
        held_back: false,
        enabled: false,
        host: message::host(entry, &inputs, rule.is_some())?,
        by_name: entry.by_name,
        headers: message::headers(entry, rule.is_some())?,
        content_type: message::content_type(entry, body)?,
        expect: reply::expect(entry)?,
        hides: reply::hides(entry)?,
        shows: reply::shows(entry)?,
        output: reply::output(entry)?,
        poll: reply::poll(entry, rule.as_ref(), &inputs)?,
        tried_with: inputs::tried(entry, &inputs)?,
        rule,
        body,
        fixed,
        shared: false,
        query: query(entry, &inputs)?,
        on_behalf: Vec::new(),
        resource,
        evidence: evidence(entry)?,
        cli: cli.transpose()?,
        inputs,
        scopes: entry.scopes.clone(),
        why: entry.why.clone(),
        before: Vec::new(),
        after: Vec::new(),
    })
}

fn evidence(entry: &OperationEntry) -> Result<BTreeMap<String, FieldOrigin>, String> {
    entry
        .evidence
        .iter()
        .map(|(name, text)| match path::is_word(name) {
            true => FieldOrigin::parse(text).map(|origin| (name.clone(), origin)),
            false => Err("an evidence field's name is made of lower-case letters, digits and `_`".to_owned()),
        })
        .collect()
}

fn query(entry: &OperationEntry, inputs: &BTreeMap<String, InputField>) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for name in &entry.query {
        let input = inputs.iter().any(|(input, field)| match &field.place {
            Place::Query(key) => key == name,
            Place::Body(path) => input == name || path.first() == Some(name),
            Place::Path | Place::Whole | Place::Named => false,
        });
        if input || name.is_empty() || !names.insert(name.clone()) {
            return Err("`query` names each other parameter once, and no input".to_owned());
        }
    }
    Ok(names)
}

fn check_names(template: &resource::Template, inputs: &BTreeMap<String, InputField>) -> Result<(), String> {
    match template.names().find(|name| !inputs.contains_key(*name)) {
        Some(name) => Err(no_input(name, inputs.keys().map(String::as_str))),
        None => Ok(()),
    }
}

fn no_input<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    format!("there is no input {}{}", nearest::shown(name), nearest::suffix(name, known))
}

/// The ready-made narrowings of a file.
pub(super) fn narrowings(
    file: &File,
    origin: &Origin,
    operations: &BTreeMap<OperationName, Operation>,
) -> Result<BTreeMap<String, Narrowing>, Error> {
    let mut found = BTreeMap::new();
    for (name, entry) in &file.capabilities {
        let wrong = |problem: String| {
            origin.wrong(entry.referenced.line(), format!("capability `{name}`: {problem}"))
        };
        if !path::is_word(name) {
            return Err(wrong("a name is made of lower-case letters, digits and `_`".to_owned()));
        }
        let NarrowingEntry { title, params, allow } = &entry.value;
        if allow.is_empty() {
            return Err(wrong("`allow` is empty".to_owned()));
        }
        let allow = allow
            .iter()
            .map(|entry| allowance(entry, params, operations))
            .collect::<Result<Vec<_>, _>>()
            .map_err(&wrong)?;
        for param in params.keys() {
            let used = |template: &Template| {
                template
                    .inputs
                    .values()
                    .chain(&template.resource)
                    .any(|(text, _)| text.names().any(|name| name == param))
            };
            // A parameter that one operation ignores would narrow less than its reader believes.
            if !path::is_word(param) || !allow.iter().all(used) {
                return Err(wrong(format!("the parameter `{param}` is not used in every operation")));
            }
        }
        let narrowing = Narrowing { name: name.clone(), title: title.clone(), params: params.clone(), allow };
        found.insert(name.clone(), narrowing);
    }
    Ok(found)
}

fn allowance(
    entry: &AllowEntry,
    params: &BTreeMap<String, Param>,
    operations: &BTreeMap<OperationName, Operation>,
) -> Result<Template, String> {
    let operation = operations
        .get(entry.operation.as_str())
        .ok_or_else(|| super::unknown(&entry.operation, operations))?;
    let text = |text: &str| -> Result<resource::Template, String> {
        let template = resource::Template::parse(text)?;
        let lists = template.names().filter(|name| params.get(*name) == Some(&Param::List)).count();
        let missing = template.names().find(|name| !params.contains_key(*name)).map(str::to_owned);
        match missing {
            Some(name) => {
                let near = nearest::suffix(&name, params.keys().map(String::as_str));
                Err(format!("there is no parameter {}{near}", nearest::shown(&name)))
            }
            None if lists > 1 => Err("a text has at most one list in it".to_owned()),
            None => Ok(template),
        }
    };
    let mut inputs = BTreeMap::new();
    for (name, value) in &entry.inputs {
        let field = operation
            .inputs
            .get(name)
            .ok_or_else(|| no_input(name, operation.inputs.keys().map(String::as_str)))?;
        let fold = if field.ignore_case { Fold::Lower } else { Fold::Exact };
        inputs.insert(name.clone(), (text(value)?, fold));
    }
    let lower = operation
        .resource
        .names()
        .any(|name| operation.inputs.get(name).is_some_and(|input| input.ignore_case));
    let fold = if lower { Fold::Lower } else { Fold::Exact };
    let resource = entry.resource.as_deref().map(text).transpose()?.map(|template| (template, fold));
    Ok(Template { operation: operation.name.clone(), inputs, resource })
}
