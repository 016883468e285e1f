//! A secret in memory, and the handle that lends it to one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memory::Secret;
use model::{SecretRef, Timestamp};

use crate::Error;
use crate::error::Unfit;
use crate::mask::{Mask, Unmaskable};
use crate::source::Stamp;

/// A secret with what masks it, shared by the cache and the calls that it is lent to.
pub(crate) struct Held {
    reference: SecretRef,
    version: u64,
    secret: Secret,
    mask: Arc<Mask>,
    previous: Option<Previous>,
    stamp: Stamp,
    fetched: Timestamp,
    checked: AtomicU64,
}

/// The version before, until its overlap ends.
pub(crate) struct Previous {
    pub(crate) held: Arc<Held>,
    pub(crate) expires: Option<Timestamp>,
}

/// What a secret was found as.
pub(crate) struct Found {
    pub(crate) version: u64,
    pub(crate) secret: Secret,
    pub(crate) stamp: Stamp,
    pub(crate) previous: Option<Previous>,
}

/// A secret that is lent to one call. Cannot be cloned, printed or kept beyond the call.
pub struct Opened {
    held: Arc<Held>,
    at: Timestamp,
}

/// Whether a held secret may be lent without looking at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It may.
    Fresh,
    /// Only when its stamp is still the same.
    Doubtful,
    /// It must be read again.
    Stale,
}

impl Held {
    pub(crate) fn new(reference: &SecretRef, found: Found, now: Timestamp) -> Result<Self, Error> {
        let Found { version, secret, stamp, previous } = found;
        let mask = Mask::new(&secret).map_err(|why| match why {
            Unmaskable::Short => Error::unfit(reference.as_str(), Unfit::Short),
            Unmaskable::Memory | Unmaskable::Search => Error::Crypto(crypto::Error::Memory),
        })?;
        Ok(Self {
            reference: reference.clone(),
            version,
            secret,
            mask: Arc::new(mask),
            previous,
            stamp,
            fetched: now,
            checked: AtomicU64::new(now.millis()),
        })
    }

    pub(crate) fn freshness(&self, now: Timestamp) -> Freshness {
        let checked = Timestamp::from_millis(self.checked.load(Ordering::Relaxed));
        match self.stamp {
            Stamp::Fixed => Freshness::Fresh,
            // A clock that was set back must not make a secret fresh for as long as it was set back.
            Stamp::File(_) if now < checked || now.since(self.fetched) >= LIFE => Freshness::Stale,
            Stamp::File(_) if now.since(checked) >= LOOK => Freshness::Doubtful,
            Stamp::File(_) => Freshness::Fresh,
        }
    }

    pub(crate) const fn reference(&self) -> &SecretRef {
        &self.reference
    }

    pub(crate) const fn fetched(&self) -> Timestamp {
        self.fetched
    }

    pub(crate) const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    pub(crate) fn looked_at(&self, now: Timestamp) {
        self.checked.store(now.millis(), Ordering::Relaxed);
    }
}

// === impl Opened ===

impl Opened {
    pub(crate) const fn new(held: Arc<Held>, at: Timestamp) -> Self {
        Self { held, at }
    }

    /// Lends the bytes to `use_it`, which puts them on a request.
    #[expect(clippy::disallowed_methods, reason = "the one place where a lent secret is used")]
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        self.held.secret.expose(use_it)
    }

    /// What masks this secret in whatever comes back.
    #[must_use]
    pub fn mask(&self) -> &Arc<Mask> {
        &self.held.mask
    }

    /// Its version in our own store; 0 where its source has none.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.held.version
    }

    /// Where it was found.
    #[must_use]
    pub fn reference(&self) -> &SecretRef {
        self.held.reference()
    }

    /// The version before, while its overlap lasts: for an upstream that does not know the new one yet.
    #[must_use]
    pub fn previous(&self) -> Option<Self> {
        let previous = self.held.previous.as_ref()?;
        let usable = previous.expires.is_some_and(|end| self.at < end);
        usable.then(|| Self { held: Arc::clone(&previous.held), at: self.at })
    }
}

/// How long a file is trusted not to have changed.
const LOOK: Duration = Duration::from_secs(1);
/// After this long it is read again, whatever its stamp says.
const LIFE: Duration = Duration::from_secs(60);
