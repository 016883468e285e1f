//! Rates: of an integration, of a caller on it, and of a capability.
//!
//! How a rate is counted is its strategy's; the usual one is a bucket that fills evenly. Counters live as long as the process: a
//! reload of files keeps them. They go by the names of integrations and principals, which have one spelling.

mod counters;
pub(crate) mod shared;
mod strategy;

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use model::{IntegrationName, PrincipalName, QuickHash, Quota, TenantName};
use policy::Counter;

use crate::Broker;
use counters::Counters;
use shared::SharedRates;
pub(crate) use strategy::Pace;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// All calls of a tenant to an integration.
    Integration(TenantName, IntegrationName),
    /// The calls of one principal to an integration.
    Caller(TenantName, PrincipalName, IntegrationName),
    /// The calls that come from one network to an integration, of callers whom no proof gave a name.
    Nameless(TenantName, IpAddr, IntegrationName),
    /// The calls of a tenant of one class, such as those that set something up.
    Class(TenantName, &'static str),
    /// The calls under a grant or narrowing.
    Capability(Counter),
    /// The approvals that a principal asks for.
    Question(TenantName, PrincipalName),
}

impl Counted {
    /// What a caller is told whose rate it is.
    const fn policy(&self) -> &'static str {
        match self {
            Self::Integration(..) => "integration",
            Self::Caller(..) | Self::Nameless(..) => "caller",
            Self::Class(..) => "tenant",
            Self::Capability(_) => "capability",
            Self::Question(..) => "approvals",
        }
    }
}

/// Proof that a call is within its rates.
#[derive(Debug)]
#[must_use]
pub(crate) struct Within {
    tightest: Option<Quota>,
}

impl Within {
    /// How the rate stands of which least is left; none where there is no rate.
    pub(crate) const fn tightest(&self) -> Option<&Quota> {
        self.tightest.as_ref()
    }
}

/// All counters of a process.
pub(crate) struct Limits {
    /// Times are counted from here: the clock of the wall may be set, and this one can't.
    began: Instant,
    proven: Counters<Counted, QuickHash>,
    /// By the address of whoever proved nothing.
    strangers: Counters<IpAddr, RandomState>,
    /// The same, where an integration asks for no name.
    nameless: Counters<Counted, RandomState>,
    /// Where several processes count together.
    shared: OnceLock<SharedRates>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            proven: Counters::new(MOST),
            strangers: Counters::new(MOST),
            nameless: Counters::new(MOST),
            shared: OnceLock::new(),
        }
    }
}

impl Limits {
    /// Counts one call against each of the rates, or says how the one stands that it breaks. Those counted before the one that
    /// refuses stay counted: a caller that hammers at a limit doesn't get more out of the others.
    pub(crate) fn count(&self, rates: impl Iterator<Item = (Counted, Pace)>) -> Result<Within, Quota> {
        let mut within = Within { tightest: None };
        let mut now = None;
        for (counted, pace) in rates {
            // Read only where something is counted.
            let now = *now.get_or_insert_with(|| self.now());
            let policy = counted.policy();
            let taken = match &counted {
                Counted::Nameless(..) => self.nameless.take(counted, pace, now),
                _ => self.proven.take(counted, pace, now),
            };
            let (left, reset) = (taken.left, Duration::from_nanos(taken.wait));
            let quota = Quota { policy, calls: pace.calls, per: pace.per, left, reset };
            if !taken.admitted {
                return Err(quota);
            }
            if within.tightest.is_none_or(|tightest| left < tightest.left) {
                within.tightest = Some(quota);
            }
        }
        Ok(within)
    }

    /// Counts what came from an address without any proof, or says how long to wait.
    pub(crate) fn count_stranger(&self, address: IpAddr, pace: Pace) -> Result<Within, Duration> {
        let taken = self.strangers.take(address, pace, self.now());
        match taken.admitted {
            true => Ok(Within { tightest: None }),
            false => Err(Duration::from_nanos(taken.wait)),
        }
    }

    /// Counts a question for an approval: whoever asks without end must not fill the desk of those who decide.
    pub(crate) fn count_question(
        &self,
        tenant: &TenantName,
        principal: &PrincipalName,
    ) -> Result<Within, Duration> {
        let pace = Pace {
            calls: QUESTIONS,
            per: Duration::from_secs(3_600),
            strategy: catalog::Strategy::TokenBucket,
        };
        let taken = self.proven.take(Counted::Question(tenant.clone(), principal.clone()), pace, self.now());
        match taken.admitted {
            true => Ok(Within { tightest: None }),
            false => Err(Duration::from_nanos(taken.wait)),
        }
    }

    /// Where several processes count together, where they do.
    pub(crate) fn shared(&self) -> Option<&SharedRates> {
        self.shared.get()
    }

    /// Forgets counters that know nothing any more; called now and then, so that names that came once do not pile up.
    pub(crate) fn tidy(&self) {
        let now = self.now();
        self.proven.tidy(now);
        self.strangers.tidy(now);
        self.nameless.tidy(now);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Broker {
    /// Counts rates together with other processes from now on. Before any door opens, and once: what was said first holds.
    pub fn share_rates(&self, shared: SharedRates) {
        let _ = self.limits().shared.set(shared);
    }
}

/// Most counters of a kind: some 20 MB.
const MOST: usize = 128 * 1024;

/// Approvals that a principal may ask for in an hour.
const QUESTIONS: u32 = 120;

#[cfg(test)]
mod tests;
