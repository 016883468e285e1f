//! What exists only while the keys are in memory.

use std::sync::Arc;

use arc_swap::ArcSwap;
use crypto::MacKey;
use evidence::{Lane, Log};
use model::TenantName;
use secrets::{Keyring, Secrets};

use super::running::Running;
use super::verified::VerifiedCache;

/// What exists only while the keys are in memory.
pub(crate) struct Unsealed {
    keyring: ArcSwap<Keyring>,
    secrets: Arc<Secrets>,
    running: Arc<Running>,
    verified: VerifiedCache,
}

impl Unsealed {
    pub(super) fn new(keyring: Arc<Keyring>, secrets: Arc<Secrets>, running: Arc<Running>) -> Self {
        Self { keyring: ArcSwap::new(keyring), secrets, running, verified: VerifiedCache::default() }
    }

    pub(crate) fn capability_root(&self, tenant: &TenantName) -> Option<Arc<MacKey>> {
        self.keyring.load().house().capability_root(tenant).ok()
    }

    /// The keys.
    pub(super) fn keyring(&self) -> Arc<Keyring> {
        self.keyring.load_full()
    }

    /// The key under which what callers present is hashed.
    pub(crate) fn hashing_key(&self) -> Arc<MacKey> {
        self.keyring.load().house().hashing_key()
    }

    /// Takes the keys that there are now, after a tenant came or went.
    pub(crate) fn rekeyed(&self) {
        if let Ok(keyring) = self.secrets.keyring() {
            self.keyring.store(keyring);
        }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn log(&self) -> &Log {
        self.running.log()
    }

    /// Capabilities whose chain was verified with these keys.
    pub(crate) const fn verified(&self) -> &VerifiedCache {
        &self.verified
    }

    /// The lane of one of the threads.
    pub(crate) fn lane(&self, thread: usize) -> Option<&Lane> {
        self.running.lane(thread)
    }
}
