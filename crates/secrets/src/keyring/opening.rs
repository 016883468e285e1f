//! Opening a home and its tenants, and wrapping data keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::{DataKey, Kind, Place, Wrapped};
use model::TenantName;
use store::{Batch, Storage, Table};

use super::{Keyring, Opened};
use crate::home::{Home, Wrapper, wrapped};
use crate::keys::{HouseKeys, TenantKeys};
use crate::provider::{Facts, KeyWrap};
use crate::{Error, RecoveryKey};

pub(super) fn open_home(
    storage: &dyn Storage,
    home: Home,
    primary: Arc<dyn KeyWrap>,
    provider: &'static str,
) -> Result<Keyring, Error> {
    open_with(storage, home, primary, (Wrapper::Primary, provider))
}

pub(super) fn open_with(
    storage: &dyn Storage,
    home: Home,
    wrap: Arc<dyn KeyWrap>,
    which: (Wrapper, &'static str),
) -> Result<Keyring, Error> {
    let all = tenants(storage, &home)?;
    open_those(storage, home, wrap, which, all)
}

/// Opens the keys of these tenants, of which the first one is that of the home.
pub(super) fn open_those(
    storage: &dyn Storage,
    home: Home,
    wrap: Arc<dyn KeyWrap>,
    (wrapper, named): (Wrapper, &'static str),
    tenants: Vec<TenantName>,
) -> Result<Keyring, Error> {
    let mut opened = BTreeMap::new();
    for tenant in tenants {
        let keys = open_tenant(storage, &tenant, &*wrap, (wrapper, &home.provider), named);
        // Where the first tenant opened, the key is the right one and this wrapper was changed.
        let keys = if opened.is_empty() { keys? } else { keys.map_err(changed(&tenant))? };
        opened.insert(tenant, Arc::new(keys));
    }
    let first = opened.get(&home.tenant).ok_or_else(|| Error::damaged("the first tenant of the home"))?;
    let house = HouseKeys::open(storage, &home.tenant, first)?;
    if house.evidence.public() != home.evidence_key()? {
        return Err(Error::damaged("the public key of the evidence"));
    }
    // The recovery key opens a home whatever its facts say; the provider's wrapper only with facts of this home.
    if wrapper == Wrapper::Primary && home.provider.home().is_some_and(|id| *id != house.home_id()) {
        return Err(Error::damaged("the facts of the key provider"));
    }
    Ok(Keyring {
        facts: home.provider,
        home: home.tenant,
        primary: wrap,
        tenants: Opened::of(opened),
        house: Arc::new(house),
    })
}

/// What it means that a wrapper does not open when another one did.
pub(super) fn changed(tenant: &TenantName) -> impl Fn(Error) -> Error + '_ {
    move |error| match error {
        Error::Unlock(_) => Error::damaged(format!("a data key of the tenant `{tenant}`")),
        other => other,
    }
}

pub(crate) fn open_tenant(
    storage: &dyn Storage,
    tenant: &TenantName,
    wrap: &dyn KeyWrap,
    (wrapper, facts): (Wrapper, &Facts),
    named: &'static str,
) -> Result<TenantKeys, Error> {
    let extra = wrapper.extra(facts);
    let mut data = BTreeMap::new();
    for row in wrapped(storage, tenant)?.into_iter().filter(|row| row.wrapper == wrapper) {
        let key = wrap
            .unwrap(&Wrapped::from_bytes(row.bytes), &place(tenant, row.version), &extra)
            .map_err(|_| Error::Unlock(named))?;
        data.insert(row.version, key);
    }
    if data.is_empty() {
        return Err(Error::damaged(format!("the data key of the tenant `{tenant}`")));
    }
    TenantKeys::open(storage, tenant, data)
}

/// Every tenant with keys; the first of the home comes first, so that a wrong key is seen there.
pub(super) fn tenants(storage: &dyn Storage, home: &Home) -> Result<Vec<TenantName>, Error> {
    let mut all = storage.tenants(Table::Keys)?;
    let at = all.iter().position(|tenant| *tenant == home.tenant);
    let first = all.remove(at.ok_or_else(|| Error::damaged("the first tenant of the home"))?);
    all.insert(0, first);
    Ok(all)
}

pub(super) fn wrap_both(
    batch: Batch,
    (tenant, version): (&TenantName, u64),
    data: &DataKey,
    (primary, facts): (&dyn KeyWrap, &Facts),
    recovery: &RecoveryKey,
) -> Result<Batch, Error> {
    let place = place(tenant, version);
    let first = primary.wrap(data, &place, &Wrapper::Primary.extra(facts))?;
    let second = recovery.key().wrap(data, &place, &Wrapper::Recovery.extra(facts))?;
    let row = |wrapper: Wrapper| wrapper.row(version);
    Ok(batch.insert(Table::Keys, tenant, &row(Wrapper::Primary), first.as_bytes().to_vec()).insert(
        Table::Keys,
        tenant,
        &row(Wrapper::Recovery),
        second.as_bytes().to_vec(),
    ))
}

pub(super) fn place(tenant: &TenantName, version: u64) -> Place<'_> {
    Place { tenant: tenant.as_str(), subject: "dek", version, kind: Kind::Key }
}
