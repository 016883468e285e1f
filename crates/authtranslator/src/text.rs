//! Our integration file as text: one key a line, what belongs together in one line, every doubtful text quoted.

use std::fmt::Write as _;

use serde_json::Value;

/// The text of these keys, in this order. What is written is JSON inside of block YAML, which has one reading.
pub(crate) fn document(keys: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (key, value) in keys {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let _ = writeln!(text, "{key}:");
                for (name, value) in fields {
                    let _ = writeln!(text, "  {}: {}", scalar(name), flow(value));
                }
            }
            Value::Array(items) if !items.is_empty() => {
                let _ = writeln!(text, "{key}:");
                for item in items {
                    let _ = writeln!(text, "  - {}", flow(item));
                }
            }
            other => {
                let _ = writeln!(text, "{key}: {}", flow(other));
            }
        }
    }
    text
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let pairs: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text, quoted as JSON does where it could be read as something else.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if begins && text.chars().all(plain) && !words.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}
