//! What the objects of a Kubernetes manifest say, value by value, so that two manifests can be compared line by line.
//!
//! # Invariants
//!
//! - What a Secret holds, what is called like a secret, texts of several lines and addresses with a password stand there as digests: an
//!   outline may become evidence, and whoever reads evidence is not shown what a release holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{reply, yaml};

/// The values of a manifest, each by its object and its path in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline(BTreeMap<String, String>);

impl Outline {
    /// The outline of a manifest. A document that can't be read as one is told by its digest.
    #[must_use]
    pub fn of(manifest: &str) -> Self {
        let mut values = BTreeMap::new();
        for (place, text) in documents(manifest).into_iter().enumerate() {
            match yaml::read_foreign::<Value>(&text, "a manifest") {
                Ok(Value::Null) => {}
                Ok(Value::Object(object)) => objects(&Value::Object(object), &mut values),
                Ok(_) | Err(_) => {
                    values.insert(format!("document {}", place + 1), digest(&text));
                }
            }
        }
        Self(values)
    }

    /// What differs from it in a later one: a line for each value that is gone (`-`) and each that is new (`+`), as many as evidence has room for.
    /// `None` where nothing does.
    #[must_use]
    pub fn difference(&self, later: &Self) -> Option<String> {
        let mut lines = Vec::new();
        let places: BTreeSet<&String> = self.0.keys().chain(later.0.keys()).collect();
        for place in places {
            let (was, is) = (self.0.get(place), later.0.get(place));
            if was != is {
                lines.extend(was.map(|value| format!("- {place}: {value}")));
                lines.extend(is.map(|value| format!("+ {place}: {value}")));
            }
        }
        (!lines.is_empty()).then(|| bounded(&lines))
    }
}

/// As many lines as there is room for, and how many more there are.
fn bounded(lines: &[String]) -> String {
    let mut text = String::new();
    for (told, line) in lines.iter().enumerate() {
        if text.len() + line.len() > MOST {
            return format!("{text}{BETWEEN}and {} more", lines.len() - told);
        }
        if told > 0 {
            text.push_str(BETWEEN);
        }
        text.push_str(line);
    }
    text
}

/// The documents of a manifest. A line `---` divides them, as Helm writes it.
fn documents(manifest: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in manifest.lines() {
        match documents.last_mut() {
            Some(document) if !line.trim_end().eq("---") => {
                document.push_str(line);
                document.push('\n');
            }
            _ => documents.push(String::new()),
        }
    }
    documents.retain(|document| document.lines().any(|line| !line.is_empty() && !line.starts_with('#')));
    documents
}

/// The values of an object, or of each in a list of objects.
fn objects(object: &Value, values: &mut BTreeMap<String, String>) {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or("?");
    if let Some(Value::Array(items)) = object.get("items").filter(|_| kind.ends_with("List")) {
        return items.iter().for_each(|item| objects(item, values));
    }
    let name = text("/metadata/name").unwrap_or("?");
    let within = text("/metadata/namespace").map_or_else(String::new, |namespace| format!("{namespace}/"));
    let object_name = reply::bounded(&format!("{kind}/{within}{name}"), LONGEST);
    let Value::Object(fields) = object else { return };
    for (field, value) in fields {
        let secret =
            kind == "Secret" && !matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "type");
        let hidden = if secret { Hidden::Yes } else { Hidden::No };
        flat(&format!("{object_name} {field}"), value, hidden.or(field), values);
    }
}

/// Whether what stands at a place is told by its digest only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    Yes,
    No,
}

impl Hidden {
    /// The same, or hidden where a name says that a secret stands there.
    fn or(self, name: &str) -> Self {
        let name: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        if SECRETS.iter().any(|word| name.contains(word)) { Self::Yes } else { self }
    }
}

fn flat(place: &str, value: &Value, hidden: Hidden, values: &mut BTreeMap<String, String>) {
    let told = match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                let at = format!("{place}.{}", reply::bounded(field, LONGEST));
                flat(&at, value, hidden.or(field), values);
            }
            return;
        }
        Value::Array(items) if !items.is_empty() => {
            for (number, item) in items.iter().enumerate() {
                // By its name an item is the same when others come before it.
                let name = item.get("name").and_then(Value::as_str);
                let shown = name.map_or_else(|| number.to_string(), |name| reply::bounded(name, LONGEST));
                flat(&format!("{place}[{shown}]"), item, hidden.or(name.unwrap_or_default()), values);
            }
            return;
        }
        Value::String(text) => {
            let long =
                text.len() > LONGEST || text.contains('\n') || text.contains('@') && text.contains("://");
            if long || hidden == Hidden::Yes { digest(text) } else { reply::bounded(text, LONGEST) }
        }
        Value::Number(number) if hidden == Hidden::Yes => digest(&number.to_string()),
        other => other.to_string(),
    };
    values.insert(place.to_owned(), told);
}

/// Enough of a digest to tell that something changed.
fn digest(text: &str) -> String {
    let digest = crypto::to_hex(&crypto::sha256(&[text.as_bytes()]));
    format!("sha256:{}", digest.get(..16).unwrap_or_default())
}

/// Words in the name of what is a secret.
const SECRETS: [&str; 8] =
    ["password", "passwd", "secret", "token", "apikey", "credential", "privatekey", "lastapplied"];
/// What stands between two lines: evidence holds no line breaks.
const BETWEEN: &str = " ⏎ ";
/// Longest value that is told as it is.
const LONGEST: usize = 96;
/// Room for lines in one field of the evidence.
const MOST: usize = 1_900;

#[cfg(test)]
mod tests;
