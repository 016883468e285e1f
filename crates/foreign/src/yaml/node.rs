//! What is written into a file: values in the order in which they are to stand.

use serde_json::Value;

/// A value in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// Nothing.
    Nothing,
    /// A list.
    List(Vec<Node>),
    /// Keys and values.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Keys and values.
    pub fn map<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The same without an order.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
            Self::Nothing => Value::Null,
            Self::List(items) => items.iter().map(Self::value).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value.value())).collect(),
        }
    }

    /// A value in an order: that of its keys.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => {
                number.as_i64().map_or_else(|| Self::text(number.to_string()), Self::Number)
            }
            Value::String(text) => Self::text(text.as_str()),
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(entries) => {
                Self::Map(entries.iter().map(|(key, value)| (key.clone(), Self::of(value))).collect())
            }
        }
    }

    /// As block YAML, each line with its end.
    #[must_use]
    pub fn block(&self) -> String {
        let mut out = String::new();
        match self {
            Self::List(items) if !items.is_empty() => list(items, 0, &mut out),
            Self::Map(entries) if !entries.is_empty() => map(entries, 0, &mut out),
            scalar => {
                scalar.flow(&plain_or_quoted, &mut out);
                out.push('\n');
            }
        }
        out
    }

    /// As JSON on one line, the keys in this order.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        self.flow(&quoted, &mut out);
        out
    }

    fn flow(&self, text_as: &dyn Fn(&str) -> String, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&text_as(text)),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Nothing => out.push_str("null"),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    item.flow(text_as, out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    out.push_str(&text_as(key));
                    out.push_str(": ");
                    value.flow(text_as, out);
                }
                out.push('}');
            }
        }
    }
}

fn map(entries: &[(String, Node)], indent: usize, out: &mut String) {
    for (key, value) in entries {
        out.push_str(&" ".repeat(indent));
        out.push_str(&plain_or_quoted(key));
        out.push(':');
        match value {
            Node::List(items) if !items.is_empty() => {
                out.push('\n');
                list(items, indent + 2, out);
            }
            Node::Map(inner) if !inner.is_empty() => {
                out.push('\n');
                map(inner, indent + 2, out);
            }
            scalar => {
                out.push(' ');
                scalar.flow(&plain_or_quoted, out);
                out.push('\n');
            }
        }
    }
}

fn list(items: &[Node], indent: usize, out: &mut String) {
    for item in items {
        out.push_str(&" ".repeat(indent));
        out.push_str("- ");
        match item {
            Node::Map(entries) if !entries.is_empty() => {
                let mut inner = String::new();
                map(entries, indent + 2, &mut inner);
                out.push_str(inner.trim_start_matches(' '));
            }
            other => {
                other.flow(&plain_or_quoted, out);
                out.push('\n');
            }
        }
    }
}

/// Text as a YAML scalar that every reader takes for this text, YAML 1.1 or 1.2: plain where it is plainly a word, else quoted
/// as JSON does, which is YAML as well.
fn plain_or_quoted(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ':' | '@' | '%' | '+' | '=' | '-')
    };
    let word = text.to_ascii_lowercase();
    let means_something =
        matches!(&*word, "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n");
    if starts && text.chars().all(plain) && !text.ends_with(':') && !means_something {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A JSON string of printable ASCII and letters of other scripts: what is invisible is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            // YAML knows no surrogate pairs, and both know what stands beyond them as it is.
            c if c.is_alphanumeric() || c > '\u{ffff}' => out.push(c),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
