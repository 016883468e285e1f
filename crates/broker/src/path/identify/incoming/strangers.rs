//! Addresses from which too much came that proved nobody. They wait before anything of theirs is checked again, so that nobody
//! tries passwords as fast as we can check them. Counted for each integration, so that a flood at one does not close another.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{IntegrationName, Timestamp};
use std::collections::HashMap;

/// Failures by address and integration.
#[derive(Default)]
pub(super) struct Strangers(Mutex<HashMap<(IpAddr, IntegrationName), Failures>>);

struct Failures {
    since: Timestamp,
    count: u32,
}

impl Strangers {
    /// How long an address has to wait, where it has to.
    pub(super) fn waits(
        &self,
        address: Option<IpAddr>,
        integration: &IntegrationName,
        now: Timestamp,
    ) -> Option<Duration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = known.get(&(network(address?), integration.clone()))?;
        let end = failures.since.after(PER);
        (failures.count >= MOST && now < end).then(|| end.since(now))
    }

    pub(super) fn failed(&self, address: Option<IpAddr>, integration: &IntegrationName, now: Timestamp) {
        let Some(address) = address else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.retain(|_, failures| now < failures.since.after(PER));
        }
        if known.len() >= KEPT {
            // Whoever has that many addresses is not stopped by counting them.
            known.clear();
        }
        let fresh = || Failures { since: now, count: 0 };
        let failures = known.entry((network(address), integration.clone())).or_insert_with(fresh);
        if now >= failures.since.after(PER) {
            *failures = fresh();
        }
        failures.count = failures.count.saturating_add(1);
    }

    pub(super) fn tidy(&self, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, failures| now < failures.since.after(PER));
    }
}

/// What is counted together: an address, of IPv6 the network that one subscriber has.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Failures that an address has in the time below.
const MOST: u32 = 300;
const PER: Duration = Duration::from_secs(60);
/// Most addresses that are counted.
const KEPT: usize = 65_536;

#[cfg(test)]
mod tests;
