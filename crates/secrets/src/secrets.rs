//! All secrets of a running broker: sealed or unsealed, our own store, the sources, the cache.
//!
//! # Invariants
//!
//! - A secret is lent through `lend` only, which demands proofs.
//! - When [`Secrets::seal`] returns, no key and no secret is in the cache, and nothing that was under way puts one there.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use memory::Secret;
use model::{Clock, IntegrationName, SecretName, SecretRef, TenantName};
use store::{Batch, Storage};

use crate::bindings::Bindings;
use crate::cache::Cache;
use crate::fetching::{Fetching, Unsealed};
use crate::held::{Opened, Stale};
use crate::rotation::{Cursor, Rotation, SLICE};
use crate::source::{Doubt, Setup, made_from};
use crate::stored::{Disclosure, Listed, Stored, Version};
use crate::{Error, KeyProvider, Keyring, Stands};

/// The secrets of a running broker. Shared; has no `Debug`.
pub struct Secrets {
    pub(crate) fetching: Arc<Fetching>,
    setup: Setup,
    pub(crate) bindings: ArcSwap<Bindings>,
    changing: tokio::sync::Mutex<()>,
    /// One rotation at a time.
    rotating: tokio::sync::Mutex<()>,
}

/// Whether the keys are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// They are not; nothing is lent.
    Sealed,
    /// They are.
    Unsealed,
}

impl Secrets {
    /// The secrets of a home, sealed and without bindings.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, setup: Setup) -> Self {
        let ages = setup.config.ages();
        let (unsealed, cache) = (ArcSwapOption::empty(), Arc::new(Cache::new()));
        let fetching = Arc::new(Fetching { storage, clock, unsealed, cache, ages });
        Self {
            fetching,
            setup,
            bindings: ArcSwap::default(),
            changing: tokio::sync::Mutex::default(),
            rotating: tokio::sync::Mutex::default(),
        }
    }

    /// Takes the unlocked keys.
    pub fn unseal(&self, keyring: Keyring) {
        self.fetching.unsealed.store(Some(Arc::new(Unsealed::new(keyring, &self.setup))));
    }

    /// Drops the keys and every cached secret. What was lent before is wiped when its call ends.
    pub fn seal(&self) {
        self.fetching.unsealed.store(None);
        // After the keys: a fetch that still has them began in an older generation, and is not kept.
        self.fetching.cache.clear();
    }

    /// Whether the keys are in memory.
    #[must_use]
    pub fn state(&self) -> Seal {
        if self.fetching.unsealed.load().is_some() { Seal::Unsealed } else { Seal::Sealed }
    }

    /// The unlocked keys, for the keys of the house.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn keyring(&self) -> Result<Arc<Keyring>, Error> {
        self.fetching
            .unsealed
            .load()
            .as_ref()
            .map(|unsealed| Arc::clone(&unsealed.keyring))
            .ok_or(Error::Sealed)
    }

    /// Replaces all bindings.
    pub fn bind(&self, bindings: Bindings) {
        self.bindings.store(Arc::new(bindings));
    }

    // === our own store ===

    /// Stores a secret under a name that has none.
    ///
    /// # Errors
    /// Those of [`Stored::put`].
    pub async fn put(
        &self,
        tenant: &TenantName,
        name: &SecretName,
        secret: Secret,
        disclosure: Disclosure,
    ) -> Result<Version, Error> {
        let (owned, now) = (name.clone(), self.fetching.clock.now());
        self.change(tenant, name, move |stored| stored.put(&owned, &secret, disclosure, now)).await
    }

    /// The steps that store a secret under a name that was never there: see [`Stored::steps`]. Blocks where the keys of the tenant were not
    /// opened yet. Nothing is in the cache under such a name.
    ///
    /// # Errors
    /// Those of [`Stored::steps`], and [`Error::Sealed`].
    pub fn steps(
        &self,
        tenant: &TenantName,
        name: &SecretName,
        secret: &Secret,
        disclosure: Disclosure,
    ) -> Result<Batch, Error> {
        let (keyring, now) = (self.keyring()?, self.fetching.clock.now());
        Stored::new(&*self.fetching.storage, &keyring, tenant).steps(name, secret, disclosure, now)
    }

    /// Stores the next version of a secret.
    ///
    /// # Errors
    /// Those of [`Stored::rotate`].
    pub async fn rotate(
        &self,
        tenant: &TenantName,
        name: &SecretName,
        secret: Secret,
        overlap: Duration,
    ) -> Result<Version, Error> {
        let (owned, now) = (name.clone(), self.fetching.clock.now());
        self.change(tenant, name, move |stored| stored.rotate(&owned, &secret, overlap, now)).await
    }

    /// Removes the bytes of a secret.
    ///
    /// # Errors
    /// Those of [`Stored::forget`].
    pub async fn forget(&self, tenant: &TenantName, name: &SecretName) -> Result<(), Error> {
        let (owned, now) = (name.clone(), self.fetching.clock.now());
        self.change(tenant, name, move |stored| stored.forget(&owned, now)).await
    }

    /// Every stored secret of a tenant; no bytes.
    ///
    /// # Errors
    /// Those of [`Stored::list`].
    pub async fn list(&self, tenant: &TenantName) -> Result<Vec<Listed>, Error> {
        let now = self.fetching.clock.now();
        self.look(tenant, move |stored| stored.list(now)).await
    }

    /// One stored secret; no bytes.
    ///
    /// # Errors
    /// Those of [`Stored::describe`].
    pub async fn describe(&self, tenant: &TenantName, name: &SecretName) -> Result<Listed, Error> {
        let (owned, now) = (name.clone(), self.fetching.clock.now());
        self.look(tenant, move |stored| stored.describe(&owned, now)).await
    }

    /// Adds a tenant with keys of its own, in one batch with rows that say what it is.
    ///
    /// # Errors
    /// When there is such a tenant already, or the broker is sealed.
    pub async fn add_tenant(&self, tenant: &TenantName, batch: Batch) -> Result<(), Error> {
        let owned = tenant.clone();
        self.rekey(move |keyring, storage| keyring.add_tenant(storage, &owned, batch)).await
    }

    /// Destroys the keys of a tenant, and all ciphertexts under them, in one batch with rows that say so.
    ///
    /// # Errors
    /// When there is no such tenant, it is the first one of the home, or the broker is sealed.
    pub async fn erase_tenant(&self, tenant: &TenantName, batch: Batch) -> Result<(), Error> {
        let owned = tenant.clone();
        let erased = self.rekey(move |keyring, storage| keyring.erase_tenant(storage, &owned, batch)).await;
        // After a failure as well: a commit may fail and still be there later.
        self.fetching.cache.clear();
        erased
    }

    /// Rotates the data key of a tenant while calls go on: to its end, or from where a former one broke off. How many rows
    /// were sealed anew.
    ///
    /// # Errors
    /// When there is no such tenant, a row opens with none of its keys, or the broker is sealed meanwhile. What was done stays
    /// done, and the next call goes on.
    pub async fn rotate_key(&self, tenant: &TenantName) -> Result<u64, Error> {
        let _alone = self.rotating.lock().await;
        self.rotated(tenant).await
    }

    /// Goes on with a rotation that broke off; `None` where there is none, or somebody is at it.
    ///
    /// # Errors
    /// Those of [`Self::rotate_key`].
    pub async fn resume_rotation(&self, tenant: &TenantName) -> Result<Option<u64>, Error> {
        let Ok(_alone) = self.rotating.try_lock() else { return Ok(None) };
        // Looked at under the lock: whoever had it may have come to the end, and another one must not begin.
        if !self.keyring()?.rotating().contains(tenant) {
            return Ok(None);
        }
        self.rotated(tenant).await.map(Some)
    }

    async fn rotated(&self, tenant: &TenantName) -> Result<u64, Error> {
        let owned = tenant.clone();
        self.rekey(move |keyring, storage| keyring.begin_rotation(storage, &owned)).await?;
        let mut total = 0;
        for pass in 1.. {
            total += self.walk(tenant).await?;
            let owned = tenant.clone();
            let ended = self.rekey(move |keyring, storage| keyring.end_rotation(storage, &owned)).await;
            match ended {
                // A row that was changed while it was looked at may hold a part that the former key sealed.
                Err(Error::Conflict { .. }) if pass < MOST_WALKS => {}
                ended => return ended.map(|()| total),
            }
        }
        Ok(total)
    }

    /// Seals all rows of a tenant with its newest data key, some at a time; how many.
    async fn walk(&self, tenant: &TenantName) -> Result<u64, Error> {
        let (mut total, mut cursor) = (0, Some(Cursor::default()));
        while let Some(from) = cursor.take() {
            let (keyring, storage, owned) =
                (self.keyring()?, Arc::clone(&self.fetching.storage), tenant.clone());
            let slice = waiting(move || keyring.seal_anew(&*storage, &owned, &from, SLICE));
            let (done, next) = slice.await?;
            total += done;
            cursor = next;
        }
        Ok(total)
    }

    /// How far the rotation of a tenant's data key is.
    ///
    /// # Errors
    /// When there is no such tenant, or the broker is sealed.
    pub async fn rotation(&self, tenant: &TenantName) -> Result<Rotation, Error> {
        let (keyring, storage, owned) = (self.keyring()?, Arc::clone(&self.fetching.storage), tenant.clone());
        waiting(move || keyring.rotation(&*storage, &owned)).await
    }

    /// What sources and key providers are told.
    #[must_use]
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Wraps all data keys with another key provider, while calls go on.
    ///
    /// # Errors
    /// When it gives no key, or what it wrapped does not open; then the one before is still in force.
    pub async fn rewrap(&self, provider: Box<dyn KeyProvider>) -> Result<(), Error> {
        self.rekey(move |keyring, storage| crate::rewrap(storage, keyring, &*provider)).await
    }

    /// Puts other keys in place of those that they came from. One at a time.
    async fn rekey(
        &self,
        work: impl FnOnce(&Keyring, &dyn Storage) -> Result<Keyring, Error> + Send + 'static,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let before = self.fetching.unsealed.load_full();
        let keyring = self.keyring()?;
        let storage = Arc::clone(&self.fetching.storage);
        let changed = waiting(move || work(&keyring, &*storage)).await?;
        let next = Arc::new(Unsealed::new(changed, &self.setup));
        // Only in place of the keys that it came from: a broker that was sealed meanwhile stays sealed.
        let _ = self.fetching.unsealed.compare_and_swap(&before, Some(next));
        Ok(())
    }

    /// Waits until nobody else reads, changes and writes back.
    pub(crate) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    pub(crate) async fn change<T: Send + 'static>(
        &self,
        tenant: &TenantName,
        name: &SecretName,
        work: impl FnOnce(&Stored<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (cache, owned, reference) =
            (Arc::clone(&self.fetching.cache), tenant.clone(), format!("store:{name}"));
        self.look(tenant, move |stored| {
            let done = work(stored);
            // On the same thread as the change, so that a caller who hangs up can't leave the old version in the cache;
            // and after a failure as well, because a commit may fail and still be there later.
            cache.remove(&owned, &reference);
            for made in made_from(reference.strip_prefix("store:").unwrap_or_default()) {
                cache.remove(&owned, made);
            }
            done
        })
        .await
    }

    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.fetching.storage)
    }

    pub(crate) fn now(&self) -> model::Timestamp {
        self.fetching.clock.now()
    }

    pub(crate) async fn look<T: Send + 'static>(
        &self,
        tenant: &TenantName,
        work: impl FnOnce(&Stored<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (keyring, storage, tenant) =
            (self.keyring()?, Arc::clone(&self.fetching.storage), tenant.clone());
        waiting(move || work(&Stored::new(&*storage, &keyring, &tenant))).await
    }

    // === lending, for `lend` ===

    /// The secret for an integration that declared it. The proofs were checked by the caller, in `lend`.
    pub(crate) async fn resolve(
        &self,
        tenant: &TenantName,
        integration: &IntegrationName,
        reference: &SecretRef,
    ) -> Result<Opened, Error> {
        let _bound = self
            .bindings
            .load()
            .check(tenant, integration, reference)
            .map_err(|why| Error::NotLent { reference: reference.to_string(), why })?;
        self.fetching.open(tenant, reference, self.fetching.clock.now()).await
    }

    /// The secret for checking what comes in, where the integration declared it for that.
    pub(crate) async fn resolve_checked(
        &self,
        tenant: &TenantName,
        integration: &IntegrationName,
        reference: &SecretRef,
    ) -> Result<Opened, Error> {
        let _bound = self
            .bindings
            .load()
            .check_incoming(integration, reference)
            .map_err(|why| Error::NotLent { reference: reference.to_string(), why })?;
        self.fetching.open(tenant, reference, self.fetching.clock.now()).await
    }

    // === looking whether sources answer ===

    /// Looks whether a secret could be had and can stand there, and what is doubtful about it. Nothing is lent or kept.
    ///
    /// # Errors
    /// Those of the source. A sealed broker can't look into its own store.
    pub async fn probe(&self, of: &TenantName, it: (&SecretRef, Stands)) -> Result<Vec<Doubt>, Error> {
        self.fetching.probe(of, it, &self.setup).await
    }

    /// The secrets that are lent though their sources are out of reach.
    #[must_use]
    pub fn stale(&self, tenant: &TenantName) -> Vec<Stale> {
        self.fetching.cache.stale(tenant)
    }
}

/// The name in a reference to our own store.
pub(crate) fn stored_name(reference: &SecretRef) -> Result<SecretName, Error> {
    if reference.scheme() != STORE || reference.field().is_some() {
        return Err(Error::unreadable(reference, "a stored secret is named `store:NAME`, without a field"));
    }
    reference
        .path()
        .parse()
        .map_err(|_| Error::unreadable(reference, "this is not the name of a stored secret"))
}

/// Runs on a thread that may wait: the storage blocks.
pub(crate) async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // The task fails only when it panicked or the runtime ends; then nothing is known about its work.
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Sealed))
}

/// Walks of one rotation.
const MOST_WALKS: usize = 4;
pub(crate) const STORE: &str = "store";
