//! JSON values as YAML, for `--format yaml`. Every text that is not plainly a word is quoted, so that nothing is read as
//! something else.

use serde_json::Value;

/// A document with its line end.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => block(&mut text, value, 0),
        Value::Array(list) if !list.is_empty() => block(&mut text, value, 0),
        other => text.push_str(&format!("{}\n", inline(other))),
    }
    text
}

fn block(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                text.push_str(&format!("{indent}{}:", scalar(name)));
                entry(text, value, depth);
            }
        }
        Value::Array(list) => {
            for value in list {
                text.push_str(&format!("{indent}-"));
                entry(text, value, depth);
            }
        }
        other => text.push_str(&format!("{indent}{}\n", inline(other))),
    }
}

fn entry(text: &mut String, value: &Value, depth: usize) {
    let nested = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    if nested {
        text.push('\n');
        block(text, value, depth + 1);
    } else {
        text.push_str(&format!(" {}\n", inline(value)));
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        // YAML reads what JSON writes of the others: `null`, `true`, `1.5`, `{}`, `[]`.
        other => other.to_string(),
    }
}

/// A text, quoted as JSON does where it could be read as something else.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = words.contains(&text.to_ascii_lowercase().as_str());
    if begins && text.chars().all(plain) && !is_word {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests;
