//! Structured log lines. Their fields are ids, names, codes and numbers; no text of a request, a reply or a secret has a way in. Why
//! something failed that isn't its caller's fault is told in the words of the refusal, which never hold a secret.

use std::time::Duration;

use catalog::Integration;
use evidence::Deed;
use model::{Call, Door, EvidenceId, Fault, Refusal};

use crate::path::record::Trace;

/// A call that was refused, by us.
pub(crate) fn refused(trace: &Trace, refusal: &Refusal) {
    let (integration, operation) = names(trace);
    tracing::info!(
        evidence = %trace.id(),
        door = Door::as_str(trace.door()),
        integration,
        operation,
        code = refusal.code.as_str(),
        "refused"
    );
}

/// A call that had an intent, and how it ended.
pub(crate) fn performed(call: &Call, took: Duration, refusal: Option<&Refusal>) {
    let (integration, operation) = (call.integration().as_str(), call.operation().as_str());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    match refusal {
        None => tracing::debug!(evidence = %call.id(), integration, operation, micros, "performed"),
        Some(refusal) => {
            let code = refusal.code.as_str();
            // What is the caller's fault may repeat what they sent; they are told.
            let ours = refusal.fault() != Fault::Caller;
            let reason = ours.then_some(refusal.message.as_str());
            tracing::warn!(evidence = %call.id(), integration, operation, micros, code, reason, "not performed");
        }
    }
}

/// A credential is about to go to somebody whose certificate nobody looks at.
pub(crate) fn unchecked(integration: &Integration) {
    tracing::warn!(
        integration = integration.name().as_str(),
        tls = "unchecked",
        "the upstream's certificate is not checked"
    );
}

/// Somebody asks for more than is usual, and says so. The reason stands in the evidence.
pub(crate) fn broken_glass(permit: &policy::Permit) {
    let call = permit.call();
    tracing::warn!(
        evidence = %call.id(),
        principal = permit.principal().as_str(),
        integration = call.integration().as_str(),
        operation = call.operation().as_str(),
        "the glass was broken"
    );
}

/// Something could not be recorded.
pub(crate) fn unrecorded(id: EvidenceId, error: &evidence::Error) {
    tracing::error!(evidence = %id, code = error.code().as_str(), "the evidence could not be written");
}

fn names(trace: &Trace) -> (&str, &str) {
    trace.deed().map_or(("", ""), |deed: &Deed| (deed.integration.as_str(), deed.operation.as_str()))
}
