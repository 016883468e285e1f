//! The JSON Schema of an integration's file, for editors. It is generated from the structures that read the file.

use serde_json::{Map, Value};

/// The JSON Schema of an integration's file, as it is checked in under `schema/integration.json`.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(crate::file::File);
    let mut text = serde_json::to_string_pretty(&sorted(schema.as_value())).unwrap_or_default();
    text.push('\n');
    text
}

/// With keys in their order. Another crate of the build may switch on that maps keep the order in which they were filled.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            let pairs = names.into_iter().filter_map(|name| Some((name.clone(), sorted(fields.get(name)?))));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
