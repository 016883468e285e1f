//! `agent.revoke`: a capability and all that is known to come from it are over, for good.

use std::sync::Arc;

use crypto::MacKey;
use model::{CapabilityId, Refusal, TenantName};
use serde_json::json;
use store::{Step, Storage, Table};

use super::ask::Revoke;
use super::row::{Revoked, Row};
use super::{Asker, answered, json as strict, key, known, stamp};
use crate::broker::Broker;
use crate::manage::{Done, Managing, unstored, waiting};

pub(crate) async fn revoke(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let asked: Revoke = strict::read(&managing.payload()?.text()?)?;
    let asker = Asker::of(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let tenant = managing.admitted.permit.tenant().clone();
    let line = known(&broker, &asker, &tenant, &asked.capability_id)?;
    let Some(last) = line.last() else { return Err(super::request::wrong("capability_id is required")) };
    let by = match asked.revoked_by.as_deref().filter(|text| !text.is_empty()) {
        // Who it is for the caller stands beside who the caller is.
        Some(claimed) => format!("{} ({})", managing.admitted.permit.principal(), bounded(claimed)),
        None => managing.admitted.permit.principal().to_string(),
    };
    let reason = asked.reason.as_deref().filter(|text| !text.is_empty()).map(bounded);
    let revoked = Revoked { at: broker.now(), by, reason };
    let before = before(&broker, &key(managing)?, &tenant, last.id).await?;
    let count = subtree(&broker, &key(managing)?, &tenant, (last.id, &revoked)).await?;
    // The first one stays on record, so that is what is told.
    let message =
        if before.is_some() { "Capability was revoked already" } else { "Capability revoked successfully" };
    let reason = before.as_ref().map_or(revoked.reason, |before| before.reason.clone());
    let fields = [
        ("status", "revoked".to_owned()),
        ("capability", last.id.to_string()),
        ("revoked", count.to_string()),
        ("reason", reason.unwrap_or_default()),
    ];
    let mut value = json!({
        "status": "revoked",
        "message": message,
        "capability_id": last.id,
        "revoked": count,
    });
    if let (Some(Revoked { at, by, reason }), Some(told)) = (before, value.as_object_mut()) {
        told.insert("before".to_owned(), json!({ "at": stamp(at), "by": by, "reason": reason }));
    }
    Ok(answered(value, &fields))
}

/// Who revoked it before, where somebody did.
async fn before(
    broker: &Arc<Broker>,
    key: &Arc<MacKey>,
    tenant: &TenantName,
    id: CapabilityId,
) -> Result<Option<Revoked>, Refusal> {
    let (storage, key, tenant) = (Arc::clone(broker.storage()), Arc::clone(key), tenant.clone());
    waiting(move || {
        let name = id.to_string();
        let value = storage.get(Table::Grants, &tenant, name.as_bytes()).map_err(|error| unstored(&error))?;
        Ok(value.and_then(|value| Row::read(&key, &tenant, name.as_bytes(), &value)?.row.revoked))
    })
    .await
}

/// Revokes a capability with all below it; says how many stood.
pub(crate) async fn subtree(
    broker: &Arc<Broker>,
    key: &Arc<MacKey>,
    tenant: &TenantName,
    (id, revoked): (CapabilityId, &Revoked),
) -> Result<usize, Refusal> {
    // First in memory: whatever becomes of the rows, it is over for this process.
    let over = broker.grants().revoke_named(id, revoked.at);
    let (storage, key, tenant) = (Arc::clone(broker.storage()), Arc::clone(key), tenant.clone());
    let (count, revoked) = (over.len(), revoked.clone());
    // Also where nothing stood any more: the row may be missing from an attempt that failed.
    let ids = if over.is_empty() { vec![id] } else { over };
    let steps = waiting(move || steps(&*storage, &key, &tenant, (&ids, &revoked))).await?;
    broker.rows().commit(steps).await?;
    Ok(count)
}

fn steps(
    storage: &dyn Storage,
    key: &MacKey,
    tenant: &TenantName,
    (ids, revoked): (&[CapabilityId], &Revoked),
) -> Result<Vec<Step>, Refusal> {
    let mut steps = Vec::with_capacity(ids.len());
    for id in ids {
        let name = id.to_string();
        let value = storage.get(Table::Grants, tenant, name.as_bytes()).map_err(|error| unstored(&error))?;
        let Some(found) = value.and_then(|value| Row::read(key, tenant, name.as_bytes(), &value)) else {
            continue;
        };
        let mut row = found.row;
        if row.revoked.is_none() {
            row.revoked = Some(revoked.clone());
            steps.extend(row.step(key, tenant).map(|(step, _)| step));
        }
    }
    Ok(steps)
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Longest reason, in characters.
const LONGEST: usize = 512;
