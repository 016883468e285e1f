//! The inputs of an operation by name as a body of JSON states them: `{"inputs": {"name": "value"}}`.

use std::fmt;

use model::{Code, Inputs, Refusal};
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::Value;

/// Reads them. Numbers, booleans and lists are written as text, as inputs are.
///
/// # Errors
/// `bad_request` where it is anything else, or an input is there twice: then it has two readings. What stands there is not repeated.
pub fn inputs_of(json: &[u8]) -> Result<Inputs, Refusal> {
    // A list is as good as an object to a reader of types, and states nothing.
    let is_object = json.trim_ascii_start().starts_with(b"{");
    let stated: Result<Stated, _> = serde_json::from_slice(if is_object { json } else { b"?" });
    stated.map(|stated| stated.inputs.0).map_err(|_| {
        Refusal::new(Code::BadRequest, "the body does not state inputs, each of them once")
            .hint("`{\"inputs\": {\"name\": \"value\"}}`, with the content type `application/json`")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    #[serde(default)]
    inputs: StatedInputs,
}

/// Inputs by name, each of them once.
#[derive(Debug, Default)]
pub(crate) struct StatedInputs(pub(crate) Inputs);

impl<'de> Deserialize<'de> for StatedInputs {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = StatedInputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inputs by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StatedInputs, A::Error> {
        let mut inputs = Inputs::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            let text = match value {
                Value::String(text) => text,
                Value::Null => return Err(de::Error::custom("an input is null")),
                other => other.to_string(),
            };
            if inputs.insert(name, text).is_some() {
                return Err(de::Error::custom("an input is there twice"));
            }
        }
        Ok(StatedInputs(inputs))
    }
}
