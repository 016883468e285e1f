//! The table is made where it is missing, and gets the columns that it lacks. Nothing is dropped, nothing retyped.

use serde_json::{Value, json};

use crate::Error;
use crate::row::STRUCT;
use crate::talk::{Statement, Talk};

/// Sees that dataset and table are there with every column; makes what is missing. Gives the columns that were added.
pub(crate) fn prepare(talk: &Talk) -> Result<Vec<&'static str>, Error> {
    let place = talk.place();
    let dataset = format!("/datasets/{}", place.dataset());
    if talk.find("look for its dataset", &dataset)?.is_none() {
        let mut made =
            json!({ "datasetReference": { "projectId": place.project(), "datasetId": place.dataset() } });
        if let (Some(location), Some(made)) = (place.location(), made.as_object_mut()) {
            made.insert("location".to_owned(), location.into());
        }
        talk.make("make its dataset", "/datasets", &made)?;
    }
    let table = format!("{dataset}/tables/{}", place.table());
    let Some(found) = talk.find("look for its table", &table)? else {
        talk.make("make its table", &format!("{dataset}/tables"), &whole(talk))?;
        return Ok(Vec::new());
    };
    let missing = missing(talk, &found)?;
    for (name, kind) in &missing {
        // A column that is added can't be `REQUIRED`, as there may be rows.
        let text = format!("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {name} {kind}", place.quoted());
        talk.carry_out(Statement { what: "add a column to its table", text: &text, parameters: Vec::new() })?;
    }
    Ok(missing.into_iter().map(|(name, _)| name).collect())
}

/// The columns that the table lacks, with their types.
///
/// # Errors
/// [`Error::Column`] for one that is there with another type.
pub(crate) fn missing(talk: &Talk, found: &Value) -> Result<Vec<(&'static str, &'static str)>, Error> {
    let fields = found.pointer("/schema/fields").and_then(Value::as_array);
    let fields = fields.ok_or(Error::Answer("describes no table"))?;
    let mut missing = Vec::new();
    for (name, wanted, _) in COLUMNS {
        let text = |field: &Value, key: &str| field.get(key).and_then(Value::as_str).map(str::to_owned);
        // BigQuery tells columns apart without their case.
        let is_it =
            |field: &&Value| text(field, "name").is_some_and(|known| known.eq_ignore_ascii_case(name));
        let Some(field) = fields.iter().find(is_it) else {
            missing.push((name, wanted));
            continue;
        };
        let kind = text(field, "type").unwrap_or_default();
        let plain = if kind == "BOOLEAN" { "BOOL" } else { kind.as_str() };
        let repeated = text(field, "mode").as_deref() == Some("REPEATED");
        if plain != wanted || repeated {
            let found = if repeated { format!("a list of {kind}") } else { kind };
            return Err(Error::Column { column: name, table: talk.place().to_string(), found, wanted });
        }
    }
    Ok(missing)
}

/// The table as it is made.
fn whole(talk: &Talk) -> Value {
    let place = talk.place();
    let fields: Vec<Value> = COLUMNS
        .iter()
        .map(|(name, kind, mode)| json!({ "name": name, "type": kind, "mode": mode }))
        .collect();
    json!({
        "tableReference": { "projectId": place.project(), "datasetId": place.dataset(), "tableId": place.table() },
        "description": "Credentials of tenants. Written by Doorward alone; encrypted_credential opens with its keys only.",
        "schema": { "fields": fields },
        "clustering": { "fields": ["org_slug", "provider", "validation_status"] },
    })
}

/// Where the table is made, and what the statements that write it name, in one place: `STRUCT` is a part of this.
const COLUMNS: [(&str, &str, &str); 22] = [
    ("credential_id", "STRING", "REQUIRED"),
    ("org_slug", "STRING", "REQUIRED"),
    ("provider", "STRING", "REQUIRED"),
    ("credential_name", "STRING", "NULLABLE"),
    ("encrypted_credential", "BYTES", "REQUIRED"),
    ("credential_type", "STRING", "REQUIRED"),
    ("validation_status", "STRING", "REQUIRED"),
    ("last_validated_at", "TIMESTAMP", "NULLABLE"),
    ("last_error", "STRING", "NULLABLE"),
    ("metadata", "JSON", "NULLABLE"),
    ("default_x_hierarchy_entity_id", "STRING", "NULLABLE"),
    ("default_x_hierarchy_entity_name", "STRING", "NULLABLE"),
    ("default_x_hierarchy_level_code", "STRING", "NULLABLE"),
    ("default_x_hierarchy_path", "STRING", "NULLABLE"),
    ("default_x_hierarchy_path_names", "STRING", "NULLABLE"),
    ("is_active", "BOOL", "REQUIRED"),
    ("created_by_user_id", "STRING", "NULLABLE"),
    ("updated_by_user_id", "STRING", "NULLABLE"),
    ("created_at", "TIMESTAMP", "REQUIRED"),
    ("updated_at", "TIMESTAMP", "NULLABLE"),
    ("expires_at", "TIMESTAMP", "NULLABLE"),
    ("deactivation_scheduled_at", "TIMESTAMP", "NULLABLE"),
];

const _: () = assert!(STRUCT.len() < COLUMNS.len(), "what is written are columns of the table");
