//! Operations and ready-made narrowings.

use std::collections::{BTreeMap, BTreeSet};

use model::{Method, OperationName};

use super::{Origin, Owner, UNKNOWN};
use crate::file::{AllowEntry, CliEntry, File, InputEntry, NarrowingEntry, OperationEntry, PlaceWord};
use crate::input::{DEFAULT_MAX, pattern};
use crate::narrowing::{Fold, Template};
use crate::reply::Origin as FieldOrigin;
use crate::{
    Body, Cli, Effect, Error, InputField, Kind, Narrowing, Operation, Param, Place, nearest, path, resource,
};

/// The operations of a file.
pub(super) fn compile(file: &File, origin: &Origin) -> Result<BTreeMap<OperationName, Operation>, Error> {
    let mut operations = BTreeMap::new();
    for (name, entry) in &file.operations {
        let wrong =
            |problem: String| origin.wrong(entry.referenced.line(), format!("operation `{name}`: {problem}"));
        let parsed: OperationName =
            name.parse().map_err(|error: model::ParseError| wrong(error.to_string()))?;
        if name == UNKNOWN {
            return Err(wrong("this is the name of what no operation describes".to_owned()));
        }
        if entry.value.matches.is_some() == file.internal {
            return Err(wrong(if file.internal {
                "an operation of Doorward itself has no `match`".to_owned()
            } else {
                "the key `match` is missing".to_owned()
            }));
        }
        if entry.value.effect.is_some() && !file.internal {
            return Err(wrong("`effect` is for Doorward's own operations".to_owned()));
        }
        let effect = entry.value.effect.unwrap_or(if file.internal { Effect::Manage } else { Effect::Use });
        let operation = operation(parsed.clone(), &entry.value, effect).map_err(wrong)?;
        operations.insert(parsed, operation);
    }
    // One that the user describes may have none: then every request is one that is not known.
    if operations.is_empty() && origin.owner == Owner::House {
        return Err(origin.wrong(0, "an integration has at least one operation"));
    }
    Ok(operations)
}

fn operation(name: OperationName, entry: &OperationEntry, effect: Effect) -> Result<Operation, String> {
    let rule = match &entry.matches {
        Some(matches) => {
            let method: Method =
                matches.method.parse().map_err(|error: model::ParseError| error.to_string())?;
            if matches!(method, Method::Head | Method::Options) {
                return Err("HEAD belongs to the operation of GET, and OPTIONS is no operation".to_owned());
            }
            Some((method, path::Template::parse(&matches.path)?))
        }
        None => None,
    };
    let inputs = inputs(entry, rule.as_ref().map(|(_, template)| template))?;
    let reads_body = inputs.values().any(|input| matches!(input.place, Place::Body(_)));
    let default = if matches!(rule, Some((Method::Get, _))) { Body::None } else { Body::Any };
    let body = entry.body.unwrap_or(default);
    if reads_body && matches!(body, Body::Any | Body::None) {
        return Err("inputs in the body need `body: json`, `form` or `json_or_form`".to_owned());
    }
    if rule.is_none() && (entry.body.is_some() || !entry.query.is_empty() || !entry.evidence.is_empty()) {
        return Err("without `match` there is no body, query or reply".to_owned());
    }
    let resource = resource::Template::parse(entry.resource.as_deref().unwrap_or("*"))?;
    if let Some(problem) = resource.resource_problem() {
        return Err(problem.to_owned());
    }
    check_names(&resource, &inputs)?;
    let evidence = entry
        .evidence
        .iter()
        .map(|(name, text)| match path::is_word(name) {
            true => FieldOrigin::parse(text).map(|origin| (name.clone(), origin)),
            false => Err("an evidence field's name is made of lower-case letters, digits and `_`".to_owned()),
        })
        .collect::<Result<_, _>>()?;
    Ok(Operation {
        name,
        title: entry.title.clone(),
        docs: entry.docs.clone(),
        access: entry.access,
        risk: entry.risk,
        effect,
        rule,
        body,
        query: query(entry, &inputs)?,
        inputs,
        resource,
        evidence,
        cli: entry.cli.as_ref().map(|cli| command(cli, &entry.inputs)).transpose()?,
        scopes: entry.scopes.clone(),
    })
}

fn inputs(
    entry: &OperationEntry,
    template: Option<&path::Template>,
) -> Result<BTreeMap<String, InputField>, String> {
    let in_path: BTreeSet<&str> = template.into_iter().flat_map(path::Template::inputs).collect();
    let mut inputs = BTreeMap::new();
    for (name, given) in &entry.inputs {
        if !path::is_word(name) {
            return Err("an input's name is made of lower-case letters, digits and `_`".to_owned());
        }
        let place = place(name, given, template.is_some())?;
        if (place == Place::Path) != in_path.contains(name.as_str()) {
            return Err(format!("the input `{name}` is either in the path by its name, or not `in: path`"));
        }
        if given.encoded_slash && place != Place::Path {
            return Err(format!("the input `{name}`: `encoded_slash` is for the path"));
        }
        if place == Place::Path && given.required == Some(false) {
            return Err(format!("the input `{name}` stands in the path, so it is always there"));
        }
        inputs.insert(name.clone(), field(given, place)?);
    }
    for name in in_path {
        if !inputs.contains_key(name) {
            inputs.insert(name.to_owned(), field(&InputEntry::default(), Place::Path)?);
        }
    }
    let mut keys = BTreeSet::new();
    let twice = inputs.iter().find(|(_, input)| match &input.place {
        Place::Query(key) => !keys.insert(format!("?{key}")),
        Place::Body(path) => !keys.insert(path.join(".")),
        Place::Path | Place::Named => false,
    });
    match twice {
        Some((name, _)) => Err(format!("the input `{name}` is read from the same place as another one")),
        None => Ok(inputs),
    }
}

fn field(given: &InputEntry, place: Place) -> Result<InputField, String> {
    let max = given.max.unwrap_or(DEFAULT_MAX);
    if max == 0 {
        return Err("an input of no characters is no input".to_owned());
    }
    Ok(InputField {
        required: place == Place::Path || given.required.unwrap_or(false),
        place,
        kind: given.kind,
        pattern: given.pattern.as_deref().map(pattern).transpose()?,
        max,
        encoded_slash: given.encoded_slash,
        ignore_case: given.ignore_case,
        title: given.title.clone(),
    })
}

fn place(name: &str, given: &InputEntry, outward: bool) -> Result<Place, String> {
    let key = given.field.clone().unwrap_or_else(|| name.to_owned());
    match (given.place, outward) {
        (None, false) if given.field.is_none() && given.kind == Kind::String => Ok(Place::Named),
        (None, false) => Err(format!("the input `{name}` of an operation without `match` is text")),
        (Some(_), false) => Err(format!("the input `{name}` stands in no request")),
        (None, true) => Err(format!("the input `{name}` needs `in: path`, `query` or `body`")),
        (Some(PlaceWord::Path), true) if given.field.is_some() => {
            Err(format!("the input `{name}` stands in the path by its own name"))
        }
        (Some(PlaceWord::Path), true) => Ok(Place::Path),
        (Some(PlaceWord::Query), true) => Ok(Place::Query(key)),
        (Some(PlaceWord::Body), true) => {
            let path: Vec<String> = key.split('.').map(str::to_owned).collect();
            if path.iter().any(String::is_empty) {
                return Err(format!("the field of the input `{name}` is a dotted path"));
            }
            Ok(Place::Body(path))
        }
    }
}

fn query(entry: &OperationEntry, inputs: &BTreeMap<String, InputField>) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for name in &entry.query {
        let input = inputs.iter().any(|(input, field)| match &field.place {
            Place::Query(key) => key == name,
            Place::Body(path) => input == name || path.first() == Some(name),
            Place::Path | Place::Named => false,
        });
        if input || name.is_empty() || !names.insert(name.clone()) {
            return Err("`query` names each other parameter once, and no input".to_owned());
        }
    }
    Ok(names)
}

fn command(cli: &CliEntry, inputs: &BTreeMap<String, InputEntry>) -> Result<Cli, String> {
    let args = cli.args.iter().map(|arg| resource::Template::parse(arg)).collect::<Result<Vec<_>, _>>()?;
    for name in args.iter().flat_map(resource::Template::names) {
        if !inputs.contains_key(name) {
            return Err(no_input(name, inputs.keys().map(String::as_str)));
        }
    }
    if cli.program.is_empty() || cli.program.contains(char::is_whitespace) {
        return Err("`program` is one word".to_owned());
    }
    Ok(Cli { program: cli.program.clone(), args })
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
    let known = || operations.keys().map(OperationName::as_str);
    let operation = operations.get(entry.operation.as_str()).ok_or_else(|| {
        let near = nearest::suffix(&entry.operation, known());
        format!("there is no operation {}{near}", nearest::shown(&entry.operation))
    })?;
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
