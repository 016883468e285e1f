//! How the broker is, and sealing it.

use std::sync::Arc;

use model::Refusal;
use serde_json::{Value, json};

use super::{Managing, waiting};

pub(super) fn metrics(managing: &Managing<'_>) -> Value {
    json!({ "text": managing.worker.broker().metrics_text() })
}

/// The outcome of this very call is still recorded: the log ends when the last call that began unsealed has ended.
pub(super) async fn seal(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let announced = managing.worker.lane(&managing.unsealed).announce(evidence::Notice::Sealed).await;
    // Keys are dropped even where that could not be written: sealing is what was asked for, and the intent is durable.
    managing.worker.broker().seal();
    announced.map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
    Ok(json!({ "state": "sealed" }))
}

pub(super) async fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let settings = broker.settings().clone();
    let (open, key) = (
        managing.unsealed.log().open_intents(),
        crypto::to_hex(managing.unsealed.log().public_key().as_bytes()),
    );
    let vkey =
        evidence::verifier_key(managing.unsealed.log().origin(), &managing.unsealed.log().public_key());
    waiting(move || {
        let catalog = broker.catalog();
        let mut warnings = Vec::new();
        if settings.development {
            warnings.push("development mode: loopback callers need no capability".to_owned());
        }
        if let Some(wrong) = broker.failed_reload() {
            warnings.push(format!("what was in force is still in force: {wrong}"));
        }
        for name in catalog.names() {
            let Ok(integration) = catalog.get(&name) else { continue };
            if integration.dangerous_allow_private() {
                warnings.push(format!("`{name}` may reach private addresses (dangerous_allow_private)"));
            }
            if integration.tls_insecure_skip_verify() {
                warnings.push(format!(
                    "`{name}` does not check the upstream's certificate (tls_insecure_skip_verify)"
                ));
            }
        }
        warnings.extend(broker.stale_secrets().into_iter().map(|stale| {
            let secrets::Stale { reference, fetched, until, why } = stale;
            format!("`{reference}` was read at {fetched} and is lent until {until}, as it can't be read again: {why}")
        }));
        Ok(json!({
            "state": "unsealed",
            "version": env!("CARGO_PKG_VERSION"),
            "tenant": settings.tenant,
            "environment": settings.environment,
            "integrations": catalog.names().len(),
            "policy_version": broker.policies()?.version().to_string(),
            "evidence": { "open_intents": open, "public_key": key, "verifier_key": vkey },
            "warnings": warnings,
        }))
    })
    .await
}
