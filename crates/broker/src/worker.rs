//! One thread's share of the broker: its connections to upstreams and its lane to the evidence.

use std::sync::{Arc, Mutex, PoisonError};

use evidence::Lane;
use model::{Code, EvidenceId, Refusal};
use net::Upstream;

use crate::Broker;
use crate::broker::Unsealed;

/// What calls run on; one per runtime thread.
pub struct Worker {
    broker: Arc<Broker>,
    upstream: Upstream,
    thread: usize,
    random: Mutex<Random>,
}

/// Random bytes for ids, taken from the system for many calls at once. An id is no secret; that nobody else makes the same
/// one is all that is asked of it.
struct Random {
    bytes: [u8; 10 * IDS],
    used: usize,
}

impl Worker {
    /// The worker of one thread, counted from 0.
    #[must_use]
    pub const fn new(broker: Arc<Broker>, upstream: Upstream, thread: usize) -> Self {
        let random = Mutex::new(Random { bytes: [0; 10 * IDS], used: IDS });
        Self { broker, upstream, thread, random }
    }

    /// What all threads share.
    #[must_use]
    pub const fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    pub(crate) const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(crate) fn lane(&self, unsealed: &Unsealed) -> Lane {
        unsealed.lane(self.thread).cloned().unwrap_or_else(|| unsealed.log().lane())
    }

    /// The id of a new call.
    pub(crate) fn new_id(&self) -> Result<EvidenceId, Refusal> {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match random.next() {
            Some(next) => next,
            None => {
                // Behind this line the old ones are gone, also when there are no new ones.
                random.used = IDS;
                random.bytes = self.broker.random()?;
                random.used = 0;
                random
                    .next()
                    .ok_or_else(|| Refusal::new(Code::SourceUnavailable, "there are no random bytes"))?
            }
        };
        Ok(EvidenceId::new(self.broker.now(), next))
    }
}

impl Random {
    /// The next ten bytes, each given once.
    fn next(&mut self) -> Option<[u8; 10]> {
        let next = self.bytes.get(self.used * 10..)?.first_chunk().copied()?;
        self.used += 1;
        Some(next)
    }
}

/// Ids for which random bytes are kept.
const IDS: usize = 64;

#[cfg(test)]
mod tests;
