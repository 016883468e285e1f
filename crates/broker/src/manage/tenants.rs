//! Tenants: made, listed, shown, erased. Only the tenant of the house does this.

use std::sync::Arc;

use model::{Code, Refusal, TenantName};
use policy::{Grant, GrantState};
use serde_json::{Value, json};
use store::{Batch, Storage, Table};

use super::seen::Seen;
use super::{Managing, unstored, waiting};
use crate::broker::{Broker, GrantRow};
use tenancy::{KeyRow, Plan, Standing, TenantRow};

/// Proof that whoever asks belongs to the tenant of the house.
#[must_use]
pub(super) struct OfTheHouse(());

/// Sees that the call is one of the tenant of the house. For others, other tenants do not exist.
pub(super) fn of_the_house(managing: &Managing<'_>) -> Result<OfTheHouse, Refusal> {
    if managing.admitted.permit.tenant() == &managing.worker.broker().settings().tenant {
        return Ok(OfTheHouse(()));
    }
    Err(Refusal::new(Code::NotFound, "tenants are looked after by the tenant of the house only"))
}

pub(super) async fn create(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let name = TenantRow::name(managing.input("name")?)?;
    let plan = managing.inputs.get("plan").map_or(Ok(Plan::default()), |plan| Plan::named(plan))?;
    let exists = || {
        Refusal::new(Code::Conflict, format!("there is a tenant `{name}` already"))
            .hint("a name is never used twice, also not after the tenant was erased")
    };
    if name == broker.settings().tenant || broker.tenancy(&name)?.find(&name).is_some() {
        return Err(exists());
    }
    let row = TenantRow { plan, created: broker.now(), erased: None };
    let bytes = serde_json::to_vec(&row).map_err(|_| exists())?;
    let batch = Batch::new().insert(Table::Tenants, &name, TenantRow::KEY.as_bytes(), bytes);
    managing.unsealed.secrets().add_tenant(&name, batch).await.map_err(|error| refused(&error))?;
    managing.unsealed.rekeyed();
    let shown = shown(&broker, &name, &row)?;
    broker.tenancy(&name)?.put_tenant(&name, row);
    Ok(shown)
}

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    waiting(move || {
        let mut all = Vec::new();
        for name in broker.storage().tenants(Table::Tenants).map_err(|error| unstored(&error))? {
            if let Some(row) = broker.tenancy(&name)?.find(&name) {
                all.push(shown(&broker, &name, &row)?);
            }
        }
        Ok(json!({ "tenants": all }))
    })
    .await
}

pub(super) fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = managing.worker.broker();
    let name = named(managing.input("name")?)?;
    let found = broker.tenancy(&name)?.find(&name);
    let row = found.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("there is no tenant `{name}`")).hint("`doorward tenant list`")
    })?;
    shown(broker, &name, &row)
}

/// Destroys the data keys of a tenant, and with them everything that was sealed for it. The evidence stays.
pub(super) async fn erase(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let name = named(managing.input("name")?)?;
    let now = broker.now();
    let mut row = TenantRow::clone(&*broker.tenancy(&name)?.active(&name)?);
    let _same = Seen::of(managing).still(&shown(&broker, &name, &row)?, &format!("the tenant `{name}`"))?;
    row.erased = Some(now);
    // First in memory: whatever becomes of the rows, nobody gets in as this tenant any more.
    let mut keys: Vec<KeyRow> = Vec::new();
    for kept in broker.tenancy(&name)?.keys_of(&name) {
        let mut key = kept.row.clone();
        key.revoked.get_or_insert(now);
        broker.tenancy(&name)?.put_key(&name, key.clone(), broker.principals())?;
        keys.push(key);
    }
    let grants: Vec<Arc<Grant>> =
        broker.grants().all().into_iter().filter(|grant| grant.tenant == name).collect();
    for grant in &grants {
        broker.grants().revoke(grant.id, now);
    }
    let (storage, owned, written) = (Arc::clone(broker.storage()), name.clone(), row.clone());
    let batch = waiting(move || {
        let mut batch =
            store::put(Batch::new(), &owned, TenantRow::KEY, &written).map_err(|error| unstored(&error))?;
        for key in &keys {
            batch = store::put(batch, &owned, &key.id.to_string(), key).map_err(|error| unstored(&error))?;
        }
        for grant in grants {
            let mut revoked = Grant::clone(&grant);
            revoked.state = GrantState::Revoked { at: now };
            let id = revoked.id.to_string();
            batch = store::put(batch, &owned, &id, &GrantRow(revoked)).map_err(|error| unstored(&error))?;
        }
        emptied(batch, (&*storage, &owned), &[Table::Secrets, Table::Credentials])
    })
    .await?;
    managing.unsealed.secrets().erase_tenant(&name, batch).await.map_err(|error| refused(&error))?;
    managing.unsealed.rekeyed();
    let shown = shown(&broker, &name, &row)?;
    broker.tenancy(&name)?.put_tenant(&name, row);
    let storage = Arc::clone(broker.storage());
    waiting(move || swept(&*storage, &name)).await?;
    Ok(shown)
}

/// Removes what was written for a tenant while its rows were read to be removed. What is written for one from here on is a conflict: its row
/// says that it is erased, and its keys are gone.
fn swept(storage: &dyn Storage, tenant: &TenantName) -> Result<(), Refusal> {
    let tables = [Table::Secrets, Table::Versions, Table::Credentials];
    let batch = emptied(Batch::new(), (storage, tenant), &tables)?;
    if batch.is_empty() { Ok(()) } else { storage.commit(&batch).map_err(|error| unstored(&error)) }
}

/// Adds the removal of every row that a tenant has in these tables.
fn emptied(
    mut batch: Batch,
    (storage, tenant): (&dyn Storage, &TenantName),
    tables: &[Table],
) -> Result<Batch, Refusal> {
    for table in tables {
        let each = store::each(storage, tenant, (*table, b""), &mut |row| {
            batch.push(store::Step::Delete(*table, tenant.clone(), row.key));
            Ok(())
        });
        each.map_err(|error| unstored(&error))?;
    }
    Ok(batch)
}

/// Another data key for a tenant, in place of the one before: done when nothing needs that one any more. Calls go on
/// meanwhile. What broke off goes on with the next such call, or by itself where a broker serves.
pub(super) async fn rotate(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let name = named(managing.input("name")?)?;
    let secrets = managing.unsealed.secrets();
    let rotated = secrets.rotate_key(&name).await;
    managing.unsealed.rekeyed();
    let sealed = rotated.map_err(|error| refused(&error))?;
    let rotation = secrets.rotation(&name).await.map_err(|error| refused(&error))?;
    Ok(json!({ "name": name, "status": "rotated", "version": rotation.version, "sealed_anew": sealed }))
}

/// Another key provider for all data keys of the house, while calls go on. What somebody types for it is the payload.
pub(super) async fn rewrap(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let unclear = |error: secrets::WrongChoice| {
        Refusal::new(Code::BadRequest, error.to_string()).hint("`doorward key-provider list` shows all")
    };
    let choice = secrets::KeyChoice::parse(managing.input("choice")?).map_err(unclear)?;
    let typed = match choice.asks() {
        Some(_) => Some(managing.payload()?.into_secret()),
        None => None,
    };
    let secrets = managing.unsealed.secrets();
    let provider = choice.provider(secrets.setup(), typed).map_err(unclear)?;
    let name = provider.name();
    let rewrapped = secrets.rewrap(provider).await;
    managing.unsealed.rekeyed();
    rewrapped.map_err(|error| refused(&error))?;
    Ok(json!({ "status": "changed", "key_provider": name }))
}

/// How far that is.
pub(super) async fn rotation(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let _house = of_the_house(managing)?;
    let name = named(managing.input("name")?)?;
    let rotation = managing.unsealed.secrets().rotation(&name).await.map_err(|error| refused(&error))?;
    let status = if rotation.older == 0 { "over" } else { "under way" };
    let secrets::Rotation { version, older, rows, left } = rotation;
    Ok(
        json!({ "name": name, "status": status, "version": version, "older": older, "rows": rows, "left": left }),
    )
}

/// A tenant's name as it was typed.
pub(super) fn named(text: &str) -> Result<TenantName, Refusal> {
    text.parse().map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}

fn shown(broker: &Broker, name: &TenantName, row: &TenantRow) -> Result<Value, Refusal> {
    let now = broker.now();
    let keys = broker.tenancy(name)?.keys_of(name);
    let active = keys.iter().filter(|kept| kept.row.state(now) == "active").count();
    let status = match row.standing() {
        Standing::Active => "active",
        Standing::Erased => "erased",
    };
    Ok(json!({
        "name": name, "status": status, "plan": row.plan, "providers": row.plan.providers(), "keys": active,
        "created": row.created, "erased": row.erased,
    }))
}

fn refused(error: &secrets::Error) -> Refusal {
    crate::broker::refused(error, error.code(), error.hint())
}
