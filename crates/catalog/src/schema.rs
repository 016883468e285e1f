//! The JSON Schema of an integration's file, for editors. It is generated from the structures that read the file.

/// The JSON Schema of an integration's file, as it is checked in under `schema/integration.json`.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(crate::file::File);
    let mut text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
