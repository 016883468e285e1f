//! What failed, and for how long it is left alone: ever longer, and never said twice in the same words.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is left alone, by where and what it is.
#[derive(Debug, Default)]
pub(super) struct Later(BTreeMap<(&'static str, String), Rest>);

#[derive(Debug)]
struct Rest {
    until: Instant,
    failures: u32,
    said: String,
}

/// What one more failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed {
    /// How often it has failed now.
    pub(super) failures: u32,
    /// Whether nobody was told of it in these words.
    pub(super) is_news: bool,
}

impl Later {
    /// Whether it is left alone.
    pub(super) fn rests(&self, key: &(&'static str, String), now: Instant) -> bool {
        self.0.get(key).is_some_and(|rest| now < rest.until)
    }

    /// It failed: it is left alone for twice as long as the last time, and no longer than `longest`.
    pub(super) fn failed(
        &mut self,
        key: (&'static str, String),
        (now, longest): (Instant, Duration),
        why: String,
    ) -> Failed {
        let (before, is_news) = match self.0.get(&key) {
            Some(rest) => (rest.failures, rest.said != why),
            None => (0, true),
        };
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(before.min(MOST_DOUBLED))).min(longest);
        self.0.insert(key, Rest { until: now + wait, failures: before + 1, said: why });
        Failed { failures: before + 1, is_news }
    }

    /// It is over, or not as it was.
    pub(super) fn forget(&mut self, key: &(&'static str, String)) {
        self.0.remove(key);
    }
}

const FIRST: Duration = Duration::from_secs(10);
const MOST_DOUBLED: u32 = 8;

#[cfg(test)]
mod tests;
