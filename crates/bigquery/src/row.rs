//! A row of the table: the columns of the seed, made of what the store knows of a credential.

use model::Timestamp;
use serde_json::{Value, json};
use tenancy::{CredentialRow, Status};

use crate::marker::OpenRow;

/// The columns of a row but its bytes, its tenant and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) name: Option<String>,
    pub(crate) kind: String,
    pub(crate) status: String,
    /// Points in time are in microseconds.
    pub(crate) validated: Option<u64>,
    pub(crate) error: Option<String>,
    /// A JSON document.
    pub(crate) metadata: Option<String>,
    pub(crate) active: bool,
    pub(crate) by: Option<String>,
    pub(crate) created: u64,
    pub(crate) expires: Option<u64>,
    pub(crate) ends: Option<u64>,
}

/// What comes of the bytes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// They stay as they are.
    Keep,
    /// These take their place.
    Put(Vec<u8>),
    /// None are left.
    Erase,
}

/// A row that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) facts: Facts,
    pub(crate) bytes: Bytes,
}

impl Facts {
    /// What the store knows of a credential.
    pub(crate) fn of(row: &CredentialRow, active: bool) -> Self {
        let kind = if row.kind.is_empty() { UNKNOWN.to_owned() } else { row.kind.clone() };
        Self {
            id: row.id.to_string(),
            provider: row.provider.clone(),
            name: Some(row.name.clone()),
            kind,
            status: row.status.as_str().to_owned(),
            validated: row.validated.map(micros),
            error: row.error.clone(),
            metadata: Some(Value::Object(row.metadata.clone()).to_string()),
            active,
            by: Some(row.by.to_string()),
            created: micros(row.created),
            expires: Some(micros(row.expires)),
            ends: row.ends.map(micros),
        }
    }

    /// A row that was begun and of which the store knows nothing: it stays, so that a late statement can't make it.
    pub(crate) fn never_settled(id: &str, open: &OpenRow, begun: u64) -> Self {
        Self {
            id: id.to_owned(),
            provider: open.provider.clone(),
            name: None,
            kind: open.kind.clone(),
            status: Status::Invalid.as_str().to_owned(),
            validated: None,
            error: Some("it was never set up: what was begun did not come to its end".to_owned()),
            metadata: None,
            active: false,
            by: None,
            created: begun,
            expires: None,
            ends: None,
        }
    }

    /// The same, out of use.
    pub(crate) fn out_of_use(self) -> Self {
        Self { active: false, ..self }
    }

    pub(crate) fn open(&self, digest: Option<String>) -> OpenRow {
        OpenRow { provider: self.provider.clone(), kind: self.kind.clone(), digest }
    }
}

impl Write {
    /// As one structure of the parameter `rows`, with the fields of [`STRUCT`].
    pub(crate) fn value(&self, tenant: &str, revision: u64) -> Value {
        let Self { facts, bytes } = self;
        let number = |value: Option<u64>| value.map_or(Value::Null, |value| value.to_string().into());
        let bytes = match bytes {
            Bytes::Keep => Value::Null,
            Bytes::Put(sealed) => crypto::to_base64(sealed).into(),
            Bytes::Erase => "".into(),
        };
        let values = [
            json!(facts.id),
            json!(tenant),
            json!(facts.provider),
            json!(facts.name),
            bytes,
            json!(facts.kind),
            json!(facts.status),
            number(facts.validated),
            json!(facts.error),
            json!(facts.metadata),
            json!(if facts.active { "true" } else { "false" }),
            json!(facts.by),
            number(Some(facts.created)),
            number(Some(revision)),
            number(facts.expires),
            number(facts.ends),
        ];
        let fields = STRUCT.iter().zip(values);
        let fields: serde_json::Map<String, Value> =
            fields.map(|((name, ..), value)| ((*name).to_owned(), json!({ "value": value }))).collect();
        json!({ "structValues": fields })
    }
}

/// The type of the parameter `rows`.
pub(crate) fn struct_type() -> Value {
    let fields: Vec<Value> =
        STRUCT.iter().map(|(name, kind, _)| json!({ "name": name, "type": { "type": kind } })).collect();
    json!({ "type": "ARRAY", "arrayType": { "type": "STRUCT", "structTypes": fields } })
}

pub(crate) fn micros(at: Timestamp) -> u64 {
    at.millis().saturating_mul(1_000)
}

/// The columns that are written: their names, as what each comes as a parameter, and what makes the column of it.
pub(crate) const STRUCT: [(&str, &str, &str); 16] = [
    ("credential_id", "STRING", "r.credential_id"),
    ("org_slug", "STRING", "r.org_slug"),
    ("provider", "STRING", "r.provider"),
    ("credential_name", "STRING", "r.credential_name"),
    (BYTES, "STRING", "FROM_BASE64(r.encrypted_credential)"),
    ("credential_type", "STRING", "r.credential_type"),
    ("validation_status", "STRING", "r.validation_status"),
    ("last_validated_at", "INT64", "TIMESTAMP_MICROS(r.last_validated_at)"),
    ("last_error", "STRING", "r.last_error"),
    ("metadata", "STRING", "PARSE_JSON(r.metadata, wide_number_mode => 'round')"),
    ("is_active", "BOOL", "r.is_active"),
    ("created_by_user_id", "STRING", "r.created_by_user_id"),
    ("created_at", "INT64", "TIMESTAMP_MICROS(r.created_at)"),
    ("updated_at", "INT64", "TIMESTAMP_MICROS(r.updated_at)"),
    ("expires_at", "INT64", "TIMESTAMP_MICROS(r.expires_at)"),
    ("deactivation_scheduled_at", "INT64", "TIMESTAMP_MICROS(r.deactivation_scheduled_at)"),
];
pub(crate) const BYTES: &str = "encrypted_credential";
/// The kind of a credential that was set up before kinds were noted.
pub(crate) const UNKNOWN: &str = "UNKNOWN";
