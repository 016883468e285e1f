//! Browsers that were sent away to sign in, and are not back yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::Digest;
use model::Timestamp;
use zeroize::Zeroizing;

use crate::path::identify::incoming::id_token::Endpoints;

/// One of them.
pub(super) struct Flow {
    pub(super) nonce: Zeroizing<String>,
    pub(super) verifier: Zeroizing<String>,
    /// The hash of what its cookie holds.
    pub(super) binding: Digest,
    pub(super) until: Timestamp,
    /// Where it was sent: the code is redeemed at the same provider, whatever its document says meanwhile.
    pub(super) endpoints: Arc<Endpoints>,
}

/// All of them, by the hash of their state.
#[derive(Default)]
pub(super) struct Flows(Mutex<BTreeMap<Digest, Flow>>);

impl Flows {
    /// Remembers one. Where there is no room, the one that began first goes: it takes more of them than any one address can begin
    /// in the time that somebody has.
    pub(super) fn begin(&self, state: &str, flow: Flow, now: Timestamp) {
        let mut flows = self.locked();
        if flows.len() >= MOST {
            flows.retain(|_, flow| now < flow.until);
        }
        if flows.len() >= MOST
            && let Some(first) = flows.iter().min_by_key(|(_, flow)| flow.until).map(|(state, _)| *state)
        {
            flows.remove(&first);
        }
        flows.insert(found_by(state), flow);
    }

    /// Takes one out, where it is not over.
    pub(super) fn take(&self, state: &str, now: Timestamp) -> Option<Flow> {
        self.locked().remove(&found_by(state)).filter(|flow| now < flow.until)
    }

    /// Forgets what is over.
    pub(super) fn tidy(&self, now: Timestamp) {
        self.locked().retain(|_, flow| now < flow.until);
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Digest, Flow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found_by(state: &str) -> Digest {
    crypto::sha256(&[state.as_bytes()])
}

/// An address begins at most 120 a minute, so 1,200 in the ten minutes that one of these lives.
const MOST: usize = 16 * 1024;
