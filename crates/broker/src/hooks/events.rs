//! What is told: events by name, each made of a record of the evidence.

use ::evidence::{Ended, EndedWhat, Ending, Intent, Outcome, Refused};
use model::{Code, TenantName, Timestamp};
use serde_json::{Map, Value, json};

/// Something that is told.
pub(crate) struct Event {
    /// Its name, one of [`EVENTS`].
    pub(crate) name: &'static str,
    data: Map<String, Value>,
}

/// The events that a record is: none, one, or two, where a credential that took the place of another was validated.
pub(crate) fn of(ended: &Ended) -> Vec<Event> {
    match &ended.what {
        EndedWhat::Call(intent, outcome) => {
            let data = called(intent, outcome);
            let named = names(intent.deed.integration.as_str(), intent.deed.operation.as_str(), outcome);
            named.into_iter().map(|name| Event { name, data: data.clone() }).collect()
        }
        EndedWhat::Refused(refused) => waiting(refused).into_iter().collect(),
    }
}

/// What a call of Doorward itself is told as.
fn names(integration: &str, operation: &str, outcome: &Outcome) -> Vec<&'static str> {
    if integration != HOUSE {
        return Vec::new();
    }
    let field =
        |name: &str| outcome.fields.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str());
    match operation {
        "credential.setup" | "credential.update" | "credential.validate" => {
            let standing = match field("status") {
                // What its provider said before is no news.
                Some("VALID") if field("unanswered").is_none() => Some("credential.validated"),
                Some("INVALID") => Some("credential.failed"),
                Some("EXPIRED") => Some("credential.expired"),
                _ => None,
            };
            standing.into_iter().chain(field("replaced").map(|_| "credential.rotated")).collect()
        }
        // One that could not begin says nothing of the plan.
        "plan.run" | "plan.resume" => {
            let over = field("state").filter(|state| !matches!(*state, "asking" | "running"));
            over.map(|_| "plan.finished").into_iter().collect()
        }
        _ if outcome.ending != Ending::Done => Vec::new(),
        _ => OPERATIONS.iter().filter(|(one, _)| *one == operation).map(|(_, name)| *name).collect(),
    }
}

fn called(intent: &Intent, outcome: &Outcome) -> Map<String, Value> {
    let fields: Map<String, Value> =
        outcome.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    said(&[
        ("evidence", json!(intent.id)),
        ("principal", json!(intent.principal)),
        ("operation", json!(format!("{HOUSE}/{}", intent.deed.operation))),
        ("resource", json!(intent.deed.resource)),
        ("result", json!(outcome.ending.as_str())),
        ("fields", Value::Object(fields)),
    ])
}

/// A call that waits for somebody's answer: it was refused until there is one.
fn waiting(refused: &Refused) -> Option<Event> {
    let deed = refused.deed.as_ref().filter(|_| refused.code == Code::ApprovalRequired)?;
    let data = said(&[
        ("evidence", json!(refused.id)),
        ("principal", json!(refused.principal)),
        ("operation", json!(format!("{}/{}", deed.integration, deed.operation))),
        ("resource", json!(deed.resource)),
        ("result", json!("refused")),
        ("fields", json!({})),
    ]);
    Some(Event { name: "approval.waiting", data })
}

/// What is sent: the document of Standard Webhooks, `type`, `timestamp` and `data`.
pub(crate) fn body(event: &Event, chain: &TenantName, at: Timestamp) -> String {
    let mut data = event.data.clone();
    let about = data.get("resource").and_then(Value::as_str).and_then(about).unwrap_or(chain.as_str());
    data.insert("tenant".to_owned(), json!(about));
    json!({ "type": event.name, "timestamp": at, "data": data }).to_string()
}

/// The tenant that a resource is of. What the house does for a tenant stands in the chain of the house.
fn about(resource: &str) -> Option<&str> {
    let (kind, rest) = resource.split_once(':')?;
    matches!(kind, "credential" | "key" | "tenant").then(|| rest.split('/').next()).flatten()
}

/// What is sent to see whether it arrives.
pub(crate) fn test(house: &TenantName, at: Timestamp) -> String {
    json!({ "type": TEST, "timestamp": at, "data": { "tenant": house } }).to_string()
}

fn said(pairs: &[(&str, Value)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Operations that are told when they are done.
const OPERATIONS: [(&str, &str); 19] = [
    ("approval.decide", "approval.decided"),
    ("capability.request", "capability.created"),
    ("capability.revoke", "capability.revoked"),
    ("credential.delete", "credential.deleted"),
    ("key.create", "key.created"),
    ("key.revoke", "key.revoked"),
    ("key.rotate", "key.rotated"),
    ("plan.cancel", "plan.finished"),
    ("plan.create", "plan.proposed"),
    ("plan.decide", "plan.decided"),
    ("policy.forget", "policy.changed"),
    ("policy.put", "policy.changed"),
    ("role.grant", "role.changed"),
    ("role.revoke", "role.changed"),
    ("secret.forget", "secret.changed"),
    ("secret.put", "secret.changed"),
    ("secret.rotate", "secret.changed"),
    ("tenant.create", "tenant.created"),
    ("tenant.erase", "tenant.erased"),
];

/// Every event, as subscriptions name it.
pub(crate) const EVENTS: [&str; 20] = [
    "approval.decided",
    "approval.waiting",
    "capability.created",
    "capability.revoked",
    "credential.deleted",
    "credential.expired",
    "credential.failed",
    "credential.rotated",
    "credential.validated",
    "key.created",
    "key.revoked",
    "key.rotated",
    "plan.decided",
    "plan.finished",
    "plan.proposed",
    "policy.changed",
    "role.changed",
    "secret.changed",
    "tenant.created",
    "tenant.erased",
];
/// The event of a test. Whoever asks for a test gets it, and nobody else.
pub(crate) const TEST: &str = "webhook.test";
const HOUSE: &str = "doorward";
