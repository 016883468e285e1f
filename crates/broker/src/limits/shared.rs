//! Rates that several processes count together, in Redis.
//!
//! # Invariants
//!
//! - One script counts all rates of a call at once, by the clock of the server: no two calls race, and no replica's clock matters.
//! - A server that fails costs its deadline once; for a moment after that it is not asked, and what was configured holds instead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use catalog::Strategy;
use model::Quota;
use net::redis::{Error, Redis, RedisConfig};

use super::{Counted, Limits, Pace, Within};
use crate::path::record;

/// What holds while the server can't be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Each process counts for itself.
    #[default]
    Local,
    /// Calls with a rate are refused.
    Refuse,
    /// Nothing is counted, which the log says.
    Allow,
}

/// Counters in Redis.
pub struct SharedRates {
    redis: Redis,
    /// What stands before every key, so that others may use the same database.
    prefix: String,
    on_failure: OnFailure,
    began: Instant,
    /// Milliseconds since the beginning until which the server is not asked.
    rests: AtomicU64,
}

/// Why a call is not within its rates.
pub(crate) enum Over {
    /// A rate is broken.
    Rate(Quota),
    /// Nobody can tell.
    Unknown,
}

impl SharedRates {
    /// Counters on this server.
    #[must_use]
    pub fn new(config: RedisConfig, prefix: String, on_failure: OnFailure) -> Self {
        let redis = Redis::new(config, SCRIPT);
        Self { redis, prefix, on_failure, began: Instant::now(), rests: AtomicU64::new(0) }
    }

    /// Counts one call against each of the rates.
    pub(crate) async fn count(&self, own: &Limits, rates: Vec<(Counted, Pace)>) -> Result<Within, Over> {
        if rates.is_empty() {
            return Ok(Within { tightest: None });
        }
        let answer = if self.resting() { None } else { self.asked(&rates).await };
        match (answer, self.on_failure) {
            (Some(answer), _) => told(&rates, &answer),
            (None, OnFailure::Local) => own.count(rates.into_iter()).map_err(Over::Rate),
            (None, OnFailure::Refuse) => Err(Over::Unknown),
            (None, OnFailure::Allow) => Ok(Within { tightest: None }),
        }
    }

    async fn asked(&self, rates: &[(Counted, Pace)]) -> Option<Vec<i64>> {
        let keys: Vec<String> = rates.iter().map(|(counted, pace)| self.key(counted, pace)).collect();
        let arguments: Vec<String> = rates.iter().flat_map(|(_, pace)| arguments(pace)).collect();
        let answer = match self.redis.run(&keys, &arguments).await {
            Ok(answer) if answer.len() == rates.len() * 3 => return Some(answer),
            Ok(_) => Error::Strange(self.redis.place()),
            Err(error) => error,
        };
        let until = self.millis().saturating_add(u64::try_from(REST.as_millis()).unwrap_or(u64::MAX));
        self.rests.store(until, Ordering::Relaxed);
        let instead = match self.on_failure {
            OnFailure::Local => "each process counts for itself",
            OnFailure::Refuse => "calls with a rate are refused",
            OnFailure::Allow => "nothing is counted",
        };
        tracing::warn!(
            error = &answer as &dyn std::error::Error,
            "rates can't be counted in Redis; {instead}"
        );
        None
    }

    fn resting(&self) -> bool {
        self.rests.load(Ordering::Relaxed) > self.millis()
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The key of a counter. Names hold no `:`, so no two are one.
    fn key(&self, counted: &Counted, pace: &Pace) -> String {
        let what = match counted {
            Counted::Integration(tenant, name) => format!("i:{tenant}:{name}"),
            Counted::Caller(tenant, principal, name) => format!("c:{tenant}:{name}:{principal}"),
            // What holds `:` stands last.
            Counted::Nameless(tenant, address, name) => format!("a:{tenant}:{name}:{address}"),
            Counted::Class(tenant, class) => format!("t:{tenant}:{class}"),
            Counted::Question(tenant, principal) => format!("q:{tenant}:{principal}"),
            Counted::Capability(counter) => {
                let id = record::counted(*counter);
                format!("p:{}", id.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            }
        };
        format!("{}rate:{}:{}/{}:{what}", self.prefix, word(pace.strategy), pace.calls, pace.per.as_millis())
    }
}

fn told(rates: &[(Counted, Pace)], answer: &[i64]) -> Result<Within, Over> {
    let mut within = Within { tightest: None };
    for ((counted, pace), told) in rates.iter().zip(answer.chunks_exact(3)) {
        let [admitted, left, wait] = told else { return Err(Over::Unknown) };
        let left = u32::try_from(*left).unwrap_or(0);
        let reset = Duration::from_micros(u64::try_from(*wait).unwrap_or(0));
        let quota = Quota { policy: counted.policy(), calls: pace.calls, per: pace.per, left, reset };
        match admitted {
            1 if within.tightest.is_none_or(|tightest| left < tightest.left) => within.tightest = Some(quota),
            1 => {}
            _ => return Err(Over::Rate(quota)),
        }
    }
    Ok(within)
}

fn arguments(pace: &Pace) -> [String; 3] {
    [word(pace.strategy).to_owned(), pace.calls.to_string(), pace.per.as_micros().max(1).to_string()]
}

const fn word(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::TokenBucket | Strategy::LeakyBucket => "bucket",
        Strategy::FixedWindow => "fixed",
        // Where several processes count together, two numbers are kept for each, and not every call.
        Strategy::SlidingWindow | Strategy::Exact => "sliding",
    }
}

/// How long a server that failed is not asked.
const REST: Duration = Duration::from_secs(1);
/// What [`super::strategy`] does, in microseconds of the server's clock. Behind a rate that is broken, nothing is counted.
const SCRIPT: &str = include_str!("rates.lua");

#[cfg(test)]
mod tests;
