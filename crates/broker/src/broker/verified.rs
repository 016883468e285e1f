//! Capabilities whose chain was verified once, by the SHA-256 of their text.
//!
//! Reading and verifying a capability costs about 4 microseconds, an eighth of a call (docs/decisions/0004). What is kept says
//! only that a chain was made with the root key; grant, revocations, caveats and policy are looked at with every call. It lives and
//! ends with the keys that it was verified with.

use std::sync::{Arc, PoisonError, RwLock};

use crypto::Digest;
use model::QuickMap;
use policy::Verified;

/// See the module.
#[derive(Default)]
pub(crate) struct VerifiedCache(RwLock<QuickMap<Digest, Arc<Verified>>>);

impl VerifiedCache {
    pub(crate) fn find(&self, fingerprint: &Digest) -> Option<Arc<Verified>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    pub(crate) fn keep(&self, fingerprint: Digest, verified: &Arc<Verified>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            // Whoever narrows anew for each call gains nothing from the cache, and costs the others little.
            known.clear();
        }
        known.insert(fingerprint, Arc::clone(verified));
    }
}

const MOST: usize = 4_096;
