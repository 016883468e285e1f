//! `-params k=v,k=v`: texts, or JSON where a value begins like it.

use serde_json::Value;

use crate::flags::Error;
use crate::yaml::Node;

/// Reads parameters.
pub(super) fn read(text: &str) -> Result<Node, Error> {
    let mut entries: Vec<(String, Node)> = Vec::new();
    for part in split(text) {
        let (name, value) =
            part.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(|| {
                Error::new("`-params` is written `NAME=VALUE`, several with commas between them")
            })?;
        let name = name.trim().to_owned();
        if entries.iter().any(|(known, _)| *known == name) {
            return Err(Error::new(format!("the parameter {} is there twice", crate::flags::shown(&name))));
        }
        entries.push((name.clone(), self::value(&name, value)?));
    }
    Ok(Node::Map(entries))
}

fn value(name: &str, text: &str) -> Result<Node, Error> {
    match text.trim_start().chars().next() {
        Some('[' | '{' | '"') => {
            let value: Value = serde_json::from_str(text)
                .map_err(|_| Error::new(format!("the value of {} is no JSON", crate::flags::shown(name))))?;
            Ok(Node::of(&value))
        }
        _ => Ok(match text {
            "null" => Node::Nothing,
            "true" => Node::Flag(true),
            "false" => Node::Flag(false),
            _ => Node::text(text),
        }),
    }
}

/// Splits at commas that stand neither in brackets nor in quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0_u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}
