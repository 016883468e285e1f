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
use store::Storage;

use crate::bindings::Bindings;
use crate::cache::Cache;
use crate::held::{Found, Freshness, Held, Opened, Previous};
use crate::source::{SOURCES, SecretSource, Setup, Stamp};
use crate::stored::{Disclosure, Listed, Stored, Version};
use crate::{Error, Keyring};

/// The secrets of a running broker. Shared; has no `Debug`.
pub struct Secrets {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    setup: Setup,
    unsealed: ArcSwapOption<Unsealed>,
    bindings: ArcSwap<Bindings>,
    cache: Arc<Cache>,
    changing: tokio::sync::Mutex<()>,
}

/// Whether the keys are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// They are not; nothing is lent.
    Sealed,
    /// They are.
    Unsealed,
}

/// The keys, and the sources that may not read where the keys come from.
struct Unsealed {
    keyring: Arc<Keyring>,
    sources: Vec<Box<dyn SecretSource>>,
}

impl Secrets {
    /// The secrets of a home, sealed and without bindings.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, setup: Setup) -> Self {
        Self {
            storage,
            clock,
            setup,
            unsealed: ArcSwapOption::empty(),
            bindings: ArcSwap::default(),
            cache: Arc::new(Cache::new()),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// Takes the unlocked keys.
    pub fn unseal(&self, keyring: Keyring) {
        self.unsealed.store(Some(Arc::new(Unsealed::new(keyring, &self.setup))));
    }

    /// Drops the keys and every cached secret. What was lent before is wiped when its call ends.
    pub fn seal(&self) {
        self.unsealed.store(None);
        // After the keys: a fetch that still has them began in an older generation, and is not kept.
        self.cache.clear();
    }

    /// Whether the keys are in memory.
    #[must_use]
    pub fn state(&self) -> Seal {
        if self.unsealed.load().is_some() { Seal::Unsealed } else { Seal::Sealed }
    }

    /// The unlocked keys, for the keys of the house.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn keyring(&self) -> Result<Arc<Keyring>, Error> {
        self.unsealed.load().as_ref().map(|unsealed| Arc::clone(&unsealed.keyring)).ok_or(Error::Sealed)
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
        let (owned, now) = (name.clone(), self.clock.now());
        self.change(tenant, name, move |stored| stored.put(&owned, &secret, disclosure, now)).await
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
        let (owned, now) = (name.clone(), self.clock.now());
        self.change(tenant, name, move |stored| stored.rotate(&owned, &secret, overlap, now)).await
    }

    /// Removes the bytes of a secret.
    ///
    /// # Errors
    /// Those of [`Stored::forget`].
    pub async fn forget(&self, tenant: &TenantName, name: &SecretName) -> Result<(), Error> {
        let (owned, now) = (name.clone(), self.clock.now());
        self.change(tenant, name, move |stored| stored.forget(&owned, now)).await
    }

    /// Every stored secret of a tenant; no bytes.
    ///
    /// # Errors
    /// Those of [`Stored::list`].
    pub async fn list(&self, tenant: &TenantName) -> Result<Vec<Listed>, Error> {
        let now = self.clock.now();
        self.look(tenant, move |stored| stored.list(now)).await
    }

    /// One stored secret; no bytes.
    ///
    /// # Errors
    /// Those of [`Stored::describe`].
    pub async fn describe(&self, tenant: &TenantName, name: &SecretName) -> Result<Listed, Error> {
        let (owned, now) = (name.clone(), self.clock.now());
        self.look(tenant, move |stored| stored.describe(&owned, now)).await
    }

    /// Adds a tenant with keys of its own.
    ///
    /// # Errors
    /// When there is such a tenant already, or the broker is sealed.
    pub async fn add_tenant(&self, tenant: &TenantName) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let before = self.unsealed.load_full();
        let keyring = self.keyring()?;
        let (storage, owned) = (Arc::clone(&self.storage), tenant.clone());
        let added = waiting(move || keyring.add_tenant(&*storage, &owned)).await?;
        let next = Arc::new(Unsealed::new(added, &self.setup));
        // Only in place of the keys that it came from: a broker that was sealed meanwhile stays sealed.
        let _ = self.unsealed.compare_and_swap(&before, Some(next));
        Ok(())
    }

    async fn change<T: Send + 'static>(
        &self,
        tenant: &TenantName,
        name: &SecretName,
        work: impl FnOnce(&Stored<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (cache, owned, reference) = (Arc::clone(&self.cache), tenant.clone(), format!("store:{name}"));
        self.look(tenant, move |stored| {
            let done = work(stored);
            // On the same thread as the change, so that a caller who hangs up can't leave the old version in the cache;
            // and after a failure as well, because a commit may fail and still be there later.
            cache.remove(&owned, &reference);
            done
        })
        .await
    }

    pub(crate) fn now(&self) -> model::Timestamp {
        self.clock.now()
    }

    pub(crate) async fn look<T: Send + 'static>(
        &self,
        tenant: &TenantName,
        work: impl FnOnce(&Stored<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (keyring, storage, tenant) = (self.keyring()?, Arc::clone(&self.storage), tenant.clone());
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
        let now = self.clock.now();
        // A sealed broker has an empty cache, so that this needs no look at the seal.
        if let Some(held) = self.cache.find(tenant, reference)
            && held.freshness(now) == Freshness::Fresh
        {
            return Ok(Opened::new(held, now));
        }
        match tokio::time::timeout(DEADLINE, Box::pin(self.fetch(tenant, reference))).await {
            Ok(fetched) => fetched,
            Err(_) => Err(Error::unreadable(reference, "it did not answer in time")),
        }
    }

    async fn fetch(&self, tenant: &TenantName, reference: &SecretRef) -> Result<Opened, Error> {
        let _flight = self.cache.flight(tenant, reference).await;
        let now = self.clock.now();
        // Before the keys, so that what is fetched with keys that are dropped meanwhile is not kept.
        let generation = self.cache.generation();
        let unsealed = self.unsealed.load_full().ok_or(Error::Sealed)?;
        if let Some(held) = self.cache.find(tenant, reference) {
            let freshness = held.freshness(now);
            let same = match freshness {
                Freshness::Fresh => true,
                Freshness::Doubtful => unsealed.source(reference)?.stamp(reference).await? == *held.stamp(),
                Freshness::Stale => false,
            };
            if same {
                held.looked_at(now);
                return Ok(Opened::new(held, now));
            }
        }
        let owned = reference.clone();
        let held = if reference.scheme() == STORE {
            let name = stored_name(reference)?;
            self.look(tenant, move |stored| from_store(stored, &owned, &name, now)).await?
        } else {
            let fetched = unsealed.source(reference)?.fetch(reference).await?;
            let found = Found { version: 0, secret: fetched.secret, stamp: fetched.stamp, previous: None };
            waiting(move || Held::new(&owned, found, now)).await?
        };
        let held = Arc::new(held);
        self.cache.keep(generation, tenant, &held);
        Ok(Opened::new(held, now))
    }
}

// === impl Unsealed ===

impl Unsealed {
    fn new(keyring: Keyring, setup: &Setup) -> Self {
        let mut setup = setup.clone();
        setup.reserved.extend(keyring.key_file().map(std::path::Path::to_owned));
        let sources = SOURCES.iter().filter_map(|source| source.make).map(|make| make(&setup)).collect();
        Self { keyring: Arc::new(keyring), sources }
    }

    fn source(&self, reference: &SecretRef) -> Result<&dyn SecretSource, Error> {
        let found = self.sources.iter().find(|source| source.scheme() == reference.scheme());
        found.map(|source| &**source).ok_or_else(|| Error::unreadable(reference, "there is no such source"))
    }
}

fn from_store(
    stored: &Stored<'_>,
    reference: &SecretRef,
    name: &SecretName,
    now: model::Timestamp,
) -> Result<Held, Error> {
    let opened = stored.open(name, now)?;
    let previous = match opened.previous {
        Some((version, secret)) => {
            let found = Found { version: version.n, secret, stamp: Stamp::Fixed, previous: None };
            Some(Previous { held: Arc::new(Held::new(reference, found, now)?), expires: version.expires })
        }
        None => None,
    };
    let (version, secret) = opened.current;
    Held::new(reference, Found { version: version.n, secret, stamp: Stamp::Fixed, previous }, now)
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
async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // The task fails only when it panicked or the runtime ends; then nothing is known about its work.
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Sealed))
}

const STORE: &str = "store";
/// How long a call waits for its secret.
const DEADLINE: Duration = Duration::from_secs(10);
