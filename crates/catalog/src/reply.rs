//! The evidence fields of a reply: external ids that say what came of a call. Bounded, and safe to print.

use std::collections::BTreeMap;

use model::{Code, Refusal};
use serde_json::Value;

use crate::Output;
use crate::body::json;

mod xml;

/// Where an evidence field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A header of the reply, by its name in lower case.
    Header(String),
    /// A dotted path in the JSON body: `*` is each item, a `#` at its end how many there are. In XML each name stands for every
    /// element of that name.
    Body(String),
    /// The SHA-256 of what stands at a path of the JSON body, as text or as JSON without spaces; `.` is all of it.
    Digest(String),
    /// How many lines the text at a path of the JSON body has.
    Lines(String),
    /// What stands at a path of the JSON body as bytes in Base64, in hexadecimal digits as people write it.
    Hex(String),
    /// A line of what a program printed; from its end where negative, such as -1 for the last.
    Line(i32),
}

impl Origin {
    /// Reads `header:NAME`, `sha256:PATH`, `lines:PATH`, `hex:PATH` or a dotted path.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("header:") {
            return if is_header(name) {
                Ok(Self::Header(name.to_ascii_lowercase()))
            } else {
                Err("behind `header:` stands the name of a header".to_owned())
            };
        }
        let made =
            [("sha256:", Self::Digest as fn(String) -> Self), ("lines:", Self::Lines), ("hex:", Self::Hex)];
        for (kind, of) in made {
            if let Some(path) = text.strip_prefix(kind) {
                if kind == "sha256:" && path == WHOLE {
                    return Ok(of(path.to_owned()));
                }
                return match Self::parse(path)? {
                    Self::Body(path) if !path.contains(['*', '#']) => Ok(of(path)),
                    _ => Err(format!("behind `{kind}` stands a dotted path of one value")),
                };
            }
        }
        let word = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '@');
            part == "*" || (!part.is_empty() && part.chars().all(plain))
        };
        let counted = text.strip_suffix(".#").unwrap_or(text);
        if text == "#" || counted.split('.').all(word) {
            Ok(Self::Body(text.to_owned()))
        } else {
            Err("an evidence field is `header:NAME`, `sha256:PATH`, `lines:PATH`, `hex:PATH` or a dotted path in the reply"
                .to_owned())
        }
    }
}

impl Origin {
    /// Reads `line:NUMBER` or a dotted path.
    pub(crate) fn parse_printed(text: &str) -> Result<Self, String> {
        if let Some(number) = text.strip_prefix("line:") {
            return match number.parse::<i32>() {
                Ok(number) if number != 0 => Ok(Self::Line(number)),
                _ => Err("behind `line:` stands a number: 1 is the first, -1 the last".to_owned()),
            };
        }
        match Self::parse(text)? {
            Self::Header(_) => Err("what a program prints has no headers".to_owned()),
            body => Ok(body),
        }
    }
}

/// The fields of what a program printed that are there, in the order of their names.
pub(crate) fn printed(
    wanted: &BTreeMap<String, Origin>,
    output: Output,
    stdout: &[u8],
) -> Vec<(String, String)> {
    match output {
        Output::Json => return fields(wanted, &|_| None, stdout),
        Output::Lines => return fields_of_lines(wanted, &|_| None, stdout),
        Output::Text => {}
    }
    let text = String::from_utf8_lossy(stdout);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    wanted
        .iter()
        .filter_map(|(name, origin)| {
            let Origin::Line(number) = origin else { return None };
            let place = usize::try_from(number.unsigned_abs()).ok()?.checked_sub(1)?;
            let line = if *number > 0 { lines.get(place) } else { lines.iter().rev().nth(place) };
            line.map(|line| (name.clone(), bounded(line, LONGEST)))
        })
        .collect()
}

/// The values that stand one behind another, up to the first that is none.
fn values(text: &[u8]) -> Vec<json::Json> {
    let mut reader = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    let mut all = Vec::new();
    let mut from = 0;
    while let Some(Ok(_)) = reader.next() {
        let until = reader.byte_offset();
        let Some(Ok(value)) = text.get(from..until).map(json::read) else { break };
        all.push(value);
        from = until;
    }
    all
}

/// The text of one field: the values at its path, or how many there are.
fn found(body: &json::Json, path: &str) -> Option<String> {
    if let Some(path) = path.strip_suffix('#') {
        let path = path.strip_suffix('.').unwrap_or(path);
        let all = if path.is_empty() { vec![body] } else { body.all(path) };
        let counts = all.iter().map(|value| match value {
            json::Json::List(list) => list.len(),
            json::Json::Map(map) => map.len(),
            _ => 0,
        });
        return (!all.is_empty()).then(|| counts.sum::<usize>().to_string());
    }
    let all: Vec<String> = body.all(path).into_iter().filter_map(json::Json::text).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// What in a body is not as it should be.
pub(crate) fn unmet(expect: &BTreeMap<String, Value>, body: &[u8]) -> Option<String> {
    if expect.is_empty() {
        return None;
    }
    let Ok(body) = json::read(body) else { return Some("the reply is not JSON".to_owned()) };
    let differs = |(path, wanted): &(&String, &Value)| stands(&body, path, wanted) != Stands::As;
    expect.iter().find(differs).map(|(path, wanted)| match wanted {
        Value::Null => format!("the reply has `{path}`"),
        wanted => format!("`{path}` of the reply is not `{wanted}`"),
    })
}

/// Whether a body says something else than it should. One that is silent, or can't be read, says nothing.
pub(crate) fn denied(expect: &BTreeMap<String, Value>, body: &[u8]) -> bool {
    if expect.is_empty() {
        return false;
    }
    let Ok(body) = json::read(body) else { return false };
    expect.iter().any(|(path, wanted)| stands(&body, path, wanted) == Stands::Otherwise)
}

/// How what a body has at a path stands to what is expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    As,
    /// There is nothing, and should be.
    Absent,
    Otherwise,
}

/// Where `*` is each of several, each of them has to be as expected.
fn stands(body: &json::Json, path: &str, wanted: &Value) -> Stands {
    let all = body.all(path);
    if all.iter().any(|found| !found.is(wanted)) {
        return Stands::Otherwise;
    }
    if all.is_empty() && !wanted.is_null() { Stands::Absent } else { Stands::As }
}

/// A body without the texts at the paths of `hides`, and with nothing but what stands at those of `shows`, where there are any.
pub(crate) fn without(hides: &[String], shows: &[String], body: &[u8]) -> Result<Vec<u8>, Refusal> {
    if (hides.is_empty() && shows.is_empty()) || body.iter().all(u8::is_ascii_whitespace) {
        return Ok(body.to_vec());
    }
    let unread = |_| {
        Refusal::new(Code::UpstreamReply, "something in the reply is secret, and the reply can't be read")
    };
    let mut value = json::read(body).map_err(unread)?.to_value();
    for path in hides {
        let keys: Vec<&str> = path.split('.').collect();
        hide(&mut value, &keys);
    }
    if !shows.is_empty() {
        let paths: Vec<Vec<&str>> = shows.iter().map(|path| path.split('.').collect()).collect();
        let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
        value = only(value, &paths).unwrap_or_default();
    }
    Ok(value.to_string().into_bytes())
}

/// What stands at these paths, and below them; `None` where none of them leads to anything that can be shown.
fn only(value: Value, paths: &[&[&str]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value);
    }
    let below = |key: &str| -> Vec<&[&str]> {
        let leads =
            paths.iter().filter(|path| path.first().is_some_and(|first| *first == key || *first == "*"));
        leads.filter_map(|path| path.get(1..)).collect()
    };
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter_map(|(key, value)| {
                let value = only(value, &below(&key))?;
                Some((key, value))
            });
            (!paths.is_empty()).then(|| Value::Object(kept.collect()))
        }
        Value::Array(list) => {
            let paths = below("*");
            (!paths.is_empty()).then(|| list.into_iter().filter_map(|item| only(item, &paths)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Takes the texts, numbers and truths at and below a path; the names of fields stay.
fn hide(value: &mut Value, path: &[&str]) {
    let below = path.get(1..).unwrap_or_default();
    match (path.first(), value) {
        (None, Value::Object(map)) => map.values_mut().for_each(|value| hide(value, &[])),
        (None, Value::Array(list)) => list.iter_mut().for_each(|value| hide(value, &[])),
        (None, Value::Null) => {}
        (None, value) => *value = HIDDEN.into(),
        (Some(&"*"), Value::Object(map)) => map.values_mut().for_each(|value| hide(value, below)),
        (Some(&"*"), Value::Array(list)) => list.iter_mut().for_each(|value| hide(value, below)),
        (Some(key), Value::Object(map)) => {
            if let Some(value) = map.get_mut(*key) {
                hide(value, below);
            }
        }
        (Some(_), _) => {}
    }
}

/// The fields of a reply of JSON values one behind another.
pub(crate) fn fields_of_lines(
    wanted: &BTreeMap<String, Origin>,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Vec<(String, String)> {
    picked(wanted, headers, &Document::Json(json::Json::List(values(body))))
}

/// The fields that are there, in the order of their names.
pub(crate) fn fields(
    wanted: &BTreeMap<String, Origin>,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Vec<(String, String)> {
    let in_head = |origin: &Origin| matches!(origin, Origin::Header(_));
    // A reply that can't be read has no fields; that is the service's right, and no reason to lose the reply.
    let body = if wanted.values().all(in_head) {
        Document::Unread
    } else if let Ok(body) = json::read(body) {
        Document::Json(body)
    } else {
        xml::read(body).map_or(Document::Unread, Document::Xml)
    };
    picked(wanted, headers, &body)
}

/// What fields are read from.
enum Document {
    Json(json::Json),
    Xml(xml::Element),
    Unread,
}

impl Document {
    fn field(&self, origin: &Origin) -> Option<String> {
        match (self, origin) {
            (Self::Json(body), Origin::Body(path)) => found(body, path),
            (Self::Xml(root), Origin::Body(path)) => root.found(path),
            (Self::Json(body), Origin::Digest(path)) => {
                let found = if path == WHOLE { Some(body) } else { body.at(path) };
                let text = match found? {
                    json::Json::Text(text) => text.clone(),
                    other => other.to_value().to_string(),
                };
                Some(crypto::to_hex(&crypto::sha256(&[text.as_bytes()])))
            }
            (Self::Json(body), Origin::Lines(path)) => match body.at(path)? {
                json::Json::Text(text) => Some(text.lines().count().to_string()),
                _ => None,
            },
            (Self::Json(body), Origin::Hex(path)) => match body.at(path)? {
                json::Json::Text(text) => Some(in_hex(text)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn picked(
    wanted: &BTreeMap<String, Origin>,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &Document,
) -> Vec<(String, String)> {
    wanted
        .iter()
        .filter_map(|(name, origin)| {
            let text = match origin {
                Origin::Header(header) => headers(header),
                other => body.field(other),
            };
            let several =
                |path: &str| matches!(body, Document::Xml(_)) || path.split('.').any(|key| key == "*");
            let many = matches!(origin, Origin::Body(path) if several(path));
            text.map(|text| (name.clone(), bounded(&text, if many { LONGEST_LIST } else { LONGEST })))
        })
        .collect()
}

/// The hexadecimal digits of bytes in Base64. Servers of another age write the digits themselves, 16 or 32 of them, which are
/// the Base64 of no id.
fn in_hex(text: &str) -> String {
    let is_hex = matches!(text.len(), 16 | 32) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let bytes = if is_hex { None } else { crypto::from_base64(text).ok() };
    bytes.map_or_else(|| text.to_owned(), |bytes| crypto::to_hex(&bytes))
}

/// At most so many characters, none of which moves a cursor or hides.
pub(crate) fn bounded(text: &str, longest: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let plain = c == ' ' || (!c.is_control() && !c.is_whitespace() && !is_invisible(c));
        let piece: String = if plain { c.into() } else { c.escape_unicode().collect() };
        length += piece.chars().count();
        if length > longest {
            break;
        }
        out.push_str(&piece);
    }
    out
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text can be the name of a header (RFC 9110, section 5.1; only what services use).
pub(crate) fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Most characters of one field.
const LONGEST: usize = 256;
/// Most characters of a field that holds several values: room for the ids of fifty events.
const LONGEST_LIST: usize = 2048;
/// All of a body, for a digest.
const WHOLE: &str = ".";
/// What stands where something secret stood.
const HIDDEN: &str = "(hidden)";

#[cfg(test)]
mod tests;
