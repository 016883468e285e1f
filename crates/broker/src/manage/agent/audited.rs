//! What of an operation of the agent goes into the audit log, where there is one, before its answer.

use std::sync::Arc;

use model::{CapabilityId, Code, Door, Holder, Refusal};
use serde_json::{Map, Value, json};

use super::row::{Revoked, reached};
use super::{Asker, key, revoke, stamp};
use crate::agent::{Called, Deed};
use crate::manage::{Done, Question, waiting};

/// Writes the line of an operation. A grant whose line can't be written is taken back.
pub(crate) async fn audited(managing: &Question<'_>, result: Result<Done, Refusal>) -> Result<Done, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let operation = managing.admitted.permit.call().operation().as_str();
    let (Some(log), Some(kind)) = (broker.audit(), kind(operation)) else { return result };
    let now = broker.now();
    let line = line(managing, kind, &result);
    let done = result.as_ref().ok().filter(|done| done.code.is_none());
    // A capability that was made is taken back; everything else that was done stays done.
    let makes = matches!(operation, "agent.request" | "agent.narrow");
    let deed = if makes || done.is_none() { Deed::Undone } else { Deed::Done };
    let written =
        if kind == VALIDATION { log.note(line, now).await } else { log.write(line, (deed, now)).await };
    let Err(refusal) = written else { return result };
    let made = done.and_then(|done| field(done, "capability"));
    if makes && let Some(id) = made.and_then(|text| text.parse::<CapabilityId>().ok()) {
        let reason = Some("the audit log could not be written".to_owned());
        let revoked = Revoked { at: now, by: "doorward".to_owned(), reason };
        let tenant = managing.admitted.permit.tenant();
        // In memory it is over whatever becomes of the row; the answer is a refusal either way.
        if let Err(error) = revoke::subtree(&broker, &key(managing)?, tenant, (id, &revoked)).await {
            tracing::error!(%error, capability = %id, "a capability could not be taken back on the disk");
        }
    }
    let what = match (operation, done) {
        ("agent.revoke", Some(_)) => {
            format!("`{}` is revoked, but its line is still owed", made.unwrap_or_default())
        }
        (_, Some(_)) if !makes => {
            "it was done and counts, but is not answered, for its line is still owed".to_owned()
        }
        _ => "nothing was done".to_owned(),
    };
    Err(Refusal { message: format!("{what}: {}", refusal.message), ..refusal })
}

/// Sees that the line of an operation can be written, before a use is spent on it.
pub(crate) async fn writable(managing: &Question<'_>) -> Result<(), Refusal> {
    let Some(log) = managing.worker.broker().audit() else { return Ok(()) };
    let unwritten = |refusal: Refusal| {
        let message = format!("nothing was done: {}", refusal.message);
        Refusal { message, ..refusal }
    };
    waiting(move || log.room()).await.map_err(unwritten)
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
    let about = About::of(managing, (operation, result));
    let value = json!({
        "id": format!("audit_{}", id.to_string().trim_start_matches("evd_")),
        "timestamp": stamp(now),
        "type": kind,
        "category": "security",
        "severity": severity,
        "source_identity": about.who,
        "target_resource": about.resource,
        "action": about.action,
        "operation": operation,
        "outcome": outcome,
        "description": message.unwrap_or(operation),
        "capability_id": told("capability"),
        "policy_id": policies(result),
        "request_id": told("request"),
        "session_id": holder.cgroup.as_deref().and_then(super::request::session),
        "client": client(holder, managing.admitted.identified.caller.door()),
        "call": told("call"),
        "error": code.map(Code::as_str),
        "evidence": id,
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Who asked, and where, as a line says it.
pub(crate) fn client(holder: &Holder, door: Door) -> Value {
    json!({
        "uid": holder.uid, "gid": holder.gid, "cgroup": holder.cgroup, "unit": holder.unit,
        "container": holder.container.as_ref().map(|container| container.id.as_str()),
        "run": holder.run.map(|run| run.to_string()),
        "door": door.as_str(),
    })
}

/// Who did what, on what, as far as that is known.
struct About {
    who: String,
    action: String,
    resource: String,
}

impl About {
    fn of(managing: &Question<'_>, (operation, result): (&str, &Result<Done, Refusal>)) -> Self {
        let broker = managing.worker.broker();
        let told = |name: &str| {
            let text = result.as_ref().ok().and_then(|done| field(done, name));
            text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
        };
        let proven = || {
            let holder = Asker::of(managing).ok()?.facts.holder;
            Some(Called::of(&broker.agent().config, &holder, None).ok()?.name)
        };
        let principal = || managing.admitted.permit.principal().to_string();
        // What the capability is for, which an answer does not repeat.
        let id = told("capability").or_else(|| told("parent")).and_then(|id| id.parse::<CapabilityId>().ok());
        let named = id.and_then(|id| broker.grants().named(id));
        let (actions, resource) = named.map_or((Vec::new(), None), |named| reached(&named.caveats));
        let actions = || actions.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(",");
        let action = match operation {
            "agent.validate" => "validate".to_owned(),
            "agent.revoke" => "revoke".to_owned(),
            "agent.reveal" => "read".to_owned(),
            "agent.append" => "write".to_owned(),
            _ => told("actions").unwrap_or_else(actions),
        };
        Self {
            who: told("identity").or_else(proven).unwrap_or_else(principal),
            action: Some(action).filter(|text| !text.is_empty()).unwrap_or_else(|| operation.to_owned()),
            resource: told("resource").or_else(|| Some(resource?.to_string())).unwrap_or_default(),
        }
    }
}

/// The policies that decided, where some did.
fn policies(result: &Result<Done, Refusal>) -> Option<String> {
    let applied = result.as_ref().ok()?.value.get("policy_result")?.get("applied_policies")?.as_array()?;
    Some(applied.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
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
