//! Reads the inputs of an operation from a body, or refuses it. A body that cannot be read is never passed on unread.

pub(crate) mod form;
pub(crate) mod json;

use std::collections::BTreeMap;

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
        return match says_nothing(body, asked.content_types) {
            true => Ok(()),
            false => Err(refused("this operation takes no body")),
        };
    }
    match written(operation.body, asked.content_types)? {
        Written::Json => {
            let body = json::read(body)?;
            from_json(operation, &body, inputs)?;
            check_alone(operation, inputs, &|path| body.says(path))
        }
        Written::Form => {
            let (pairs, lists) = form::read_with_lists(body, &repeated(operation))?;
            from_form(operation, (&pairs, &lists), inputs)?;
            let listed = |path: &[String]| lists.contains_key(&form::key(path));
            check_alone(operation, inputs, &|path| form::says(&pairs, path) || listed(path))
        }
    }
}

/// Whether a body is `{}`, which many programs send where there is nothing to say.
fn says_nothing(body: &[u8], content_types: &[&str]) -> bool {
    body.trim_ascii() == b"{}" && matches!(written(Body::Json, content_types), Ok(Written::Json))
}

/// The names in a form that are written once for each item of a list.
fn repeated(operation: &Operation) -> Vec<String> {
    let keys = operation.inputs().values().filter_map(|field| match &field.place {
        Place::Body(path) if field.kind == Kind::List => Some(form::key(path)),
        _ => None,
    });
    keys.filter(|key| !key.contains(PLACE)).collect()
}

/// Looks whether nothing in a body says another time what an input says, and nothing has it done for somebody else.
fn check_alone(
    operation: &Operation,
    inputs: &Inputs,
    says: &dyn Fn(&[String]) -> bool,
) -> Result<(), Refusal> {
    if let Some(path) = operation.on_behalf.iter().find(|path| says(path)) {
        return Err(on_behalf(&format!("field `{}`", path.join("."))));
    }
    for (name, field) in operation.inputs.iter().filter(|(name, _)| inputs.contains_key(*name)) {
        if let Some(path) = field.rivals.iter().find(|path| says(path)) {
            let message = format!("the field `{}` says in place of the input `{name}`", path.join("."));
            return Err(refused(message).hint("say it once"));
        }
    }
    Ok(())
}

pub(crate) fn on_behalf(what: &str) -> Refusal {
    refused(format!("the {what} has this done on behalf of somebody else, which no operation here is"))
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
        let refused = refused("a request with a body has exactly one content type");
        return Err(
            refused.hint("say what the body is in one header, such as `content-type: application/json`")
        );
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
    let whole = |field: &InputField| matches!(&field.place, Place::Body(path) if path.is_empty());
    if !matches!(body, Json::Map(_)) && !operation.inputs().values().any(whole) {
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
        (Kind::List, Json::List(_)) | (Kind::Json, Json::Map(_) | Json::List(_)) => {
            Ok(Some(here.to_value().to_string()))
        }
        (kind, _) => {
            let kind = match kind {
                Kind::String => "text",
                Kind::Integer => "a whole number of at most 64 bits",
                Kind::Boolean => "a boolean",
                Kind::List => "a list",
                Kind::Json => "an object or a list",
            };
            Err(refused(format!("the input `{name}` is not {kind} in the body")))
        }
    }
}

fn from_form(
    operation: &Operation,
    (pairs, lists): (&Inputs, &form::Lists),
    inputs: &mut Inputs,
) -> Result<(), Refusal> {
    for (name, field) in operation.inputs() {
        let Place::Body(path) = &field.place else { continue };
        let key = form::key(path);
        if field.kind == Kind::List && key.contains(PLACE) {
            let at = |place: usize| pairs.get(&key.replace(PLACE, &place.to_string())).cloned();
            let all: Vec<String> = (1..).map_while(at).collect();
            let lead = key.split(PLACE).next().unwrap_or_default();
            let like =
                |other: &&String| other.get(..lead.len()).is_some_and(|own| own.eq_ignore_ascii_case(lead));
            if pairs.keys().filter(like).count() != all.len() {
                return Err(refused(format!("the list `{name}` is also written in another way")));
            }
            if !all.is_empty() {
                inputs.insert(name.clone(), field.accept(name, &serde_json::Value::from(all).to_string())?);
            }
            continue;
        }
        // `channel[]` and `channel[0]` are other spellings of `channel` to some servers, and so is `Channel`.
        let spelled = |other: &&String| {
            **other != key && (other.eq_ignore_ascii_case(&key) || other.starts_with(&format!("{key}[")))
        };
        if pairs.keys().find(spelled).is_some() {
            return Err(refused(format!("the field `{key}` is also written in another way")));
        }
        if let Some(all) = lists.get(&key) {
            let all = serde_json::Value::from(all.clone()).to_string();
            inputs.insert(name.clone(), field.accept(name, &all)?);
        } else if let Some(text) = pairs.get(&key) {
            inputs.insert(name.clone(), field.accept(name, text)?);
        }
    }
    Ok(())
}

/// What belongs to a request that is made by name, besides its target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Headers, with the content type where there is a body; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, where it has one.
    pub body: Option<Vec<u8>>,
}

/// Headers and body of an operation that is called by name.
pub(crate) fn write(operation: &Operation, inputs: &Inputs) -> Message {
    let mut headers: Vec<(String, String)> =
        operation.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let written = match operation.body {
        Body::None => None,
        Body::Any => whole(operation, inputs),
        Body::Form => Some((FORM, pairs(operation, inputs).join("&").into_bytes())),
        Body::Json | Body::JsonOrForm => whole(operation, inputs).or_else(|| {
            let object = object((&operation.fixed, rest(operation, inputs)), &operation.inputs, inputs);
            Some((JSON, object.to_string().into_bytes()))
        }),
    };
    let Some((kind, body)) = written else { return Message { headers, body: None } };
    let kind = operation.content_type.as_deref().unwrap_or(kind);
    headers.push(("content-type".to_owned(), kind.to_owned()));
    Message { headers, body: Some(body) }
}

/// The input that is the body, or the rest of it, where it was given.
fn given<'a>(operation: &'a Operation, inputs: &'a Inputs) -> Option<(&'a InputField, &'a String)> {
    let (name, field) = operation.inputs.iter().find(|(_, field)| field.place == Place::Whole)?;
    inputs.get(name).map(|text| (field, text))
}

/// The body that was given as one input, and how it is written.
fn whole(operation: &Operation, inputs: &Inputs) -> Option<(&'static str, Vec<u8>)> {
    let (field, text) = given(operation, inputs)?;
    if in_body(&operation.inputs, inputs).next().is_some() {
        return None;
    }
    Some((if field.kind == Kind::Json { JSON } else { TEXT }, text.clone().into_bytes()))
}

/// What a body has besides its other inputs.
fn rest(operation: &Operation, inputs: &Inputs) -> serde_json::Map<String, serde_json::Value> {
    // It was read before, so it is an object.
    given(operation, inputs).and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Looks whether the rest of a body leaves alone what other inputs say.
///
/// # Errors
/// `bad_request` where it is no object beside others, or says something that is an input of its own: that would pass by what is asked of that input.
pub(crate) fn check_rest(operation: &Operation, inputs: &Inputs) -> Result<(), Refusal> {
    let described = operation.inputs.values().any(|field| matches!(field.place, Place::Body(_)));
    let Some((_, text)) = given(operation, inputs).filter(|_| described) else { return Ok(()) };
    let mut said = Inputs::new();
    let rest = json::read(text.as_bytes())?;
    from_json(operation, &rest, &mut said)?;
    check_alone(operation, inputs, &|path| rest.says(path))?;
    match said.keys().next() {
        Some(name) => {
            Err(refused(format!("`{name}` is an input of its own, so it does not stand in `body`"))
                .hint(format!("say it as `{name}`")))
        }
        None => Ok(()),
    }
}

/// A field that a body always has: its keys and its value.
pub(crate) type Fixed = (Vec<String>, serde_json::Value);

fn in_body<'a>(
    fields: &'a BTreeMap<String, InputField>,
    inputs: &'a Inputs,
) -> impl Iterator<Item = (&'a InputField, &'a Vec<String>, &'a String)> {
    fields.iter().filter_map(|(name, field)| match &field.place {
        Place::Body(path) => inputs.get(name).map(|value| (field, path, value)),
        Place::Path | Place::Query(_) | Place::Whole | Place::Named => None,
    })
}

/// The JSON body of an operation that is called by name: what is always in it or in no other input, and the inputs.
pub(crate) fn object(
    (fixed, rest): (&[Fixed], serde_json::Map<String, serde_json::Value>),
    fields: &BTreeMap<String, InputField>,
    inputs: &Inputs,
) -> serde_json::Value {
    let mut root = rest;
    for (path, value) in fixed {
        json::put(&mut root, path, value.clone());
    }
    for (field, path, value) in in_body(fields, inputs) {
        let value = json::typed(field.kind, value);
        if path.is_empty() {
            return value;
        }
        json::put(&mut root, path, value);
    }
    serde_json::Value::Object(root)
}

fn pairs(operation: &Operation, inputs: &Inputs) -> Vec<String> {
    let fixed = operation.fixed.iter().map(|(path, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        form::pair(&form::key(path), &text)
    });
    let given = in_body(&operation.inputs, inputs).flat_map(|(field, path, value)| {
        let key = form::key(path);
        let texts = texts(field, value).into_iter().zip(1..);
        texts
            .map(|(text, place)| form::pair(&key.replace(PLACE, &place.to_string()), &text))
            .collect::<Vec<_>>()
    });
    fixed.chain(given).collect()
}

/// The keys of a dotted path, in which `\\.` is a dot of a key.
pub(crate) fn keys(path: &str) -> Option<Vec<String>> {
    let keys: Vec<String> = path.replace("\\.", "\0").split('.').map(|key| key.replace('\0', ".")).collect();
    keys.iter().all(|key| !key.is_empty()).then_some(keys)
}

/// The texts of an input: one, or those of its list.
pub(crate) fn texts(field: &InputField, value: &str) -> Vec<String> {
    match field.kind {
        // It was read before, so it is a list.
        Kind::List => serde_json::from_str(value).unwrap_or_default(),
        Kind::String | Kind::Integer | Kind::Boolean | Kind::Json => vec![value.to_owned()],
    }
}

/// Whether a body has what the operation's always has.
pub(crate) fn has_fixed(operation: &Operation, asked: &Asked<'_>) -> Result<bool, Refusal> {
    let body = asked.body.ok_or_else(|| refused("the body was not read"))?;
    if body.is_empty() {
        return Ok(false);
    }
    match written(operation.body, asked.content_types)? {
        Written::Json => {
            let body = json::read(body)?;
            Ok(operation.fixed.iter().all(|(path, value)| {
                let at = path.iter().try_fold(&body, |here, key| match here {
                    // Some servers read keys without regard to case: what we do not see, they might.
                    Json::Map(map)
                        if map.keys().all(|other| other == key || !other.eq_ignore_ascii_case(key)) =>
                    {
                        map.get(key)
                    }
                    _ => None,
                });
                at.is_some_and(|found| found.is(value))
            }))
        }
        Written::Form => {
            let pairs = form::read(body)?;
            Ok(operation.fixed.iter().all(|(path, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                pairs.get(&form::key(path)) == Some(&text)
            }))
        }
    }
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}

/// Where the number of an item stands in the key of a form's list, such as `InstanceId.{n}`.
pub(crate) const PLACE: &str = "{n}";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const TEXT: &str = "text/plain; charset=utf-8";
