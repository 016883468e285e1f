//! Rates: of an integration, of a caller on it, and of a capability.
//!
//! A rate is counted by governor's GCRA, a bucket that fills evenly; a fixed window would let twice the rate through at its
//! border. Counters are in memory: one process, one count.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use model::{IntegrationName, PrincipalName, QuickHash, QuickMap, TenantName};
use policy::Counter;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// All calls of a tenant to an integration.
    Integration(TenantName, IntegrationName),
    /// The calls of one principal to an integration.
    Caller(TenantName, PrincipalName, IntegrationName),
    /// The calls under a grant or narrowing.
    Capability(Counter),
}

/// So many calls in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pace {
    pub(crate) calls: u32,
    pub(crate) per: Duration,
}

/// Proof that a call is within its rates.
#[derive(Debug)]
#[must_use]
pub(crate) struct Within(());

/// All counters of a process.
#[derive(Default)]
pub(crate) struct Limits {
    proven: Paces<Counted, QuickHash>,
    /// By the address of whoever proved nothing.
    strangers: Paces<IpAddr, RandomState>,
}

/// Counters by their pace; a key can be counted at several.
struct Paces<K: Hash + Eq + Clone, S: BuildHasher + Clone> {
    limiters: RwLock<QuickMap<Pace, Limiter<K, S>>>,
    clock: DefaultClock,
}

type Limiter<K, S> = RateLimiter<K, DashMapStateStore<K, S>, DefaultClock>;

impl Limits {
    /// Counts one call against each of the rates, or says how long to wait. Those counted before the one that refuses stay
    /// counted: a caller that hammers at a limit doesn't get more out of the others.
    pub(crate) fn count(&self, rates: impl Iterator<Item = (Counted, Pace)>) -> Result<Within, Duration> {
        for (counted, pace) in rates {
            self.proven.count(&counted, pace)?;
        }
        Ok(Within(()))
    }

    /// Counts what came from an address without any proof.
    pub(crate) fn count_stranger(&self, address: IpAddr, pace: Pace) -> Result<Within, Duration> {
        self.strangers.count(&address, pace).map(Within)
    }

    /// Forgets counters that are full again; called now and then, so that names that came once do not pile up.
    pub(crate) fn tidy(&self) {
        self.proven.tidy();
        self.strangers.tidy();
    }
}

impl<K: Hash + Eq + Clone, S: BuildHasher + Clone + Default> Paces<K, S> {
    fn count(&self, key: &K, pace: Pace) -> Result<(), Duration> {
        let check = |limiter: &Limiter<K, S>| {
            limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
        };
        if let Some(limiter) = self.limiters.read().unwrap_or_else(PoisonError::into_inner).get(&pace) {
            return check(limiter);
        }
        let fresh = limiter(pace).ok_or(pace.per)?;
        let mut known = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        check(known.entry(pace).or_insert(fresh))
    }

    fn tidy(&self) {
        let mut known = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever narrows a capability chooses its pace, so paces must not pile up either.
        known.retain(|_, limiter| {
            limiter.retain_recent();
            !limiter.is_empty()
        });
    }
}

impl<K: Hash + Eq + Clone, S: BuildHasher + Clone> Default for Paces<K, S> {
    fn default() -> Self {
        Self { limiters: RwLock::default(), clock: DefaultClock::default() }
    }
}

/// What counts at this pace; `None` for a pace that allows nothing.
fn limiter<K: Hash + Eq + Clone, S: BuildHasher + Clone + Default>(pace: Pace) -> Option<Limiter<K, S>> {
    let calls = NonZeroU32::new(pace.calls)?;
    let every = pace.per.checked_div(pace.calls)?.max(Duration::from_nanos(1));
    let quota = Quota::with_period(every)?.allow_burst(calls);
    Some(RateLimiter::dashmap_with_hasher(quota, S::default()))
}

#[cfg(test)]
mod tests;
