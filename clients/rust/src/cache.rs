//! Capabilities kept until shortly before they end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Capability;

/// At most so many capabilities by key, the least recently used going first. The time is a parameter, so that a test has
/// its own.
#[derive(Debug)]
pub struct Cache {
    size: usize,
    margin: Duration,
    kept: HashMap<String, Kept>,
    used: u64,
}

#[derive(Debug)]
struct Kept {
    capability: Arc<Capability>,
    until: SystemTime,
    used: u64,
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(1000, Duration::from_secs(5))
    }
}

impl Cache {
    /// A cache for `size` capabilities, which are given out until `margin` before their end, or for nine tenths of their
    /// life where that is longer.
    #[must_use]
    pub fn new(size: usize, margin: Duration) -> Self {
        Self { size: size.max(1), margin, kept: HashMap::new(), used: 0 }
    }

    /// The capability of a key, where there is one that doesn't end now.
    pub fn take(&mut self, key: &str, now: SystemTime) -> Option<Arc<Capability>> {
        self.used += 1;
        let kept = self.kept.get_mut(key)?;
        if now >= kept.until {
            self.kept.remove(key);
            return None;
        }
        kept.used = self.used;
        Some(Arc::clone(&kept.capability))
    }

    /// Keeps one, in the place of the one before. One without an end is not kept.
    pub fn keep(&mut self, key: &str, capability: Arc<Capability>, now: SystemTime) {
        let Some(end) = capability.ends().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)) else {
            return;
        };
        let left = end.duration_since(now).unwrap_or_default();
        self.used += 1;
        let until = end - self.margin.min(left / 10);
        self.kept.insert(key.to_owned(), Kept { capability, until, used: self.used });
        while self.kept.len() > self.size {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.kept.remove(&key));
        }
    }

    /// Forgets a capability under every key.
    pub fn forget(&mut self, id: &str) {
        self.kept.retain(|_, kept| kept.capability.id != id);
    }

    /// Forgets what is over; how many that were.
    pub fn sweep(&mut self, now: SystemTime) -> usize {
        let before = self.kept.len();
        self.kept.retain(|_, kept| now < kept.until);
        before - self.kept.len()
    }

    /// Takes all of them out.
    pub fn drain(&mut self) -> Vec<Arc<Capability>> {
        self.kept.drain().map(|(_, kept)| kept.capability).collect()
    }

    /// How many are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept.len()
    }
}
