//! Gives out capabilities from a cache, asks for new ones, cleans up, revokes at the end.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::agent::{Asks, Revoke, secure_use};
use crate::metrics::count;
use crate::{Cache, Capability, CapabilityRequest, Error};

/// Keeps capabilities for a program. Threads that want the same one at the same time ask once.
pub struct Keeper<A: Asks> {
    agent: A,
    shared: Arc<Shared>,
    asking: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    sweeper: Option<JoinHandle<()>>,
    revoke: Revoke,
}

struct Shared {
    cache: Mutex<Cache>,
    done: Mutex<bool>,
    wake: Condvar,
}

impl<A: Asks> Keeper<A> {
    /// A keeper with a cache of 1000 that is cleaned each minute; with [`Revoke::Afterwards`], what is kept is revoked
    /// by [`Keeper::close`].
    #[must_use]
    pub fn new(agent: A, revoke: Revoke) -> Self {
        Self::with(agent, Cache::default(), Duration::from_secs(60), revoke)
    }

    /// A keeper with another cache, cleaned as often as `every`.
    #[must_use]
    pub fn with(agent: A, cache: Cache, every: Duration, revoke: Revoke) -> Self {
        let shared =
            Arc::new(Shared { cache: Mutex::new(cache), done: Mutex::new(false), wake: Condvar::new() });
        let swept = Arc::clone(&shared);
        let sweeper = thread::Builder::new().name("doorward-sweep".to_owned());
        // Without the thread nothing is wrong: what is over is not given out, and goes when others come.
        let sweeper = sweeper.spawn(move || swept.sweep(every)).ok();
        Self { agent, shared, asking: Mutex::default(), sweeper, revoke }
    }

    /// The agent that is asked.
    pub const fn agent(&self) -> &A {
        &self.agent
    }

    /// A capability from the cache, or a new one.
    ///
    /// # Errors
    /// [`Error::Denied`] where a policy says no; as [`Asks::request`] otherwise.
    pub fn capability(&self, request: &CapabilityRequest) -> Result<Arc<Capability>, Error> {
        let key = key(request);
        let asking = Arc::clone(locked(&self.asking).entry(key.clone()).or_default());
        // Whoever comes second waits here until the first one has its answer.
        let _one = locked(&asking);
        if let Some(kept) = locked(&self.shared.cache).take(&key, SystemTime::now()) {
            count(&self.agent.metrics().cache_hits);
            return Ok(kept);
        }
        count(&self.agent.metrics().cache_misses);
        let mut response = self.agent.request(request)?;
        if response.granted().is_none() {
            return Err(Error::Denied(Box::new(response)));
        }
        let capability = response.capability.take().map(Arc::new);
        let capability = capability.ok_or_else(|| Error::Denied(Box::new(response)))?;
        locked(&self.shared.cache).keep(&key, Arc::clone(&capability), SystemTime::now());
        locked(&self.asking).retain(|_, lock| Arc::strong_count(lock) > 1);
        Ok(capability)
    }

    /// Takes a capability, validates it, and runs `usage` with it. One that fails is forgotten.
    ///
    /// # Errors
    /// As [`Keeper::capability`] and [`secure_use`].
    pub fn use_with<T, E: From<Error>>(
        &self,
        request: &CapabilityRequest,
        revoke: Revoke,
        usage: impl FnOnce(&Capability) -> Result<T, E>,
    ) -> Result<T, E> {
        let capability = self.capability(request)?;
        let used = secure_use(&self.agent, &capability.id, revoke, || usage(&capability));
        if used.is_err() || revoke == Revoke::Afterwards {
            locked(&self.shared.cache).forget(&capability.id);
        }
        used
    }

    /// Ends a capability, here and at the agent.
    ///
    /// # Errors
    /// As [`Asks::revoke`].
    pub fn revoke(&self, id: &str, reason: &str) -> Result<(), Error> {
        locked(&self.shared.cache).forget(id);
        self.agent.revoke(id, reason)
    }

    /// How many capabilities are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        locked(&self.shared.cache).count()
    }

    /// Stops cleaning, and revokes where that was asked for.
    ///
    /// # Errors
    /// The first failure to revoke; what could not be revoked ends by itself.
    pub fn close(mut self) -> Result<(), Error> {
        self.stop();
        let kept = locked(&self.shared.cache).drain();
        if self.revoke == Revoke::No {
            return Ok(());
        }
        let tried = kept.iter().map(|one| self.agent.revoke(&one.id, "the program has ended"));
        tried.fold(Ok(()), Result::and)
    }

    fn stop(&mut self) {
        *locked(&self.shared.done) = true;
        self.shared.wake.notify_all();
        if let Some(sweeper) = self.sweeper.take() {
            // A sweeper that panicked has nothing that anybody waits for.
            let _ = sweeper.join();
        }
    }
}

impl<A: Asks> Drop for Keeper<A> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn sweep(&self, every: Duration) {
        let mut done = locked(&self.done);
        while !*done {
            let waited = self.wake.wait_timeout(done, every).unwrap_or_else(PoisonError::into_inner);
            done = waited.0;
            if waited.1.timed_out() {
                locked(&self.cache).sweep(SystemTime::now());
            }
        }
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for requests that ask for the same.
fn key(request: &CapabilityRequest) -> String {
    let mut sorted = request.clone();
    sorted.actions.sort_unstable();
    json!(sorted).to_string()
}
