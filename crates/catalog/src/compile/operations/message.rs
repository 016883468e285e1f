//! What a request has besides its target and its inputs: host, headers, and what always stands in its body.

use std::collections::BTreeMap;

use model::Method;

use crate::body::Fixed;
use crate::compile::wiring::is_framing;
use crate::file::OperationEntry;
use crate::operation::Rule;
use crate::{Body, InputField, Kind, Place, body, reply, resource};

/// What always stands in the body.
pub(super) fn fixed(
    entry: &OperationEntry,
    inputs: &BTreeMap<String, InputField>,
) -> Result<Vec<Fixed>, String> {
    let mut fixed = Vec::new();
    for (path, value) in &entry.fixed {
        let keys = body::keys(path).ok_or("`fixed` has dotted paths")?;
        let taken = inputs.values().any(|input| match &input.place {
            Place::Body(own) => own.starts_with(&keys) || keys.starts_with(own),
            Place::Path | Place::Query(_) | Place::Whole | Place::Named => false,
        });
        if taken {
            return Err(format!("`fixed` and an input both write `{path}`"));
        }
        fixed.push((keys, value.clone()));
    }
    if !fixed.is_empty() && entry.matches.is_none() {
        return Err("without `match` there is no body".to_owned());
    }
    Ok(fixed)
}

/// A list in a form is several pairs, each with its number or all of one name; in JSON it is a list.
pub(super) fn check_lists(inputs: &BTreeMap<String, InputField>, body: Body) -> Result<(), String> {
    for (name, input) in inputs {
        let Place::Body(path) = &input.place else { continue };
        let numbered = path.iter().any(|key| key.contains(body::PLACE));
        match (body, input.kind) {
            (Body::Form | Body::JsonOrForm, Kind::Json) | (Body::JsonOrForm, Kind::List) => {
                return Err(format!("the input `{name}` cannot stand in a form"));
            }
            (Body::Form, Kind::List) => {}
            _ if numbered => return Err(format!("`{{n}}` is for a list in a form, and `{name}` is none")),
            _ => {}
        }
    }
    Ok(())
}

/// The host of its requests.
pub(super) fn host(
    entry: &OperationEntry,
    inputs: &BTreeMap<String, InputField>,
    outward: bool,
) -> Result<Option<resource::Template>, String> {
    let Some(text) = &entry.host else { return Ok(None) };
    if !outward {
        return Err("without `match` there is no `host`".to_owned());
    }
    let template = resource::Template::parse(text)?;
    super::check_names(&template, inputs)?;
    for name in template.names() {
        let is_there = inputs.get(name).is_some_and(|input| input.required || input.default.is_some());
        if !is_there {
            return Err(format!("the input `{name}` names the host, so it is `required` or has a `default`"));
        }
    }
    Ok(Some(template))
}

/// Headers of its requests, by name in lower case.
pub(super) fn headers(entry: &OperationEntry, outward: bool) -> Result<BTreeMap<String, String>, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in &entry.headers {
        let lower = name.to_ascii_lowercase();
        let plain = !value.is_empty() && value.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        let own = matches!(lower.as_str(), "authorization" | "content-type" | "cookie");
        if !outward || own || !reply::is_header(&lower) || is_framing(&lower) || !plain {
            return Err("this header cannot be set, or not to this".to_owned());
        }
        headers.insert(lower, value.clone());
    }
    Ok(headers)
}

/// The kind of the input of a call by name that is the body, or what nothing else describes in it. What a program does takes what is described
/// only, and so do a form and a body that has a fixed part.
pub(super) fn whole(
    entry: &OperationEntry,
    rule: Option<&Rule>,
    inputs: &BTreeMap<String, InputField>,
) -> Option<Kind> {
    let writes = rule.is_some_and(|rule| matches!(rule.method, Method::Post | Method::Put | Method::Patch));
    let is_whole = |input: &InputField| matches!(&input.place, Place::Body(path) if path.is_empty());
    if !writes || entry.cli.is_some() || !entry.fixed.is_empty() || inputs.values().any(is_whole) {
        return None;
    }
    match entry.body {
        None | Some(Body::Json | Body::JsonOrForm) => Some(Kind::Json),
        Some(Body::Any) => entry.content_type.as_ref().map(|_| Kind::String),
        Some(Body::None | Body::Form) => None,
    }
}

/// The content type of its bodies.
pub(super) fn content_type(entry: &OperationEntry, body: Body) -> Result<Option<String>, String> {
    let Some(kind) = &entry.content_type else { return Ok(None) };
    let is = |start: &str| {
        kind.strip_prefix(start)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
    };
    let fits = match (body, entry.body) {
        (Body::Json, _) => is("application/"),
        (Body::Any, Some(_)) => is("text/"),
        (Body::None | Body::Form | Body::JsonOrForm | Body::Any, _) => false,
    };
    if fits {
        Ok(Some(kind.clone()))
    } else {
        Err("`content_type` is one of JSON, with `body: json`, or one of text, with `body: any`".to_owned())
    }
}
