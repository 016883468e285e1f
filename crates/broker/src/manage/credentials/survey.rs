//! The credentials of all tenants at once, for the tenant of the house: how many there are, and which of them somebody has to look after.

use std::sync::Arc;

use serde_json::json;
use store::Table;
use tenancy::{Credentials, Standing};

use super::{Done, Managing, Stop, waiting};
use crate::manage::{tenants, unstored};

/// Every credential in use of the active tenants, by tenant and provider. Each tenant is a look into the store, so only so many are looked
/// at; `tenants` says how many.
pub(super) async fn of_all(managing: &Managing<'_>) -> Result<Done, Stop> {
    let _house = tenants::of_the_house(managing)?;
    let broker = Arc::clone(managing.worker.broker());
    let surveyed = waiting(move || {
        let (now, mut looked, mut all, mut connected) = (broker.now(), 0_usize, Vec::new(), 0_usize);
        for name in broker.storage().tenants(Table::Tenants).map_err(|error| unstored(&error))? {
            let found = broker.tenancy(&name)?.find(&name);
            if found.is_none_or(|row| row.standing() != Standing::Active) {
                continue;
            }
            if looked == MOST {
                break;
            }
            looked += 1;
            for (provider, row) in Credentials::new(&**broker.storage(), &name).in_use()? {
                let (status, at) = (row.shown(now), format!("{name}/{provider}"));
                connected += usize::from(status == "VALID");
                all.push(json!({
                    "at": at, "tenant": name, "provider": provider, "status": status, "connected": status == "VALID",
                    "name": row.name, "validated": row.validated, "error": row.error, "created": row.created,
                }));
            }
        }
        Ok(json!({ "tenants": looked, "configured": all.len(), "connected": connected, "credentials": all }))
    });
    Ok(surveyed.await?.into())
}

/// How many tenants are looked at.
const MOST: usize = 1000;
