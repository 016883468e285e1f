//! Reads the inputs of an operation from a body, or refuses it. A body that cannot be read is never passed on unread.

pub(crate) mod form;
pub(crate) mod json;

use model::{Code, Inputs, Refusal};

use crate::input::{InputField, Kind, Place};
use crate::{Asked, Body, Operation};
use json::Json;

/// Adds the inputs in the body to `inputs`.
pub(crate) fn read(operation: &Operation, asked: &Asked<'_>, inputs: &mut Inputs) -> Result<(), Refusal> {
    if !operation.wants_body() {
        return Ok(());
    }
    let body = asked.body.ok_or_else(|| refused("the body was not read"))?;
    if body.is_empty() {
        return Ok(());
    }
    if operation.body == Body::None {
        return Err(refused("this operation takes no body"));
    }
    match written(operation.body, asked.content_types)? {
        Written::Json => from_json(operation, &json::read(body)?, inputs),
        Written::Form => from_form(operation, &form::read(body)?, inputs),
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Json,
    Form,
}

/// The one content type, where the operation takes it. Anything else would be read by us and by the service differently.
fn written(body: Body, content_types: &[&str]) -> Result<Written, Refusal> {
    let [content_type] = content_types else {
        return Err(refused("a request with a body has exactly one content type"));
    };
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let utf8 = parts.filter(|part| !part.is_empty()).all(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if !utf8 {
        return Err(refused("a body is written in UTF-8"));
    }
    let suffixed = essence
        .strip_prefix("application/")
        .and_then(|sub| sub.strip_suffix("+json"))
        .is_some_and(|vendor| {
            !vendor.is_empty()
                && vendor.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        });
    let written = match essence.as_str() {
        "application/json" => Written::Json,
        _ if suffixed => Written::Json,
        "application/x-www-form-urlencoded" => Written::Form,
        _ => return Err(wrong_type(body)),
    };
    match (body, written) {
        (Body::Json, Written::Json) | (Body::Form, Written::Form) | (Body::JsonOrForm, _) => Ok(written),
        (Body::None | Body::Json | Body::Form | Body::Any, _) => Err(wrong_type(body)),
    }
}

fn wrong_type(body: Body) -> Refusal {
    let forms = match body {
        Body::None => "no body",
        Body::Json => "`application/json`",
        Body::Form => "`application/x-www-form-urlencoded`",
        Body::JsonOrForm | Body::Any => "`application/json` or `application/x-www-form-urlencoded`",
    };
    refused("the body has a content type that this operation does not take").hint(format!("send {forms}"))
}

fn from_json(operation: &Operation, body: &Json, inputs: &mut Inputs) -> Result<(), Refusal> {
    if !matches!(body, Json::Map(_)) {
        return Err(refused("the body is not a JSON object"));
    }
    for (name, field) in operation.inputs() {
        let Place::Body(path) = &field.place else { continue };
        if let Some(text) = leaf(name, field, body, path)? {
            inputs.insert(name.clone(), field.accept(name, &text)?);
        }
    }
    Ok(())
}

/// The text of one field; `None` where it is absent or null.
fn leaf(name: &str, field: &InputField, body: &Json, path: &[String]) -> Result<Option<String>, Refusal> {
    let mut here = body;
    for key in path {
        let Json::Map(map) = here else {
            return Err(refused(format!("the field of the input `{name}` does not stand in an object")));
        };
        // Some servers read keys without regard to case: what we do not see, they might.
        if map.keys().any(|other| other != key && other.eq_ignore_ascii_case(key)) {
            return Err(refused(format!("the key `{key}` is also written in another case")));
        }
        match map.get(key) {
            None | Some(Json::Null) => return Ok(None),
            Some(next) => here = next,
        }
    }
    match (field.kind, here) {
        (Kind::String, Json::Text(text)) | (Kind::Integer, Json::Integer(text)) => Ok(Some(text.clone())),
        (Kind::Boolean, Json::Bool(is)) => Ok(Some(is.to_string())),
        (kind, _) => {
            let kind = match kind {
                Kind::String => "text",
                Kind::Integer => "a whole number of at most 64 bits",
                Kind::Boolean => "a boolean",
            };
            Err(refused(format!("the input `{name}` is not {kind} in the body")))
        }
    }
}

fn from_form(operation: &Operation, pairs: &Inputs, inputs: &mut Inputs) -> Result<(), Refusal> {
    for (name, field) in operation.inputs() {
        let Place::Body(path) = &field.place else { continue };
        let key = form::key(path);
        // `channel[]` and `channel[0]` are other spellings of `channel` to some servers, and so is `Channel`.
        let spelled = |other: &&String| {
            **other != key && (other.eq_ignore_ascii_case(&key) || other.starts_with(&format!("{key}[")))
        };
        if pairs.keys().find(spelled).is_some() {
            return Err(refused(format!("the field `{key}` is also written in another way")));
        }
        if let Some(text) = pairs.get(&key) {
            inputs.insert(name.clone(), field.accept(name, text)?);
        }
    }
    Ok(())
}

/// The body of an operation that is called by name: its content type and bytes; `None` where it has none.
pub(crate) fn write(operation: &Operation, inputs: &Inputs) -> Option<(&'static str, Vec<u8>)> {
    let fields: Vec<(&InputField, &Vec<String>, &String)> = operation
        .inputs()
        .iter()
        .filter_map(|(name, field)| match &field.place {
            Place::Body(path) => inputs.get(name).map(|value| (field, path, value)),
            Place::Path | Place::Query(_) | Place::Named => None,
        })
        .collect();
    match operation.body {
        Body::None | Body::Any => None,
        Body::Form => {
            let pairs: Vec<String> =
                fields.iter().map(|(_, path, value)| form::pair(&form::key(path), value)).collect();
            Some(("application/x-www-form-urlencoded", pairs.join("&").into_bytes()))
        }
        Body::Json | Body::JsonOrForm => {
            let mut root = serde_json::Map::new();
            for (field, path, value) in fields {
                json::put(&mut root, path, json::typed(field.kind, value));
            }
            Some(("application/json", serde_json::Value::Object(root).to_string().into_bytes()))
        }
    }
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}
