//! Tables of text for people, from rows of JSON.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use super::problem::clean;
use super::{BOLD, styled};

/// A column: its heading, and the key of what stands in it; `a.b` is a key within a key.
pub(crate) type Column = (&'static str, &'static str);

/// A table of the entries of a list.
pub(crate) fn of(rows: &Value, columns: &[Column], empty: &str) -> String {
    let Some(rows) = rows.as_array().filter(|rows| !rows.is_empty()) else { return empty.to_owned() };
    let shown: Vec<&Column> =
        columns.iter().filter(|(_, key)| rows.iter().any(|row| !cell(at(row, key)).is_empty())).collect();
    let mut table = plain();
    table.set_header(shown.iter().map(|(heading, _)| heading.to_uppercase()));
    for row in rows {
        table.add_row(shown.iter().map(|(_, key)| clean(&cell(at(row, key)))));
    }
    finish(&table)
}

/// Lines of `name  value`; what is empty is left out. A value of several lines is set in, so that none of them passes for a name.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let indent = format!("\n{:width$}  ", "");
    let lines = facts.iter().filter(|(_, value)| !value.is_empty());
    lines
        .map(|(name, value)| {
            let (name, value) = (clean(&format!("{name:width$}")), clean(value).replace('\n', &indent));
            format!("{}  {value}\n", styled(BOLD, &name.replace('\n', " ")))
        })
        .collect()
}

/// What stands at a key of a row.
pub(crate) fn at<'a>(row: &'a Value, key: &str) -> &'a Value {
    key.split('.').fold(row, |value, part| value.get(part).unwrap_or(&Value::Null))
}

/// A value as people read it.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name} {}", cell(value)));
            fields.collect::<Vec<_>>().join("; ")
        }
    }
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

fn finish(table: &Table) -> String {
    let text = table.to_string();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
