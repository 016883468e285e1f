//! What programs send to the agent, read strictly: camel case and snake case, each key once, no key that nobody knows.

use std::collections::BTreeMap;
use std::fmt;

use model::{Code, Refusal};
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a payload.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| refused(&error))
}

fn refused(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let refusal =
        Refusal::new(Code::BadRequest, format!("invalid payload format: {}", without_values(&text)));
    match nearest(&text) {
        Some(near) => refusal.hint(format!("did you mean `{near}`?")),
        None => refusal.hint("docs/concepts/agent-protocol.md has every key"),
    }
}

/// What serde says, without what the request says: a value in the wrong place may be a secret. Plain keys stay.
fn without_values(text: &str) -> String {
    let (what, place) = text.rsplit_once(" at line ").unwrap_or((text, ""));
    let place = if place.is_empty() { String::new() } else { format!(" at line {place}") };
    // Text of the request stands before what is expected, and may hold these very words; ours has neither.
    let expected = what.rsplit_once(", expected ").map(|(_, expected)| expected);
    for (begin, told) in [
        ("invalid type: ", "a value of another type"),
        ("invalid value: ", "a value that can't be here"),
        ("unknown variant ", "a word that is unknown here"),
    ] {
        if what.starts_with(begin) {
            let expected = expected.unwrap_or("something else");
            return format!("{told}, expected {expected}{place}");
        }
    }
    for begin in ["unknown field `", "duplicate field `"] {
        let Some(rest) = what.strip_prefix(begin) else { continue };
        let key = rest.split('`').next().unwrap_or_default();
        let plain = key.len() <= LONGEST_KEY && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain {
            let expected = expected.map(|expected| format!(", expected {expected}")).unwrap_or_default();
            return format!("a key that is unknown or there twice{expected}{place}");
        }
    }
    text.to_owned()
}

/// The key that was meant: the words of serde are the unknown one and those that are known, all in backticks.
fn nearest(text: &str) -> Option<String> {
    let rest = text.strip_prefix("unknown field ").or_else(|| text.strip_prefix("unknown variant "))?;
    let mut words = rest.split('`').skip(1).step_by(2);
    let wrong = folded(words.next()?);
    let known: Vec<(String, &str)> = words.map(|word| (folded(word), word)).collect();
    let near = catalog::nearest_word(&wrong, known.iter().map(|(folded, _)| folded.as_str()))?;
    known.into_iter().find(|(folded, _)| *folded == near).map(|(_, word)| word.to_owned())
}

/// The same for both ways in which a key is written.
fn folded(word: &str) -> String {
    word.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// A map whose keys come once each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unique<V>(pub(super) BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Keys<V> {
            type Value = Unique<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<V>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, V>()? {
                    if entries.insert(key, value).is_some() {
                        return Err(A::Error::custom("an object has a key twice"));
                    }
                }
                Ok(Unique(entries))
            }
        }
        deserializer.deserialize_map(Keys(std::marker::PhantomData))
    }
}

/// Longest key that is repeated in an error.
const LONGEST_KEY: usize = 40;

#[cfg(test)]
mod tests;
