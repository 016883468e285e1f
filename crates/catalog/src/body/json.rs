//! JSON that has one reading only: no key twice at any depth, nothing behind the value, valid UTF-8, at most 64 levels.
//!
//! Numbers that are not whole numbers of 64 bits are kept apart and never compared: through a 64-bit float, two different
//! ids would be one.

use std::collections::BTreeMap;
use std::fmt;

use model::{Code, Refusal};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::input::Kind;

/// A JSON value with unique keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 64 bits, as text.
    Integer(String),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Map(BTreeMap<String, Json>),
}

impl Json {
    /// The value at a dotted path; a number is a place in a list.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |here, key| match here {
            Self::Map(map) => map.get(key),
            Self::List(list) => key.parse::<usize>().ok().and_then(|place| list.get(place)),
            _ => None,
        })
    }

    /// Text, a boolean or a number as text; `None` where it has no exact one.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Bool(is) => Some(is.to_string()),
            Self::Integer(text) | Self::Text(text) => Some(text.clone()),
            Self::Real(number) => (number.abs() < EXACT).then(|| number.to_string()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl Json {
    /// Whether something stands at a path, in which `*` is each item and keys are read without regard to case. `null` and `false`
    /// say nothing.
    pub(crate) fn says(&self, path: &[String]) -> bool {
        let Some((key, rest)) = path.split_first() else {
            return !matches!(self, Self::Null | Self::Bool(false));
        };
        match self {
            Self::List(list) if key == "*" => list.iter().any(|one| one.says(rest)),
            Self::Map(map) => map
                .iter()
                .any(|(own, value)| (key == "*" || own.eq_ignore_ascii_case(key)) && value.says(rest)),
            _ => false,
        }
    }

    /// Every value at a dotted path: `*` is each item or field, `-1` the last item.
    pub(crate) fn all(&self, path: &str) -> Vec<&Self> {
        path.split('.').fold(vec![self], |here, key| {
            here.into_iter()
                .flat_map(|value| match (value, key) {
                    (Self::List(list), "*") => list.iter().collect(),
                    (Self::Map(map), "*") => map.values().collect(),
                    (Self::List(list), "-1") => list.last().into_iter().collect(),
                    (other, key) => other.at(key).into_iter().collect::<Vec<_>>(),
                })
                .collect()
        })
    }

    /// Whether it is this value.
    pub(crate) fn is(&self, value: &serde_json::Value) -> bool {
        self.to_value() == *value
    }

    /// The same for a writer.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(is) => (*is).into(),
            Self::Integer(text) => typed(Kind::Integer, text),
            Self::Real(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(list) => list.iter().map(Self::to_value).collect(),
            Self::Map(map) => serde_json::Value::Object(
                map.iter().map(|(key, value)| (key.clone(), value.to_value())).collect(),
            ),
        }
    }
}

/// Reads a whole body.
pub(crate) fn read(body: &[u8]) -> Result<Json, Refusal> {
    // The parser's message may hold pieces of the body, which may hold anything; only the place is repeated.
    let wrong = |what: &str| Refusal::new(Code::BadRequest, format!("the body is not strict JSON: {what}"));
    let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8"))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Node { depth: 0 }.deserialize(&mut reader).map_err(|error| {
        let reason = error.to_string();
        match [TWICE, DEEP].into_iter().find(|known| reason.starts_with(known)) {
            Some(known) => wrong(known),
            None => wrong(&format!("it breaks at line {}, column {}", error.line(), error.column())),
        }
    })?;
    reader.end().map_err(|_| wrong("something stands behind the value"))?;
    Ok(value)
}

/// Puts a value at a path of keys.
pub(crate) fn put(
    root: &mut serde_json::Map<String, serde_json::Value>,
    path: &[String],
    value: serde_json::Value,
) {
    match path {
        [] => {}
        [key] => {
            root.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let next =
                root.entry(key.clone()).or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
            if let Some(next) = next.as_object_mut() {
                put(next, rest, value);
            }
        }
    }
}

/// A text as the JSON value of its kind.
pub(crate) fn typed(kind: Kind, text: &str) -> serde_json::Value {
    let whole =
        || text.parse::<i64>().map(Into::into).or_else(|_| text.parse::<u64>().map(serde_json::Value::from));
    match kind {
        Kind::String => text.into(),
        Kind::Integer => whole().unwrap_or_else(|_| text.into()),
        Kind::Boolean => (text == "true").into(),
        // It was read before, so it is JSON.
        Kind::List | Kind::Json => serde_json::from_str(text).unwrap_or_default(),
    }
}

struct Node {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Json, E> {
        Ok(Json::Bool(is))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Integer(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Integer(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Real(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self.deeper()?)? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.deeper()?)?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Json::Map(map))
    }
}

impl Node {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        if self.depth + 1 < DEEPEST { Ok(Self { depth: self.depth + 1 }) } else { Err(E::custom(DEEP)) }
    }
}

/// Most levels of lists and objects, counting the value itself.
const DEEPEST: usize = 64;
/// Below 2^53 a float holds every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;
const TWICE: &str = "a key is written twice";
const DEEP: &str = "it has more than 64 levels";

#[cfg(test)]
mod tests;
