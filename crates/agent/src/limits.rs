//! What the line protocol allows a caller: connections, the size of a frame, waiting times, requests a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Limits of the line protocol on one socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Most connections at a time; one more gets an `error_response` and is closed.
    pub connections: usize,
    /// Most bytes of one frame, without its line end.
    pub frame: usize,
    /// Longest time from one answer, or the begin, to the next whole frame.
    pub idle: Duration,
    /// Longest time until an answer.
    pub request: Duration,
    /// How many requests of one user are answered.
    pub rate: Rate,
}

/// How many requests of one user are answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// In a second, over time.
    pub per_second: f64,
    /// At once.
    pub burst: f64,
    /// Whose.
    pub of: Throttled,
}

/// Whose requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttled {
    /// Those of every user but the owner of the home and root, who could stop the agent anyway.
    Others,
    /// Everybody's.
    Everybody,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 100,
            frame: 1024 * 1024,
            idle: Duration::from_secs(60),
            request: Duration::from_secs(30),
            rate: Rate { per_second: 1000.0, burst: 2000.0, of: Throttled::Others },
        }
    }
}

/// A bucket of requests for each user.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<u32, Bucket>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    seen: Instant,
}

/// Proof that a request is within its user's rate. Only [`Buckets::take`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Within(());

impl Buckets {
    /// Takes one request out of the bucket of this user; `None` where it is empty.
    pub(crate) fn take(&self, rate: &Rate, uid: u32, now: Instant) -> Option<Within> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_USERS {
            // One that would be full again says nothing any more.
            buckets.retain(|_, bucket| bucket.at(rate, now) < rate.burst);
        }
        if buckets.len() >= MOST_USERS && !buckets.contains_key(&uid) {
            return None;
        }
        let bucket = buckets.entry(uid).or_insert(Bucket { left: rate.burst, seen: now });
        let left = bucket.at(rate, now);
        let taken = left >= 1.0;
        *bucket = Bucket { left: if taken { left - 1.0 } else { left }, seen: now };
        taken.then_some(Within(()))
    }

    /// A request of somebody who is not counted.
    pub(crate) const fn uncounted() -> Within {
        Within(())
    }
}

impl Bucket {
    fn at(&self, rate: &Rate, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.seen).as_secs_f64();
        (self.left + since * rate.per_second).min(rate.burst)
    }
}

/// Users whose buckets are kept at a time.
const MOST_USERS: usize = 4096;

#[cfg(test)]
mod tests;
