//! What is said of a credential, in the words that programs of tenants know.

use std::collections::BTreeMap;

use model::{CredentialId, Timestamp};
use serde_json::{Value, json};
use tenancy::{CredentialRow, Status};

use crate::manage::Done;

/// What came of a credential; `replaced` is the one whose place it took.
pub(super) fn told(row: &CredentialRow, replaced: Option<CredentialId>, now: Timestamp) -> Done {
    let CredentialRow { id, provider, status, error, fingerprint, .. } = row;
    let shown = row.shown(now);
    let message = match status {
        _ if row.expires <= now => format!("{provider} credential is over: set it up again"),
        // Its provider was asked and did not say; what it said before holds.
        Status::Valid if error.is_some() => {
            format!("{provider} integration configured; its provider gave no answer now, and took it before")
        }
        Status::Valid => format!("{provider} integration configured and validated successfully"),
        Status::Invalid => {
            let why = error.as_deref().unwrap_or("Invalid API key");
            format!("{provider} credential validation failed: {why}")
        }
        Status::Pending => format!("{provider} integration configured (validation pending)"),
    };
    let mut fields = vec![
        ("provider", provider.clone()),
        ("status", shown.to_owned()),
        ("fingerprint", fingerprint.clone()),
    ];
    if *status == Status::Valid && error.is_some() {
        fields.push(("unanswered", "yes".to_owned()));
    }
    fields.extend(replaced.map(|id| ("replaced", id.to_string())));
    Done {
        value: json!({
            "success": shown == "VALID", "provider": provider, "credential_id": id,
            "validation_status": shown, "validation_error": error, "message": message,
        }),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        code: None,
    }
}

/// There is no credential that could be tried.
pub(super) fn none(code: &str) -> Done {
    json!({
        "success": false, "provider": code, "credential_id": null, "validation_status": "NOT_CONFIGURED",
        "validation_error": "Integration not configured",
        "message": "No integration found for the specified provider.",
    })
    .into()
}

/// A key that can't be one of this provider: nothing was kept.
pub(super) fn failed(code: &str, why: &str) -> Done {
    json!({
        "success": false, "provider": code, "credential_id": null, "validation_status": "FAILED",
        "validation_error": why,
        "message": format!("Failed to setup {code} integration. Please verify your credentials and try again."),
    })
    .into()
}

pub(super) fn described(code: &str, row: Option<&CredentialRow>, now: Timestamp) -> Value {
    match row {
        None => json!({
            "provider": code, "status": "NOT_CONFIGURED", "credential_name": null, "last_validated_at": null,
            "last_error": null, "created_at": null, "metadata": null,
        }),
        Some(row) => json!({
            "provider": code, "status": row.shown(now), "credential_name": row.name,
            "last_validated_at": row.validated, "last_error": row.error, "created_at": row.created,
            "metadata": row.metadata,
        }),
    }
}

/// The same in the words of our own API: of these bytes its `ETag` is made, and `If-Match` is compared with them.
#[must_use]
pub fn credential_shown(described: &Value) -> Value {
    let member = |name: &str| described.get(name).cloned().unwrap_or_default();
    json!({
        "provider": member("provider"), "status": member("status"), "name": member("credential_name"),
        "validated": member("last_validated_at"), "error": member("last_error"), "created": member("created_at"),
        "metadata": member("metadata"),
    })
}

/// Every row, for whoever looks after tenants.
pub(super) fn every(
    rows: &[CredentialRow],
    used: &BTreeMap<String, CredentialRow>,
    now: Timestamp,
) -> Vec<Value> {
    rows.iter()
        .map(|row| {
            let in_use = used.get(&row.provider).is_some_and(|used| used.id == row.id);
            json!({
                // The second one is how the credential API writes it.
                "credential_id": row.id, "uuid": row.id.to_uuid(), "provider": row.provider, "credential_name": row.name,
                "validation_status": row.shown(now), "last_validated_at": row.validated, "is_active": in_use,
                "created_at": row.created, "last_error": row.error, "deactivation_scheduled_at": row.ends,
                "fingerprint": row.fingerprint, "bytes": !row.gone,
            })
        })
        .collect()
}
