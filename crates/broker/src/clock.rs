//! The system's clock, which never goes back while the process lives.
//!
//! Capabilities end at a point in time. If the system's clock is set back, one that is over must not be valid again; the same
//! moment is shown until the system has caught up. Set forward, capabilities end early, which is the safe side.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use model::{Clock, Timestamp};

/// See the module.
#[derive(Debug, Default)]
pub struct SystemClock(AtomicU64);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(self.0.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests;
