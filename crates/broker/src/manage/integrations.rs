//! Integrations: listed, shown, and added as files of the user's own.

use std::sync::Arc;

use catalog::Integration;
use model::{Code, IntegrationName, Refusal};
use serde_json::{Value, json};

use super::{Managing, waiting};
use crate::broker::refused;

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let catalog = managing.worker.broker().catalog();
    let stored = managing.unsealed.secrets().list(managing.admitted.permit.tenant()).await;
    let stored = stored.map_err(|error| refused(&error, error.code(), error.hint()))?;
    let mut shown = Vec::new();
    for name in catalog.names() {
        let integration = match catalog.get(&name) {
            Err(catalog::Error::Domain { .. }) => {
                shown.push(json!({ "name": name, "ready": false, "missing": ["domain"] }));
                continue;
            }
            found => found.map_err(|error| refused(&error, Code::BadRequest, error.hint()))?,
        };
        if integration.internal() {
            continue;
        }
        let missing: Vec<String> = integration
            .auth()
            .iter()
            .flat_map(catalog::AuthScheme::fields)
            .filter_map(|field| integration.secrets().get(field))
            .filter(|field| field.reference.scheme() == "store")
            .filter(|field| {
                !stored
                    .iter()
                    .any(|one| one.name.as_str() == field.reference.path() && !one.versions.is_empty())
            })
            .map(|field| field.reference.to_string())
            .collect();
        shown.push(json!({
            "name": name, "kind": integration.kind(), "title": integration.title(),
            "upstream": integration.upstream(), "operations": integration.operations().len(),
            "ready": missing.is_empty(), "missing": missing,
        }));
    }
    Ok(json!({ "integrations": shown }))
}

pub(super) fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let name = name(managing)?;
    let catalog = managing.worker.broker().catalog();
    let integration = catalog.get(&name).map_err(|error| refused(&error, Code::NotFound, error.hint()))?;
    Ok(described(&integration))
}

/// Writes a file into the user's folder, after the whole catalogue with it was read.
pub(super) async fn add(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let (name, text) = (name(managing)?, managing.payload()?.text()?);
    let broker = Arc::clone(managing.worker.broker());
    waiting(move || {
        let writing = broker.writing();
        let folder = broker.settings().layer.clone();
        let file = folder.join(format!("{name}.yaml"));
        if file.exists() {
            return Err(Refusal::new(Code::Conflict, format!("`{}` exists already", file.display()))
                .hint("edit the file, then `doorward doctor`"));
        }
        store::files::private_folder(&folder).map_err(|error| super::unstored(&error))?;
        store::files::replace(&file, text.as_bytes(), 0o600).map_err(|error| super::unstored(&error))?;
        if let Err(refusal) = broker.reload_while(&writing) {
            // The former set is still in force; the file that broke it goes, so that the next start finds none.
            let _ = std::fs::remove_file(&file);
            return Err(refusal);
        }
        let integration =
            broker.catalog().get(&name).map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
        let mut answer = described(&integration);
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("file".to_owned(), json!(file.display().to_string()));
        }
        Ok(answer)
    })
    .await
}

fn described(integration: &Integration) -> Value {
    let operations: Vec<Value> = integration
        .operations()
        .values()
        .map(|operation| {
            json!({
                "name": operation.name(), "title": operation.title(), "access": operation.access(),
                "risk": operation.risk(), "method": operation.method().map(model::Method::as_str),
                "inputs": operation.inputs().keys().collect::<Vec<_>>(), "scopes": operation.scopes(),
                "evidence": operation.evidence().collect::<Vec<_>>(), "docs": operation.docs(),
            })
        })
        .collect();
    let secrets: Vec<Value> = integration
        .secrets()
        .iter()
        .map(
            |(field, secret)| json!({ "field": field, "title": secret.title, "reference": secret.reference }),
        )
        .collect();
    let presets: Vec<Value> = integration
        .capabilities()
        .iter()
        .map(|(name, narrowing)| {
            json!({ "name": name, "title": narrowing.title(), "params": narrowing.params().keys().collect::<Vec<_>>() })
        })
        .collect();
    json!({
        "name": integration.name(), "kind": integration.kind(), "title": integration.title(), "docs": integration.docs(),
        "upstream": integration.upstream(), "base_path": integration.base_path(), "hosts": integration.hosts(),
        "secrets": secrets, "presets": presets, "operations": operations,
        "dangerous_allow_private": integration.dangerous_allow_private(),
        "tls_insecure_skip_verify": integration.tls_insecure_skip_verify(),
    })
}

fn name(managing: &Managing<'_>) -> Result<IntegrationName, Refusal> {
    managing
        .input("name")?
        .parse()
        .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}
