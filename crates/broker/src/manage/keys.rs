//! Keys for the API of a tenant: made, listed, rotated, revoked. Only the tenant of the house does this.

use std::sync::Arc;
use std::time::Duration;

use model::{Code, KeyId, Proof, Refusal, TenantName, Timestamp, parse_duration};
use serde_json::{Value, json};
use store::Batch;

use super::tenants::{named, of_the_house};
use super::{Managing, unstored, waiting};
use crate::broker::Broker;
use tenancy::{Fresh, Kept, KeyRow, Scope};

/// The answer holds the key: a bearer, shown once, of which only a MAC is kept.
pub(super) async fn create(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = managing.worker.broker();
    let tenant = named(managing.input("tenant")?)?;
    let scopes =
        managing.inputs.get("scopes").map_or_else(|| Ok(Scope::usual()), |text| Scope::list(text))?;
    let own = tenant == broker.settings().tenant;
    if own != scopes.iter().any(Scope::is_root) || (own && scopes.len() > 1) {
        let message = "a key of the tenant of the house has the scope `root` and no other, and no other tenant's has it";
        return Err(Refusal::new(Code::BadRequest, message));
    }
    // Or one that got out could make itself another that outlives it.
    if own && matches!(managing.admitted.identified.caller.proof(), Proof::ApiKey(_)) {
        return Err(Refusal::new(Code::Denied, "a key of the API makes no root key")
            .hint("`doorward key create --root`"));
    }
    if !own {
        let _there = broker.tenancy(&tenant)?.active(&tenant)?;
    }
    let expires = end(managing, "expires", broker.now())?;
    let fresh = Fresh::make(&tenant, &managing.unsealed.hashing_key())?;
    let mut row =
        fresh.row(new_id(broker)?, scopes, managing.admitted.permit.principal().clone(), broker.now());
    row.label = managing.inputs.get("label").cloned();
    row.expires = expires;
    keep(broker, &tenant, vec![row.clone()]).await?;
    Ok(told(&fresh, &tenant, &row))
}

pub(super) fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = managing.worker.broker();
    let tenant = named(managing.input("tenant")?)?;
    let now = broker.now();
    let tenancy = broker.tenancy(&tenant)?;
    if tenancy.find(&tenant).is_none() && tenant != broker.settings().tenant {
        let message = format!("there is no tenant `{tenant}`");
        return Err(Refusal::new(Code::NotFound, message).hint("`doorward tenant list`"));
    }
    let keys: Vec<Value> = tenancy
        .keys_of(&tenant)
        .iter()
        .map(|kept| {
            let KeyRow { id, label, scopes, created, expires, revoked, by, .. } = &kept.row;
            json!({
                "id": id, "state": kept.row.state(now), "label": label, "scopes": scopes, "created": created,
                "expires": expires, "revoked": revoked, "by": by,
            })
        })
        .collect();
    Ok(json!({ "tenant": tenant, "keys": keys }))
}

/// Makes the next key with the same scopes. The one before works until the overlap is over.
pub(super) async fn rotate(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = managing.worker.broker();
    let (tenant, now) = (named(managing.input("tenant")?)?, broker.now());
    let kept = found(broker, &tenant, managing.input("id")?)?;
    let mut before = kept.row.clone();
    if before.state(now) != "active" {
        let message = format!("the key `{}` is {}", before.id, before.state(now));
        return Err(Refusal::new(Code::Conflict, message).hint("`doorward key create` makes another one"));
    }
    let over = end(managing, "overlap", now)?.unwrap_or_else(|| now.after(OVERLAP));
    before.expires = Some(before.expires.map_or(over, |end| end.min(over)));
    let fresh = Fresh::make(&tenant, &managing.unsealed.hashing_key())?;
    let by = managing.admitted.permit.principal().clone();
    let mut row = fresh.row(new_id(broker)?, before.scopes.clone(), by, now);
    row.label.clone_from(&before.label);
    row.expires = end(managing, "expires", now)?;
    let answer = told(&fresh, &tenant, &row);
    keep(broker, &tenant, vec![row, before]).await?;
    Ok(answer)
}

pub(super) async fn revoke(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = managing.worker.broker();
    let tenant = named(managing.input("tenant")?)?;
    let mut row = found(broker, &tenant, managing.input("id")?)?.row.clone();
    row.revoked.get_or_insert(broker.now());
    // First in memory: whatever becomes of the row, it is over for this process.
    broker.tenancy(&tenant)?.put_key(&tenant, row.clone(), broker.principals())?;
    let id = row.id;
    keep(broker, &tenant, vec![row]).await?;
    Ok(json!({ "id": id, "tenant": tenant, "state": "revoked" }))
}

fn found(broker: &Broker, tenant: &TenantName, id: &str) -> Result<Arc<Kept>, Refusal> {
    let keys = broker.tenancy(tenant)?.keys_of(tenant);
    keys.into_iter().find(|kept| kept.row.id.to_string() == id).ok_or_else(|| {
        let message = format!("the tenant `{tenant}` has no such key");
        Refusal::new(Code::NotFound, message).hint(format!("`doorward key list --tenant {tenant}`"))
    })
}

/// Writes rows; a key counts from when its row is durable.
async fn keep(broker: &Arc<Broker>, tenant: &TenantName, rows: Vec<KeyRow>) -> Result<(), Refusal> {
    let mut batch = Batch::new();
    for row in &rows {
        batch = store::put(batch, tenant, &row.id.to_string(), row).map_err(|error| unstored(&error))?;
    }
    let (storage, owned) = (Arc::clone(broker.storage()), Arc::clone(broker));
    let tenant = tenant.clone();
    waiting(move || {
        let _writing = owned.writing();
        storage.commit(&batch).map_err(|error| unstored(&error))?;
        rows.into_iter().try_for_each(|row| owned.tenancy(&tenant)?.put_key(&tenant, row, owned.principals()))
    })
    .await
}

fn told(fresh: &Fresh, tenant: &TenantName, row: &KeyRow) -> Value {
    json!({
        "key": fresh.text.as_str(), "id": row.id, "tenant": tenant, "scopes": row.scopes, "label": row.label,
        "created": row.created, "expires": row.expires,
    })
}

fn new_id(broker: &Broker) -> Result<KeyId, Refusal> {
    Ok(KeyId::new(broker.now(), broker.random()?))
}

/// When something ends that is said as a duration.
fn end(managing: &Managing<'_>, input: &str, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = managing.inputs.get(input) else { return Ok(None) };
    let duration = parse_duration(text).map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))?;
    Ok(Some(now.after(duration)))
}

/// How long the key before works where nobody says.
const OVERLAP: Duration = Duration::from_secs(86_400);
