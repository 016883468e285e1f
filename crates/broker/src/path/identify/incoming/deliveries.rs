//! Which deliveries were carried already, so that the same one is not carried twice.
//!
//! A delivery is under way until its call ends. Where that ended well it is remembered as carried for as long as its scheme says;
//! where it did not, it is forgotten, because its sender will try again. What is remembered is in this process only.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Code, IntegrationName, QuickMap, Refusal, Retry, Timestamp};

type Key = [u8; 16];

/// Deliveries of all integrations.
#[derive(Default)]
pub(crate) struct Deliveries(Mutex<QuickMap<IntegrationName, Known>>);

#[derive(Default)]
struct Known {
    seen: QuickMap<Key, State>,
    /// Those that were carried, the oldest first.
    carried: VecDeque<(Key, Timestamp)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    UnderWay,
    CarriedUntil(Timestamp),
}

/// One delivery that is under way. Forgotten when it is dropped before it was [carried](Self::carried).
pub(crate) struct Delivery {
    all: Arc<Deliveries>,
    integration: IntegrationName,
    key: Key,
    until: Timestamp,
    carried: AtomicBool,
}

impl Deliveries {
    /// Begins a delivery that is neither under way nor carried.
    pub(super) fn begin(
        self: &Arc<Self>,
        integration: &IntegrationName,
        key: Key,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Delivery, Refusal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(integration.clone()).or_default();
        known.forget(now);
        match known.seen.get(&key) {
            Some(State::UnderWay) => {
                // What comes of it is not known yet, so its sender may have to come again.
                return Err(replayed("is being carried already").retry(Retry::Safe));
            }
            Some(State::CarriedUntil(end)) if now < *end => return Err(replayed("was carried already")),
            Some(State::CarriedUntil(_)) | None => {}
        }
        known.seen.insert(key, State::UnderWay);
        drop(all);
        let (all, integration) = (Arc::clone(self), integration.clone());
        Ok(Delivery { all, integration, key, until, carried: AtomicBool::new(false) })
    }

    pub(super) fn tidy(&self, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| {
            known.forget(now);
            !known.seen.is_empty()
        });
    }
}

impl Known {
    /// Forgets what is over, and the oldest where there are too many.
    fn forget(&mut self, now: Timestamp) {
        while let Some((key, until)) = self.carried.front().copied() {
            if now < until && self.carried.len() < MOST {
                break;
            }
            self.carried.pop_front();
            // It may have come again since.
            if self.seen.get(&key) == Some(&State::CarriedUntil(until)) {
                self.seen.remove(&key);
            }
        }
    }
}

impl Delivery {
    /// It ended well, and is not carried again.
    pub(crate) fn carried(&self) {
        if self.carried.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(self.integration.clone()).or_default();
        known.seen.insert(self.key, State::CarriedUntil(self.until));
        known.carried.push_back((self.key, self.until));
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if *self.carried.get_mut() {
            return;
        }
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(&self.integration) {
            known.seen.remove(&self.key);
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("integration", &self.integration).finish_non_exhaustive()
    }
}

fn replayed(what: &str) -> Refusal {
    Refusal::new(Code::Replayed, format!("this delivery {what}"))
        .retry(Retry::No)
        .hint("nothing is lost: the sender may count it as delivered")
}

/// Most deliveries of one integration that are remembered; beyond them the oldest may come again.
const MOST: usize = 1 << 18;

#[cfg(test)]
mod tests;
