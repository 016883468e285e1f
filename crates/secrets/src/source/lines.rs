//! One key of a file that holds several secrets: `KEY=value` lines, or a JSON object.
//!
//! A key that stands there twice is an error, because readers differ in which one they take.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

/// What is wrong with the file; says nothing about what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not of the form.
    Form,
    /// The key stands there twice.
    Twice,
}

/// The value of a key in `KEY=value` lines. `export ` before a key, white space around it, comment lines, quotes and
/// comments behind a value are understood as a shell would; nothing is expanded.
pub(super) fn line_key(text: &[u8], key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Wrong> {
    let mut found = None;
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let line = line.strip_prefix(b"export ").unwrap_or(line).trim_ascii_start();
        let at = line.iter().position(|byte| *byte == b'=').ok_or(Wrong::Form)?;
        let (name, value) = line.split_at_checked(at).ok_or(Wrong::Form)?;
        if name.trim_ascii_end() != key.as_bytes() {
            continue;
        }
        if found.is_some() {
            return Err(Wrong::Twice);
        }
        found = Some(value_of(value.get(1..).unwrap_or_default().trim_ascii_start())?);
    }
    Ok(found)
}

fn value_of(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let mut value = Zeroizing::new(Vec::with_capacity(text.len()));
    let rest = match text.split_first() {
        Some((b'\'', rest)) => {
            let end = rest.iter().position(|byte| *byte == b'\'').ok_or(Wrong::Form)?;
            let (inner, rest) = rest.split_at_checked(end).ok_or(Wrong::Form)?;
            value.extend_from_slice(inner);
            rest.get(1..).unwrap_or_default()
        }
        Some((b'"', rest)) => double_quoted(rest, &mut value)?,
        _ => {
            // A `#` begins a comment only behind white space: it may be part of a secret.
            let end = text.windows(2).position(|pair| matches!(pair, [b' ' | b'\t', b'#']));
            value.extend_from_slice(
                text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim_ascii_end(),
            );
            b""
        }
    };
    let rest = rest.trim_ascii_start();
    if rest.is_empty() || rest.starts_with(b"#") { Ok(value) } else { Err(Wrong::Form) }
}

fn double_quoted<'t>(text: &'t [u8], value: &mut Vec<u8>) -> Result<&'t [u8], Wrong> {
    let mut bytes = text.iter();
    loop {
        match bytes.next().ok_or(Wrong::Form)? {
            b'"' => return Ok(bytes.as_slice()),
            b'\\' => value.push(match bytes.next().ok_or(Wrong::Form)? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                same @ (b'"' | b'\\' | b'$' | b'`') => *same,
                _ => return Err(Wrong::Form),
            }),
            byte => value.push(*byte),
        }
    }
}

/// The text at a path of keys in a JSON document; `None` where it isn't there, or something above it is null. Other values
/// are skipped, not kept.
pub(super) fn json_at(text: &[u8], path: &[&str]) -> Result<Option<Zeroizing<Vec<u8>>>, Wrong> {
    let Some((key, below)) = path.split_first() else { return Err(Wrong::Form) };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let mut twice = false;
    let found = Pick { key, below, twice: &mut twice }.deserialize(&mut reader);
    if twice {
        return Err(Wrong::Twice);
    }
    let found = found.map_err(|_| Wrong::Form)?;
    reader.end().map_err(|_| Wrong::Form)?;
    Ok(found)
}

struct Pick<'k> {
    key: &'k str,
    below: &'k [&'k str],
    twice: &'k mut bool,
}

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<Zeroizing<Vec<u8>>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<Zeroizing<Vec<u8>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { key, below, twice } = self;
        let mut found = None;
        let mut seen = false;
        while let Some(name) = map.next_key::<String>()? {
            if name != key {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if seen {
                *twice = true;
            }
            seen = true;
            found = match below.split_first() {
                Some((key, below)) => map.next_value_seed(Pick { key, below, twice: &mut *twice })?,
                None => Some(Zeroizing::new(map.next_value::<String>()?.into_bytes())),
            };
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
