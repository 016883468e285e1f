//! Decisions that were made before, for a while. Only such that follow from identity, resource and actions alone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Timestamp;

use super::evaluate::Verdict;
use super::{Action, Question};

/// How much is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// The most decisions; 0 keeps none.
    pub size: usize,
    /// How long a decision is given again.
    pub ttl: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { size: 1000, ttl: Duration::from_secs(300) }
    }
}

/// What the cache did. Each decision is counted once, as a hit or as a miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// Decisions that were given again.
    pub hits: u64,
    /// Decisions that were made.
    pub misses: u64,
    /// Those of the misses that could not be kept, because a rule read the time or another fact.
    pub not_kept: u64,
    /// Decisions that are kept now.
    pub entries: usize,
    /// The most that are kept.
    pub size: usize,
}

/// The cache of one set; a new set begins with an empty one, and goes on counting.
pub(super) struct Cache {
    limits: CacheLimits,
    kept: Mutex<HashMap<Key, Kept>>,
    counters: Counters,
}

/// The counters, which outlive a set.
#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    not_kept: AtomicU64,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    identity: Box<str>,
    resource: Box<str>,
    actions: Box<[Action]>,
}

struct Kept {
    verdict: Verdict,
    until: Timestamp,
    /// Made at; what was made in the future, because a clock was turned back, isn't given.
    from: Timestamp,
}

impl Cache {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { limits, kept: Mutex::default(), counters: Counters::default() }
    }

    /// The same limits and counters, with nothing kept.
    pub(super) fn emptied(&self) -> Self {
        let Counters { hits, misses, not_kept } = &self.counters;
        let copy = |counter: &AtomicU64| AtomicU64::new(counter.load(Ordering::Relaxed));
        let counters = Counters { hits: copy(hits), misses: copy(misses), not_kept: copy(not_kept) };
        Self { limits: self.limits, kept: Mutex::default(), counters }
    }

    /// The verdict, and whether it was kept from before.
    pub(super) fn verdict(
        &self,
        question: &Question<'_>,
        decide: impl FnOnce() -> Verdict,
    ) -> (Verdict, bool) {
        if self.limits.size == 0 {
            self.counters.misses.fetch_add(1, Ordering::Relaxed);
            return (decide(), false);
        }
        let key = Key {
            identity: question.identity.into(),
            resource: question.resource.as_str().into(),
            actions: question.actions.into(),
        };
        if let Some(verdict) = self.find(&key, question.now) {
            self.counters.hits.fetch_add(1, Ordering::Relaxed);
            return (verdict, true);
        }
        let verdict = decide();
        self.counters.misses.fetch_add(1, Ordering::Relaxed);
        if verdict.lasts {
            self.keep(key, &verdict, question.now);
        } else {
            self.counters.not_kept.fetch_add(1, Ordering::Relaxed);
        }
        (verdict, false)
    }

    pub(super) fn counts(&self) -> CacheCounts {
        let Counters { hits, misses, not_kept } = &self.counters;
        CacheCounts {
            hits: hits.load(Ordering::Relaxed),
            misses: misses.load(Ordering::Relaxed),
            not_kept: not_kept.load(Ordering::Relaxed),
            entries: self.kept.lock().map_or(0, |kept| kept.len()),
            size: self.limits.size,
        }
    }

    fn find(&self, key: &Key, now: Timestamp) -> Option<Verdict> {
        // A poisoned cache answers nothing from then on, which costs time only.
        let kept = self.kept.lock().ok()?;
        let kept = kept.get(key).filter(|kept| kept.from <= now && now < kept.until)?;
        Some(kept.verdict.clone())
    }

    fn keep(&self, key: Key, verdict: &Verdict, now: Timestamp) {
        let Ok(mut kept) = self.kept.lock() else { return };
        if kept.len() >= self.limits.size && !kept.contains_key(&key) {
            kept.retain(|_, kept| kept.from <= now && now < kept.until);
        }
        if kept.len() >= self.limits.size && !kept.contains_key(&key) {
            // Whoever asks for many names would otherwise keep others out; a fresh start is cheap.
            kept.clear();
        }
        kept.insert(key, Kept { verdict: verdict.clone(), until: now.after(self.limits.ttl), from: now });
    }
}
