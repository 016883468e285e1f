//! The unlocked keys of a home: set up, unsealed, proven, rewrapped, recovered.
//!
//! Every tenant has data keys, each wrapped twice: by the key provider and by the recovery key. Whatever changes a
//! wrapper opens it again from the storage before it says that it is done.
//!
//! # Invariants
//!
//! - No home and no tenant is ever without its recovery wrapper: both wrappers are in the same batch.
//! - A wrong passphrase and a changed wrapper give the same answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crypto::{DataKey, Kind, Place, Wrapped};
use model::TenantName;
use store::{Batch, Storage, Table};

use crate::home::{Home, Wrapper, wrapped};
use crate::keys::{self, House, HouseKeys, TenantKeys};
use crate::provider::{Facts, KeyProvider, KeyWrap};
use crate::{Error, RecoveryKey};

mod tenants;

/// The unlocked keys of a home. Cannot be cloned, printed or compared; dropping it seals.
pub struct Keyring {
    facts: Facts,
    home: TenantName,
    primary: Arc<dyn KeyWrap>,
    tenants: BTreeMap<TenantName, Arc<TenantKeys>>,
    house: Arc<HouseKeys>,
}

/// Proof that a keyring's wrappers are those of the storage, so that what it wraps fits beside them.
#[must_use]
pub(crate) struct Current(());

/// Proof that the recovery key opens everything that the primary wrapper opens.
#[derive(Debug)]
#[must_use]
pub struct Drilled {
    tenants: usize,
    keys: usize,
}

/// Sets a home up: its first tenant, the keys of the house, both wrappers. The recovery key is not kept in the clear
/// anywhere; show it once.
///
/// # Errors
/// When the home is set up already, or what was written does not open again.
pub fn init(
    storage: &dyn Storage,
    provider: &dyn KeyProvider,
    tenant: &TenantName,
) -> Result<(Keyring, RecoveryKey), Error> {
    let recovery = RecoveryKey::generate()?;
    let data = DataKey::generate()?;
    let (house, batch) = HouseKeys::generate(recovery.key(), tenant, &data, Batch::new())?;
    let facts = provider.facts(&house.home_id())?;
    let primary = provider.ready(&facts)?;
    let batch = wrap_both(batch, (tenant, keys::FIRST), &data, (&*primary, &facts), &recovery)?;
    let (_, batch) = TenantKeys::generate(tenant, data, batch)?;
    let home = Home::new(tenant.clone(), house.evidence.public(), facts);
    let batch = home.insert(batch)?;
    storage.commit(&batch).map_err(|error| match error {
        store::Error::Conflict => Error::Conflict { what: "the home".to_owned(), why: "is set up already" },
        other => Error::Store(other),
    })?;
    let _proven = drill(storage, &recovery)?;
    Ok((open_home(storage, home, primary.into(), provider.name())?, recovery))
}

/// Unlocks a home.
///
/// # Errors
/// [`Error::Unlock`] when the passphrase or key is another one; the text is the same whatever was wrong with it.
pub fn unseal(storage: &dyn Storage, provider: &dyn KeyProvider) -> Result<Keyring, Error> {
    let home = Home::load(storage)?;
    let primary = provider.ready(&home.provider)?;
    open_home(storage, home, primary.into(), provider.name())
}

/// Proves that the recovery key opens every data key, and that these are the ones that the primary wrapper holds: each
/// opens the sentinel that was sealed when it was made.
///
/// # Errors
/// When a wrapper is missing, damaged, or another key's.
pub fn drill(storage: &dyn Storage, recovery: &RecoveryKey) -> Result<Drilled, Error> {
    let home = Home::load(storage)?;
    let mut drilled = Drilled { tenants: 0, keys: 0 };
    for tenant in tenants(storage, &home)? {
        let mut sets = [BTreeSet::new(), BTreeSet::new()];
        for row in wrapped(storage, &tenant)? {
            let [primary, second] = &mut sets;
            let set = if row.wrapper == Wrapper::Primary { primary } else { second };
            set.insert(row.version);
        }
        let [primary, second] = &sets;
        if primary != second {
            return Err(Error::damaged(format!("a recovery wrapper of the tenant `{tenant}`")));
        }
        let keys =
            open_tenant(storage, &tenant, recovery.key(), (Wrapper::Recovery, &home.provider), RECOVERY)?;
        drilled.tenants += 1;
        drilled.keys += keys.data().len();
    }
    Ok(drilled)
}

/// Wraps every data key with another provider or passphrase, in one batch. The wrappers before open nothing of this home
/// any more; they still open older copies of it.
///
/// # Errors
/// When the new wrappers could not be written or do not open.
pub fn rewrap(
    storage: &dyn Storage,
    keyring: &Keyring,
    provider: &dyn KeyProvider,
) -> Result<Keyring, Error> {
    let _current = keyring.all_current(storage)?;
    wrap_anew(storage, keyring, provider)
}

fn wrap_anew(storage: &dyn Storage, keyring: &Keyring, provider: &dyn KeyProvider) -> Result<Keyring, Error> {
    let facts = provider.facts(&keyring.house.home_id())?;
    let primary = provider.ready(&facts)?;
    let mut batch = Batch::new();
    let extra = Wrapper::Primary.extra(&facts);
    for (tenant, keys) in &keyring.tenants {
        for (version, data) in keys.data() {
            let row = primary.wrap(data, &place(tenant, *version), &extra)?;
            let key = Wrapper::Primary.row(*version);
            batch = batch.put(Table::Keys, tenant, &key, row.as_bytes().to_vec());
        }
    }
    let home = Home::new(keyring.home.clone(), keyring.house.evidence.public(), facts);
    storage.commit(&home.replace(batch)?)?;
    open_home(storage, home, primary.into(), provider.name())
}

/// Unlocks a home with its recovery key and wraps every data key for a new provider.
///
/// # Errors
/// [`Error::Unlock`] when it is another home's recovery key.
pub fn recover(
    storage: &dyn Storage,
    recovery: &RecoveryKey,
    provider: &dyn KeyProvider,
) -> Result<Keyring, Error> {
    let home = Home::load(storage)?;
    let wrap = recovery.key().expose(|key| crypto::WrapKey::new(*key));
    let keyring = open_with(storage, home, Arc::new(wrap), (Wrapper::Recovery, RECOVERY))?;
    wrap_anew(storage, &keyring, provider)
}

/// Makes another recovery key and wraps every data key with it; the paper before opens nothing of this home any more.
///
/// # Errors
/// When the new wrappers could not be written or do not open.
pub fn renew_recovery(storage: &dyn Storage, keyring: &Keyring) -> Result<(Keyring, RecoveryKey), Error> {
    let _current = keyring.all_current(storage)?;
    let recovery = RecoveryKey::generate()?;
    let extra = Wrapper::Recovery.extra(&keyring.facts);
    let mut batch = Batch::new();
    for (tenant, keys) in &keyring.tenants {
        for (version, data) in keys.data() {
            let row = recovery.key().wrap(data, &place(tenant, *version), &extra)?;
            let key = Wrapper::Recovery.row(*version);
            batch = batch.put(Table::Keys, tenant, &key, row.as_bytes().to_vec());
        }
    }
    let keys = keyring.tenant(&keyring.home)?;
    storage.commit(&HouseKeys::with_recovery(recovery.key(), &keyring.home, keys, batch)?)?;
    let _proven = drill(storage, &recovery)?;
    let home = Home::load(storage)?;
    let opened = open_with(storage, home, Arc::clone(&keyring.primary), (Wrapper::Primary, "key"))?;
    Ok((opened, recovery))
}

// === impl Keyring ===

impl Keyring {
    /// The keys of the house itself.
    #[must_use]
    pub const fn house(&self) -> House<'_> {
        House(self)
    }

    /// The tenants whose keys these are, sorted.
    pub fn tenants(&self) -> impl Iterator<Item = &TenantName> {
        self.tenants.keys()
    }

    /// The files that open this home, or help to do so; no secret reference may read them.
    #[must_use]
    pub fn key_files(&self) -> Vec<&std::path::Path> {
        self.facts.files()
    }

    /// A keyring that was opened before another one changed the wrappers would write some that nothing opens.
    pub(crate) fn current(&self, storage: &dyn Storage) -> Result<Current, Error> {
        let stale = || Error::Conflict { what: "the keys of the home".to_owned(), why: "changed meanwhile" };
        let home = Home::load(storage)?;
        let known = tenants(storage, &home)?;
        if home.provider != self.facts || known.len() != self.tenants.len() {
            return Err(stale());
        }
        let wraps: [(&dyn KeyWrap, Wrapper); 2] =
            [(&*self.primary, Wrapper::Primary), (&self.house.recovery, Wrapper::Recovery)];
        for (wrap, wrapper) in wraps {
            open_tenant(storage, &self.home, wrap, (wrapper, &self.facts), "key").map_err(|_| stale())?;
        }
        Ok(Current(()))
    }

    /// The same for whoever wraps the data keys of all tenants: none of them may have got another one.
    fn all_current(&self, storage: &dyn Storage) -> Result<Current, Error> {
        for (tenant, keys) in &self.tenants {
            let stored: BTreeSet<u64> = wrapped(storage, tenant)?.iter().map(|row| row.version).collect();
            if !stored.iter().eq(keys.data().keys()) {
                return Err(Error::Conflict {
                    what: tenant.to_string(),
                    why: "got another data key meanwhile",
                });
            }
        }
        self.current(storage)
    }

    pub(crate) const fn home(&self) -> &TenantName {
        &self.home
    }

    pub(crate) const fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn primary(&self) -> &dyn KeyWrap {
        &*self.primary
    }

    pub(crate) const fn all(&self) -> &BTreeMap<TenantName, Arc<TenantKeys>> {
        &self.tenants
    }

    /// Both wrappers of a data key, which must not be there yet.
    pub(crate) fn wrap_both(
        &self,
        batch: Batch,
        which: (&TenantName, u64),
        data: &DataKey,
        recovery: &RecoveryKey,
    ) -> Result<Batch, Error> {
        wrap_both(batch, which, data, (&*self.primary, &self.facts), recovery)
    }

    pub(crate) fn tenant(&self, tenant: &TenantName) -> Result<&Arc<TenantKeys>, Error> {
        self.tenants
            .get(tenant)
            .ok_or_else(|| Error::damaged(format!("the data key of the tenant `{tenant}`")))
    }

    pub(crate) fn house_keys(&self) -> &HouseKeys {
        &self.house
    }
}

// === impl Drilled ===

impl Drilled {
    /// How many tenants were proven.
    #[must_use]
    pub const fn tenants(&self) -> usize {
        self.tenants
    }

    /// How many data keys were proven.
    #[must_use]
    pub const fn keys(&self) -> usize {
        self.keys
    }
}

// === opening ===

fn open_home(
    storage: &dyn Storage,
    home: Home,
    primary: Arc<dyn KeyWrap>,
    provider: &'static str,
) -> Result<Keyring, Error> {
    open_with(storage, home, primary, (Wrapper::Primary, provider))
}

fn open_with(
    storage: &dyn Storage,
    home: Home,
    wrap: Arc<dyn KeyWrap>,
    (wrapper, named): (Wrapper, &'static str),
) -> Result<Keyring, Error> {
    let mut opened = BTreeMap::new();
    for tenant in tenants(storage, &home)? {
        let keys = open_tenant(storage, &tenant, &*wrap, (wrapper, &home.provider), named);
        let keys = keys.map_err(|error| match error {
            // The first tenant opened, so the key is the right one and this wrapper was changed.
            Error::Unlock(_) if !opened.is_empty() => {
                Error::damaged(format!("a data key of the tenant `{tenant}`"))
            }
            other => other,
        })?;
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
        tenants: opened,
        house: Arc::new(house),
    })
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
fn tenants(storage: &dyn Storage, home: &Home) -> Result<Vec<TenantName>, Error> {
    let mut all = storage.tenants(Table::Keys)?;
    let at = all.iter().position(|tenant| *tenant == home.tenant);
    let first = all.remove(at.ok_or_else(|| Error::damaged("the first tenant of the home"))?);
    all.insert(0, first);
    Ok(all)
}

fn wrap_both(
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

fn place(tenant: &TenantName, version: u64) -> Place<'_> {
    Place { tenant: tenant.as_str(), subject: "dek", version, kind: Kind::Key }
}

const RECOVERY: &str = "recovery key";

#[cfg(test)]
mod tests;
