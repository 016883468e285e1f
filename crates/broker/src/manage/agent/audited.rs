//! What of an operation of the agent goes into the audit log, where there is one, before its answer.

use std::sync::Arc;

use model::{CapabilityId, Code, Refusal};
use serde_json::{Map, Value, json};

use super::row::Revoked;
use super::{key, revoke, stamp};
use crate::manage::{Done, Question};

/// Writes the line of an operation. A grant whose line can't be written is taken back.
pub(crate) async fn audited(managing: &Question<'_>, result: Result<Done, Refusal>) -> Result<Done, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let operation = managing.admitted.permit.call().operation().as_str();
    let (Some(log), Some(kind)) = (broker.audit(), kind(operation)) else { return result };
    let now = broker.now();
    let line = line(managing, kind, &result);
    let written = if kind == VALIDATION { log.note(line, now).await } else { log.write(line, now).await };
    let Err(refusal) = written else { return result };
    let made =
        result.as_ref().ok().filter(|done| done.code.is_none()).and_then(|done| field(done, "capability"));
    if matches!(operation, "agent.request" | "agent.narrow")
        && let Some(id) = made.and_then(|text| text.parse::<CapabilityId>().ok())
    {
        let reason = Some("the audit log could not be written".to_owned());
        let revoked = Revoked { at: now, by: "doorward".to_owned(), reason };
        let tenant = managing.admitted.permit.tenant();
        // In memory it is over whatever becomes of the row; the answer is a refusal either way.
        if let Err(error) = revoke::subtree(&broker, &key(managing)?, tenant, (id, &revoked)).await {
            tracing::error!(%error, capability = %id, "a capability could not be taken back on the disk");
        }
    }
    Err(refusal)
}

fn line(managing: &Question<'_>, kind: &str, result: &Result<Done, Refusal>) -> Map<String, Value> {
    let permit = &managing.admitted.permit;
    let holder = &managing.admitted.identified.caller.facts().holder;
    let (id, operation) = (permit.call().id(), permit.call().operation().as_str());
    let now = managing.worker.broker().now();
    let (outcome, code, message) = match result {
        // That a capability does not hold is what its check found, and no refusal.
        Ok(done) if field(done, "valid") == Some("false") => {
            ("denied", Some(Code::Denied), field(done, "finding"))
        }
        Ok(done) => match done.code {
            None => ("success", None, None),
            Some(code) => ("denied", Some(code), done.value.get("message").and_then(Value::as_str)),
        },
        Err(refusal) => ("failure", Some(refusal.code), Some(refusal.message.as_str())),
    };
    let told = |name: &str| result.as_ref().ok().and_then(|done| field(done, name)).unwrap_or_default();
    let severity = match code {
        None => "info",
        Some(Code::Denied | Code::Revoked | Code::UsesExhausted | Code::Unauthenticated) => "warning",
        Some(_) => "error",
    };
    let identity = Some(told("identity")).filter(|name| !name.is_empty());
    let value = json!({
        "id": format!("audit_{}", id.to_string().trim_start_matches("evd_")),
        "timestamp": stamp(now),
        "type": kind,
        "category": "security",
        "severity": severity,
        "source_identity": identity.unwrap_or_else(|| permit.principal().as_str()),
        "target_resource": Some(told("resource")).filter(|text| !text.is_empty()).unwrap_or_else(|| told("reach")),
        "action": Some(told("actions")).filter(|text| !text.is_empty()).unwrap_or(operation),
        "operation": operation,
        "outcome": outcome,
        "description": message.unwrap_or(operation),
        "capability_id": told("capability"),
        "request_id": told("request"),
        "client": { "uid": holder.uid, "cgroup": holder.cgroup, "door": managing.admitted.identified.caller.door().as_str() },
        "error": code.map(Code::as_str),
        "evidence": id,
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn field<'a>(done: &'a Done, name: &str) -> Option<&'a str> {
    done.fields.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

/// The word of an operation; `None` for those that leave no line.
fn kind(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "agent.request" => "capability_request",
        "agent.narrow" => "capability_narrow",
        "agent.validate" => VALIDATION,
        "agent.revoke" => "capability_revocation",
        "agent.use" => "capability_use",
        "agent.reveal" => "secret_read",
        "agent.append" => "log_append",
        _ => return None,
    })
}

const VALIDATION: &str = "capability_validation";
