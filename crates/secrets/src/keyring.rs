//! The unlocked keys of a home: set up, unsealed, proven, rewrapped, recovered.
//!
//! Every tenant has data keys, each wrapped twice: by the key provider and by the recovery key. Whatever changes a
//! wrapper opens it again from the storage before it says that it is done.
//!
//! # Invariants
//!
//! - No home and no tenant is ever without its recovery wrapper: both wrappers are in the same batch.
//! - A wrong passphrase and a changed wrapper give the same answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto::DataKey;
use model::TenantName;
use store::{Batch, Storage, Table};

use crate::home::{Home, Wrapper, wrapped};
use crate::keys::{self, House, HouseKeys, TenantKeys};
use crate::provider::{Facts, KeyProvider, KeyWrap};
use crate::{Error, RecoveryKey};

mod opened;
mod opening;
mod tenants;

use opened::{Known, Opened};
pub(crate) use opening::open_tenant;
use opening::{changed, open_home, open_those, open_with, place, tenants, wrap_both};

/// The unlocked keys of a home. Cannot be cloned, printed or compared; dropping it seals.
pub struct Keyring {
    facts: Facts,
    home: TenantName,
    primary: Arc<dyn KeyWrap>,
    tenants: Opened,
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

/// Sets a home up: its first tenant, the keys of the house, both wrappers. The recovery key is not kept in the clear anywhere. It is
/// handed out first: no home is made whose recovery key nobody got.
///
/// # Errors
/// When the home is set up already, when the key could not be handed out, or when what was written does not open again.
pub fn init<E: From<Error>>(
    storage: &dyn Storage,
    provider: &dyn KeyProvider,
    tenant: &TenantName,
    hand_out: impl FnOnce(&RecoveryKey) -> Result<(), E>,
) -> Result<(Keyring, RecoveryKey), E> {
    let (recovery, home, primary, rows) = made(provider, tenant)?;
    hand_out(&recovery)?;
    storage.commit(&rows).map_err(|error| match error {
        store::Error::Conflict => Error::Conflict { what: "the home".to_owned(), why: "is set up already" },
        other => Error::Store(other),
    })?;
    let _proven = drill(storage, &recovery)?;
    Ok((open_home(storage, home, primary.into(), provider.name())?, recovery))
}

/// A home that is not written yet.
type Unwritten = (RecoveryKey, Home, Box<dyn KeyWrap>, Batch);

fn made(provider: &dyn KeyProvider, tenant: &TenantName) -> Result<Unwritten, Error> {
    let recovery = RecoveryKey::generate()?;
    let data = DataKey::generate()?;
    let (house, batch) = HouseKeys::generate(recovery.key(), tenant, &data, Batch::new())?;
    let facts = provider.facts(&house.home_id())?;
    let primary = provider.ready(&facts)?;
    let batch = wrap_both(batch, (tenant, keys::FIRST), &data, (&*primary, &facts), &recovery)?;
    let (_, batch) = TenantKeys::generate(tenant, data, batch)?;
    let home = Home::new(tenant.clone(), house.evidence.public(), facts);
    let rows = home.insert(batch)?;
    Ok((recovery, home, primary, rows))
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

/// Unlocks a home, and the keys of a tenant when they are asked for: what that costs does not grow with tenants. Those of whom a rotation
/// was begun are opened at once.
///
/// # Errors
/// As [`unseal`]. That the wrapper of another tenant was changed is said when its keys are asked for.
pub fn unseal_on_demand(storage: &Arc<dyn Storage>, provider: &dyn KeyProvider) -> Result<Keyring, Error> {
    let home = Home::load(&**storage)?;
    let primary: Arc<dyn KeyWrap> = provider.ready(&home.provider)?.into();
    let first = vec![home.tenant.clone()];
    let keyring = open_those(&**storage, home, primary, (Wrapper::Primary, provider.name()), first)?;
    let keyring = Keyring { tenants: keyring.tenants.on_demand(Arc::clone(storage)), ..keyring };
    for tenant in crate::rotation::begun(&**storage, &keyring.home)? {
        let _keys = keyring.tenant(&tenant)?;
    }
    Ok(keyring)
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
    for (tenant, keys) in &keyring.tenants.all() {
        for (version, data) in keys.data() {
            let row = primary.wrap(data, &place(tenant, *version), &extra)?;
            let key = Wrapper::Primary.row(*version);
            batch = batch.put(Table::Keys, tenant, &key, row.as_bytes().to_vec());
        }
    }
    let home = Home::new(keyring.home.clone(), keyring.house.evidence.public(), facts);
    storage.commit(&home.replace(batch)?)?;
    Ok(open_home(storage, home, primary.into(), provider.name())?.lazy_like(keyring))
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

/// Makes another recovery key and wraps every data key with it; the paper before opens nothing of this home any more. The new one is
/// handed out first: a key that nobody got replaces none.
///
/// # Errors
/// When it could not be handed out, or the new wrappers could not be written or do not open. Unless they were written, the key before stays.
pub fn renew_recovery<E: From<Error>>(
    storage: &dyn Storage,
    keyring: &Keyring,
    hand_out: impl FnOnce(&RecoveryKey) -> Result<(), E>,
) -> Result<Keyring, E> {
    let _current = keyring.all_current(storage)?;
    let recovery = RecoveryKey::generate()?;
    hand_out(&recovery)?;
    Ok(wrap_recovery(storage, keyring, &recovery)?)
}

fn wrap_recovery(storage: &dyn Storage, keyring: &Keyring, recovery: &RecoveryKey) -> Result<Keyring, Error> {
    let extra = Wrapper::Recovery.extra(&keyring.facts);
    let mut batch = Batch::new();
    for (tenant, keys) in &keyring.tenants.all() {
        for (version, data) in keys.data() {
            let row = recovery.key().wrap(data, &place(tenant, *version), &extra)?;
            let key = Wrapper::Recovery.row(*version);
            batch = batch.put(Table::Keys, tenant, &key, row.as_bytes().to_vec());
        }
    }
    let keys = keyring.tenant(&keyring.home)?;
    storage.commit(&HouseKeys::with_recovery(recovery.key(), &keyring.home, &keys, batch)?)?;
    let _proven = drill(storage, recovery)?;
    let home = Home::load(storage)?;
    let opened = open_with(storage, home, Arc::clone(&keyring.primary), (Wrapper::Primary, "key"))?;
    Ok(opened.lazy_like(keyring))
}

// === impl Keyring ===

impl Keyring {
    /// The keys of the house itself.
    #[must_use]
    pub const fn house(&self) -> House<'_> {
        House(self)
    }

    /// The tenants whose keys were opened, sorted.
    pub fn tenants(&self) -> impl Iterator<Item = TenantName> {
        self.tenants.all().into_keys()
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
        // One that opens keys on demand is not older for not knowing a tenant.
        let all = self.tenants.storage().is_none();
        if home.provider != self.facts || (all && tenants(storage, &home)?.len() != self.tenants.all().len())
        {
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
        for tenant in tenants(storage, &Home::load(storage)?)? {
            let why = "changed meanwhile";
            let stale = |_| Error::Conflict { what: "the keys of the home".to_owned(), why };
            let _known = self.tenant(&tenant).map_err(stale)?;
        }
        for (tenant, keys) in &self.tenants.all() {
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

    /// The keys of a tenant. Blocks where they were not asked for before, and are opened on demand.
    pub(crate) fn tenant(&self, tenant: &TenantName) -> Result<Arc<TenantKeys>, Error> {
        let missing = || Error::damaged(format!("the data key of the tenant `{tenant}`"));
        match (self.tenants.find(tenant), self.tenants.storage()) {
            (Some(Known::Open(keys)), _) => Ok(keys),
            (Some(Known::Gone), _) | (None, None) => Err(missing()),
            (None, Some(storage)) => {
                let which = (Wrapper::Primary, &self.facts);
                let keys =
                    open_tenant(&**storage, tenant, &*self.primary, which, "key").map_err(changed(tenant))?;
                self.tenants.keep(tenant, keys).ok_or_else(missing)
            }
        }
    }

    /// Opens keys on demand where the keyring before it did.
    fn lazy_like(self, before: &Self) -> Self {
        match before.tenants.storage() {
            Some(storage) => Self { tenants: self.tenants.on_demand(Arc::clone(storage)), ..self },
            None => self,
        }
    }

    /// The keys of a tenant, where they are in memory.
    pub(crate) fn opened(&self, tenant: &TenantName) -> Option<Arc<TenantKeys>> {
        match self.tenants.find(tenant)? {
            Known::Open(keys) => Some(keys),
            Known::Gone => None,
        }
    }

    /// Makes sure that the keys of a tenant are in memory, so that nobody waits for them later. Blocks.
    ///
    /// # Errors
    /// When there is no such tenant, or its keys were changed.
    pub fn open(&self, tenant: &TenantName) -> Result<(), Error> {
        self.tenant(tenant).map(drop)
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

const RECOVERY: &str = "recovery key";

#[cfg(test)]
mod tests;
