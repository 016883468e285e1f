//! Reads secrets where they are: once for all who ask, again before they get old, and not at all from a sealed broker.
//!
//! What a source gave is used up to its age ([`Ages`]). At four fifths of it, the next call that uses it has it read again
//! in the background. Behind its age it is used only while its source is out of reach, said loudly, and up to a second age;
//! a source that answers that it has no such secret, or that we may not have it, ends it at once.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use memory::Secret;
use model::{Clock, SecretName, SecretRef, TenantName, Timestamp};
use store::Storage;

use crate::cache::{Cache, Flight, Generation};
use crate::fit::Stands;
use crate::held::{Before, Found, Freshness, Held, Opened};
use crate::secrets::{STORE, stored_name, waiting};
use crate::source::config::Ages;
use crate::source::{Deepest, Doubt, Fetched, Lender, Setup, Sources, Stamp, Trouble};
use crate::stored::Stored;
use crate::{Error, Keyring};

/// What is needed to read secrets; shared with what reads them again in the background.
pub(crate) struct Fetching {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) unsealed: ArcSwapOption<Unsealed>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) ages: Ages,
}

/// The keys, and the sources that may not read where the keys come from.
pub(crate) struct Unsealed {
    pub(crate) keyring: Arc<Keyring>,
    sources: Sources,
}

impl Unsealed {
    pub(crate) fn new(keyring: Keyring, setup: &Setup) -> Self {
        let mut setup = setup.clone();
        // One in the home is remembered by its place in there.
        let home = setup.home.clone().unwrap_or_default();
        setup.reserved.extend(keyring.key_files().into_iter().map(|file| home.join(file)));
        Self { keyring: Arc::new(keyring), sources: Sources::new(&setup) }
    }
}

impl Fetching {
    /// A secret from the cache, where it may be used, else from its source.
    pub(crate) async fn open(
        self: &Arc<Self>,
        tenant: &TenantName,
        reference: &SecretRef,
        now: Timestamp,
    ) -> Result<Opened, Error> {
        // A sealed broker has an empty cache, so that this needs no look at the seal.
        if let Some(held) = self.cache.find(tenant, reference) {
            match held.freshness(now) {
                Freshness::Fresh => return Ok(Opened::new(held, now)),
                Freshness::Due => {
                    self.refresh(tenant, &held, now);
                    return Ok(Opened::new(held, now));
                }
                Freshness::Doubtful | Freshness::Stale => {}
            }
        }
        Box::pin(self.fetch(tenant, reference)).await
    }

    /// Reads a secret again in the background, unless somebody does already.
    pub(crate) fn refresh(self: &Arc<Self>, tenant: &TenantName, held: &Arc<Held>, now: Timestamp) {
        if !held.begin_refresh(now) {
            return;
        }
        let (fetching, tenant, held) = (Arc::clone(self), tenant.clone(), Arc::clone(held));
        // Task `secret-refresh`; its owner is the runtime of whoever used the secret, and it ends within its deadline.
        tokio::spawn(async move {
            if let Err(error) = fetching.read_again(&tenant, &held).await {
                tracing::warn!(reference = %held.reference(), %error, "a secret could not be read again");
            }
            held.end_refresh();
        });
    }

    async fn read_again(&self, tenant: &TenantName, held: &Arc<Held>) -> Result<(), Error> {
        let reference = held.reference();
        let flight = self.turn(tenant, reference).await?;
        let current = self.cache.find(tenant, reference);
        if !current.is_some_and(|current| Arc::ptr_eq(&current, held)) {
            return Ok(());
        }
        match self.read(tenant, reference).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_passing() => {
                self.out_of_reach(held, &error);
                Err(error)
            }
            Err(error) => {
                // It is gone or not ours any more: from now on calls are told so.
                flight.failed(&error);
                self.cache.remove(tenant, reference.as_str());
                Err(error)
            }
        }
    }

    /// A secret, read once for all who ask at this moment.
    pub(crate) async fn fetch(&self, tenant: &TenantName, reference: &SecretRef) -> Result<Opened, Error> {
        let flight = self.turn(tenant, reference).await?;
        let now = self.clock.now();
        let held = self.cache.find(tenant, reference);
        if let Some(held) = &held
            && self.is_same(held, now).await?
        {
            return Ok(Opened::new(Arc::clone(held), now));
        }
        match self.read(tenant, reference).await {
            Ok(held) => Ok(Opened::new(held, now)),
            Err(error) => match held.filter(|held| error.is_passing() && held.is_usable(self.clock.now())) {
                Some(held) => {
                    self.out_of_reach(&held, &error);
                    tracing::warn!(%reference, %error, "lending a secret that could not be read again");
                    Ok(Opened::new(held, now))
                }
                None => {
                    flight.failed(&error);
                    Err(error)
                }
            },
        }
    }

    /// Whether a secret that is there needs no reading.
    async fn is_same(&self, held: &Held, now: Timestamp) -> Result<bool, Error> {
        let same = match held.freshness(now) {
            Freshness::Fresh | Freshness::Due => return Ok(true),
            Freshness::Doubtful => {
                let unsealed = self.unsealed.load_full().ok_or(Error::Sealed)?;
                let source = unsealed.sources.of(held.reference())?;
                within(held.reference(), source.stamp(held.reference())).await? == *held.stamp()
            }
            Freshness::Stale => false,
        };
        if same {
            held.looked_at(now);
        }
        Ok(same)
    }

    /// Reads a secret and keeps it. Where the keys were rotated while it was read, it is read once more with those of now.
    async fn read(&self, tenant: &TenantName, reference: &SecretRef) -> Result<Arc<Held>, Error> {
        // Before the keys, so that what is fetched with keys that are dropped meanwhile is not kept.
        let generation = self.cache.generation();
        let unsealed = self.unsealed.load_full().ok_or(Error::Sealed)?;
        match self.read_with(&unsealed, generation, (tenant, reference)).await {
            Err(damaged @ Error::Damaged(_)) => {
                let now = self.unsealed.load_full().ok_or(Error::Sealed)?;
                if Arc::ptr_eq(&now, &unsealed) {
                    return Err(damaged);
                }
                self.read_with(&now, generation, (tenant, reference)).await
            }
            done => done,
        }
    }

    async fn read_with(
        &self,
        unsealed: &Arc<Unsealed>,
        generation: Generation,
        (tenant, reference): (&TenantName, &SecretRef),
    ) -> Result<Arc<Held>, Error> {
        let now = self.clock.now();
        let (owned, ages) = (reference.clone(), self.ages);
        let held = if reference.scheme() == STORE {
            let (name, asked) = (stored_name(reference)?, self.asked(unsealed, tenant));
            waiting(move || asked.look(|stored| from_store(stored, (&owned, &name), ages, now))).await?
        } else {
            let asked = self.asked(unsealed, tenant);
            let source = unsealed.sources.of(reference)?;
            let fetched = within(reference, source.fetch(reference, &asked)).await?;
            let Fetched { secret, stamp, ends } = fetched;
            let found = Found { version: 0, secret, stamp, before: Vec::new(), ends, ages };
            waiting(move || Held::new(&owned, found, now)).await?
        };
        let held = Arc::new(held);
        self.cache.keep(generation, tenant, &held);
        Ok(held)
    }

    pub(crate) async fn probe(
        &self,
        tenant: &TenantName,
        (reference, stands): (&SecretRef, Stands),
        setup: &Setup,
    ) -> Result<Vec<Doubt>, Error> {
        let fits =
            |secret: &Secret| stands.check(secret).map_err(|why| Error::unfit(reference.as_str(), why));
        let (fetched, doubts) = match self.unsealed.load_full() {
            None if reference.scheme() == STORE => return Err(Error::Sealed),
            None => {
                let sources = Sources::new(setup);
                let lender = Locked(&sources, self.clock.now());
                within(reference, sources.probe(reference, &lender)).await?
            }
            Some(unsealed) => {
                let asked = self.asked(&unsealed, tenant);
                if reference.scheme() == STORE {
                    return fits(&asked.lend(reference).await?).map(|()| Vec::new());
                }
                within(reference, unsealed.sources.probe(reference, &asked)).await?
            }
        };
        fits(&fetched.secret).map(|()| doubts)
    }

    fn asked(&self, unsealed: &Arc<Unsealed>, tenant: &TenantName) -> Asked {
        let (storage, unsealed) = (Arc::clone(&self.storage), Arc::clone(unsealed));
        Asked { storage, unsealed, tenant: tenant.clone(), now: self.clock.now() }
    }

    async fn turn(&self, tenant: &TenantName, reference: &SecretRef) -> Result<Flight<'_>, Error> {
        within(reference, self.cache.flight(tenant, reference)).await
    }

    fn out_of_reach(&self, held: &Held, error: &Error) {
        if let Error::Source { why, .. } = error {
            held.out_of_reach(self.clock.now(), why);
        }
    }
}

/// One who asks a source: what it needs itself comes from our own store, or from a source that needs nothing.
struct Asked {
    storage: Arc<dyn Storage>,
    unsealed: Arc<Unsealed>,
    tenant: TenantName,
    now: Timestamp,
}

impl Asked {
    fn look<T>(&self, work: impl FnOnce(&Stored<'_>) -> Result<T, Error>) -> Result<T, Error> {
        work(&Stored::new(&*self.storage, &self.unsealed.keyring, &self.tenant))
    }
}

#[async_trait]
impl Lender for Asked {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn lend(&self, reference: &SecretRef) -> Result<Secret, Error> {
        if reference.scheme() != STORE {
            let source = self.unsealed.sources.of(reference)?;
            return Ok(source.fetch(reference, &Deepest(self.now)).await?.secret);
        }
        let (name, now) = (stored_name(reference)?, self.now);
        let Self { storage, unsealed, tenant, .. } = self;
        let asked = Self {
            storage: Arc::clone(storage),
            unsealed: Arc::clone(unsealed),
            tenant: tenant.clone(),
            now,
        };
        waiting(move || asked.look(|stored| stored.open(&name, now).map(|opened| opened.current.1))).await
    }
}

/// The same without keys.
pub(crate) struct Locked<'a>(pub(crate) &'a Sources, pub(crate) Timestamp);

#[async_trait]
impl Lender for Locked<'_> {
    fn now(&self) -> Timestamp {
        self.1
    }

    async fn lend(&self, reference: &SecretRef) -> Result<Secret, Error> {
        if reference.scheme() == STORE {
            return Err(Error::Sealed);
        }
        Ok(self.0.of(reference)?.fetch(reference, &Deepest(self.1)).await?.secret)
    }
}

fn from_store(
    stored: &Stored<'_>,
    (reference, name): (&SecretRef, &SecretName),
    ages: Ages,
    now: Timestamp,
) -> Result<Held, Error> {
    let opened = stored.open(name, now)?;
    let found = |version, secret, before| {
        let found = Found { version, secret, stamp: Stamp::Fixed, before, ends: None, ages };
        Held::new(reference, found, now)
    };
    let before = opened.before.into_iter().map(|(version, secret)| {
        let held = Arc::new(found(version.n, secret, Vec::new())?);
        Ok(Before { held, expires: version.expires })
    });
    let before = before.collect::<Result<Vec<_>, Error>>()?;
    let (version, secret) = opened.current;
    found(version.n, secret, before)
}

/// Waits for a source no longer than a call waits for its secret.
async fn within<T>(reference: &SecretRef, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::source(reference, Trouble::late("its source"))),
    }
}

/// How long a call waits for its secret, and a source for its answer.
const DEADLINE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
