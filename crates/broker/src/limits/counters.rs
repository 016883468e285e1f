//! Counters by name, in memory: as many as are in use, and never more than a bound.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::strategy::{Pace, State, Taken};

/// Counters of one kind. A name can be counted at several paces.
pub(super) struct Counters<K, S> {
    shards: Vec<Mutex<Shard<K, S>>>,
    hasher: S,
    /// Most counters of a shard.
    most: usize,
}

type Shard<K, S> = HashMap<(K, Pace), State, S>;

impl<K: Hash + Eq + Clone, S: BuildHasher + Default> Counters<K, S> {
    /// None yet; at most so many.
    pub(super) fn new(most: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: S::default(), most: most.div_ceil(SHARDS) }
    }

    /// Counts one call at this time.
    pub(super) fn take(&self, key: K, pace: Pace, now: u64) -> Taken {
        let key = (key, pace);
        let Some(mut shard) = self.shard(&key) else {
            return Taken { admitted: false, left: 0, wait: 1 };
        };
        if let Some(state) = shard.get_mut(&key) {
            return state.take(&pace, now);
        }
        if shard.len() >= self.most {
            make_room(&mut shard, now);
        }
        shard.entry(key).or_insert_with(|| State::new(pace.strategy, now)).take(&pace, now)
    }

    /// Forgets counters that know nothing any more.
    pub(super) fn tidy(&self, now: u64) {
        for shard in &self.shards {
            let mut shard = held(shard);
            shard.retain(|(_, pace), state| state.idle_at(pace) > now);
            // Names that came in a flood do not keep its memory.
            if shard.capacity() > 64 && shard.len() < shard.capacity() / 4 {
                shard.shrink_to_fit();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| held(shard).len()).sum()
    }

    fn shard(&self, key: &(K, Pace)) -> Option<MutexGuard<'_, Shard<K, S>>> {
        // The low bits choose a place within the shard.
        let place = usize::try_from(self.hasher.hash_one(key) >> 57).unwrap_or(0) % SHARDS;
        self.shards.get(place).map(held)
    }
}

/// Takes idle counters out, and where there are none, the one of a few that will be idle first: whose limit is nearest to being
/// whole again gains least.
fn make_room<K: Hash + Eq + Clone, S: BuildHasher>(shard: &mut Shard<K, S>, now: u64) {
    let before = shard.len();
    shard.retain(|(_, pace), state| state.idle_at(pace) > now);
    if shard.len() < before {
        return;
    }
    let first = shard.iter().take(SAMPLE).min_by_key(|((_, pace), state)| state.idle_at(pace));
    if let Some(key) = first.map(|(key, _)| key.clone()) {
        shard.remove(&key);
    }
}

fn held<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

const SHARDS: usize = 64;
const SAMPLE: usize = 16;

#[cfg(test)]
mod tests;
