//! The system's clock, which does not go back while the process lives.
//!
//! Capabilities end at a point in time. If the system's clock is set back, one that is over must not be valid again: time goes
//! on from where it was, by the clock that counts since the start of the machine. If it is set forward, capabilities end early,
//! which is the safe side; but whoever mends it soon must get the true time back, or what is granted afterwards would hold for as
//! long as the jump was. So a jump counts as the time from then on when it has lasted [`SETTLED`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::{Clock, Timestamp};

/// See the module.
#[derive(Debug)]
pub struct SystemClock {
    began: Instant,
    keeper: Keeper,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { began: Instant::now(), keeper: Keeper::default() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let lived = || u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(self.keeper.at(now, lived))
    }
}

/// What was seen of the two clocks. All times are in milliseconds.
#[derive(Debug, Default)]
struct Keeper {
    /// The latest time that counts: no earlier one is shown.
    latest: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// A time that counts, and how long the process had lived by then.
    counts: Option<(u64, u64)>,
    /// How long the process had lived when a jump forward was first seen, and how far it went.
    jump: Option<(u64, u64)>,
}

impl Keeper {
    fn at(&self, system: u64, lived: impl FnOnce() -> u64) -> u64 {
        let latest = self.latest.load(Ordering::Relaxed);
        if system >= latest && system - latest <= STEP {
            return self.counted(system);
        }
        let lived = lived();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((counts, then)) = seen.counts else {
            seen.counts = Some((system, lived));
            return self.counted(system);
        };
        let expected = counts.saturating_add(lived.saturating_sub(then)).max(latest);
        let ahead = system.saturating_sub(expected);
        if ahead > STEP && !seen.has_settled(ahead, lived) {
            return system;
        }
        if seen.jump.take().is_some() && ahead <= STEP {
            tracing::warn!("the system's clock, which was ahead, was set back: the time goes on from there");
        }
        let now = system.max(expected);
        seen.counts = Some((now, lived));
        drop(seen);
        self.counted(now)
    }

    fn counted(&self, now: u64) -> u64 {
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

impl Seen {
    /// Whether the clock has been this far ahead for so long that it counts.
    fn has_settled(&mut self, ahead: u64, lived: u64) -> bool {
        match self.jump {
            Some((since, far)) if ahead.abs_diff(far) <= STEP => lived.saturating_sub(since) >= SETTLED,
            _ => {
                tracing::warn!(seconds = ahead / 1000, "the system's clock jumped forward");
                self.jump = Some((lived, ahead));
                false
            }
        }
    }
}

/// A step that is no jump, in milliseconds: clocks are put right by so much without anybody's doing.
const STEP: u64 = 2_000;
/// How long a jump forward has to last to count, in milliseconds.
const SETTLED: u64 = 60_000;

#[cfg(test)]
mod tests;
