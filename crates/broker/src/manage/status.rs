//! How the broker is, and sealing it.

use std::sync::Arc;

use model::Refusal;
use serde_json::{Value, json};

use super::{Managing, waiting};
use crate::sealed::Desk;

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
    let desk = Desk::of(&broker, &managing.unsealed, managing.admitted.permit.tenant());
    waiting(move || {
        let catalog = broker.catalog();
        Ok(json!({
            "state": "unsealed",
            "version": env!("CARGO_PKG_VERSION"),
            "tenant": settings.tenant,
            "environment": settings.environment,
            "integrations": catalog.names().len(),
            "policy_version": broker.policies()?.version().to_string(),
            "evidence": { "open_intents": open, "public_key": key, "verifier_key": vkey },
            "waiting": {
                "approvals": super::approvals::pending(&desk, broker.now())?,
                "plans": super::plans::proposed(&desk, broker.now())?,
            },
            "left_alone": broker.upstreams().left_alone(),
            "warnings": broker.warnings(),
        }))
    })
    .await
}
