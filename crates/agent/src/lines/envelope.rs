//! One message of the line protocol, read strictly and printed.
//!
//! # Invariants
//!
//! - A message has one reading: no key is there twice, at any depth, and no key of the envelope is unknown.
//! - What is wrong with a message is said without repeating values: one of them may be a secret in the wrong place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use model::Timestamp;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// A message that was read.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// The type, as it was written.
    pub(crate) kind: Cow<'a, str>,
    /// What the answer is to carry.
    pub(crate) id: Cow<'a, str>,
    /// The JSON of the payload; `{}` where there is none.
    pub(crate) payload: &'a str,
}

/// Why a message could not be read, and the id of it where that much was clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) id: String,
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// Reads one frame.
    pub(crate) fn read(frame: &'a [u8]) -> Result<Self, Unread> {
        let unread = |reason: String| Unread { id: String::new(), reason };
        let text = std::str::from_utf8(frame).map_err(|_| unread("it is not UTF-8".to_owned()))?;
        // First all of it, so that a key which is there twice is found wherever it stands.
        let mut whole = serde_json::Deserializer::from_str(text);
        Once { depth: 0 }.deserialize(&mut whole).map_err(|error| unread(why(&error)))?;
        whole.end().map_err(|error| unread(why(&error)))?;
        if !text.trim_start().starts_with('{') {
            return Err(unread("it is not an object".to_owned()));
        }
        let written: Written<'a> =
            serde_json::from_str(text).map_err(|error| Unread { id: id_in(text), reason: why(&error) })?;
        let Written { version, kind, id, timestamp, payload, signature } = written;
        if !is_id(&id) {
            return Err(unread(format!(
                "`id` is text of 1 to {LONGEST_ID} bytes without control characters"
            )));
        }
        let unread = |reason: String| Unread { id: id.clone().into_owned(), reason };
        if version != VERSION {
            return Err(unread(format!("the version is not one that is spoken here; send `{VERSION}`")));
        }
        if kind.len() > LONGEST_ID {
            return Err(unread("`type` is too long".to_owned()));
        }
        if timestamp.is_some_and(|timestamp| timestamp.parse::<Timestamp>().is_err()) {
            return Err(unread("`timestamp` is not a time of RFC 3339".to_owned()));
        }
        if signature.is_some_and(|signature| !signature.is_empty()) {
            // Accepting one that nobody checks would promise what is not kept.
            return Err(unread("signatures are not checked here; leave `signature` out".to_owned()));
        }
        let payload = payload.map_or("{}", RawValue::get);
        let payload = if payload == "null" { "{}" } else { payload };
        if !payload.starts_with('{') {
            return Err(unread("`payload` is not an object".to_owned()));
        }
        Ok(Self { kind, id, payload })
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_ID && !text.chars().any(char::is_control)
}

/// The id of an envelope that has something else wrong with it; empty where it is no id either.
fn id_in(text: &str) -> String {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    let named = serde_json::from_str::<Named<'_>>(text).ok();
    named.map(|named| named.id).filter(|id| is_id(id)).map(Cow::into_owned).unwrap_or_default()
}

/// Prints one answer with its line end.
pub(crate) fn write(
    out: &mut Vec<u8>,
    (kind, id): (&str, &str),
    now: Timestamp,
    payload: &impl Serialize,
) -> Result<(), serde_json::Error> {
    #[derive(Serialize)]
    struct Reply<'a, P> {
        version: &'static str,
        #[serde(rename = "type")]
        kind: &'a str,
        id: &'a str,
        timestamp: Timestamp,
        payload: &'a P,
    }
    serde_json::to_writer(&mut *out, &Reply { version: VERSION, kind, id, timestamp: now, payload })?;
    out.push(b'\n');
    Ok(())
}

/// What is wrong, without values.
pub(crate) fn why(error: &serde_json::Error) -> String {
    let place = || format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Syntax => format!("it is not JSON ({})", place()),
        Category::Eof => "it ends too early".to_owned(),
        Category::Io => "it could not be read".to_owned(),
        Category::Data => {
            let message = error.to_string();
            let known = ["unknown field `", "duplicate field `", "missing field `", "it is nested deeper"];
            let named = known.iter().any(|start| message.starts_with(start));
            let key = message.split('`').nth(1).unwrap_or_default();
            let plain =
                key.len() <= LONGEST_KEY && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            match (named, plain) {
                (true, true) => message.split(" at line ").next().unwrap_or_default().to_owned(),
                (true, false) => "a key is unknown, or there twice".to_owned(),
                (false, _) => format!("a value is of another kind than it should be ({})", place()),
            }
        }
    }
}

/// Walks a value and fails where a key is there twice, or it is nested too deep.
#[derive(Clone, Copy)]
struct Once {
    depth: u8,
}

impl Once {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom(format_args!("it is nested deeper than {DEEPEST} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Once {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut few: Vec<Key<'de>> = Vec::new();
        let mut many: HashSet<Key<'de>> = HashSet::new();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if few.contains(&key) || many.contains(&key) {
                return Err(serde::de::Error::custom(format_args!("duplicate field `{}`", key.0)));
            }
            if few.len() < FEW {
                few.push(key);
            } else {
                many.insert(key);
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The version that is spoken.
pub(crate) const VERSION: &str = "1.0";
/// Longest id of a message, in bytes; clients make ids of about twenty.
const LONGEST_ID: usize = 128;
/// Longest key that is repeated in an error.
const LONGEST_KEY: usize = 40;
/// Deepest nesting of a message.
const DEEPEST: u8 = 32;
/// Keys of one object that are compared one by one; more go through a hash.
const FEW: usize = 16;

#[cfg(test)]
mod tests;
