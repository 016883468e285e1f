//! Rates: of an integration, of a caller on it, and of a capability.
//!
//! A rate is counted by governor's GCRA, a bucket that fills evenly; a fixed window would let twice the rate through at its
//! border. Counters are in memory: one process, one count.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use model::{IntegrationName, PrincipalName, TenantName};
use policy::Counter;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// All calls of a tenant to an integration.
    Integration(TenantName, IntegrationName),
    /// The calls of one principal to an integration.
    Caller(TenantName, PrincipalName, IntegrationName),
    /// What came from one address without any proof.
    Address(IpAddr),
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
    by_pace: RwLock<HashMap<Pace, Arc<DefaultKeyedRateLimiter<Counted>>>>,
    clock: DefaultClock,
}

impl Limits {
    /// Counts one call against each of the rates, or says how long to wait. Those counted before the one that refuses stay
    /// counted: a caller that hammers at a limit doesn't get more out of the others.
    pub(crate) fn count(&self, rates: impl Iterator<Item = (Counted, Pace)>) -> Result<Within, Duration> {
        for (counted, pace) in rates {
            let limiter = self.limiter(pace).ok_or(pace.per)?;
            limiter.check_key(&counted).map_err(|until| until.wait_time_from(self.clock.now()))?;
        }
        Ok(Within(()))
    }

    /// Forgets counters that are full again; called now and then, so that names that came once do not pile up.
    pub(crate) fn tidy(&self) {
        let mut known = self.by_pace.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Whoever narrows a capability chooses its pace, so paces must not pile up either. One that is being counted stays.
        known.retain(|_, limiter| {
            limiter.retain_recent();
            !limiter.is_empty() || Arc::strong_count(limiter) > 1
        });
    }

    fn limiter(&self, pace: Pace) -> Option<Arc<DefaultKeyedRateLimiter<Counted>>> {
        let known =
            self.by_pace.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&pace).cloned();
        if known.is_some() {
            return known;
        }
        let calls = NonZeroU32::new(pace.calls)?;
        let every = pace.per.checked_div(pace.calls)?.max(Duration::from_nanos(1));
        let quota = Quota::with_period(every)?.allow_burst(calls);
        let fresh = Arc::new(DefaultKeyedRateLimiter::keyed(quota));
        let mut all = self.by_pace.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(all.entry(pace).or_insert(fresh).clone())
    }
}

#[cfg(test)]
mod tests;
