//! How one counter counts: plain arithmetic over a time that is given.
//!
//! # Invariants
//!
//! - A refused call is not counted, and a call that comes after the wait it was told is admitted, if no other came between.

use std::collections::VecDeque;
use std::time::Duration;

use catalog::Strategy;

/// So many calls in so much time, counted in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pace {
    pub(crate) calls: u32,
    pub(crate) per: Duration,
    pub(crate) strategy: Strategy,
}

/// What a counter remembers. Times are nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// When the bucket will be full again.
    Bucket { full: u64 },
    /// A window: when it began, and how many calls came in it.
    Fixed { began: u64, count: u32 },
    /// Two windows: when the later began, and how many calls came in each; and when the last of them came.
    Sliding { began: u64, before: u32, count: u32, last: u64 },
    /// The calls of the window that ends now: when each came. Of many, those that came close together are one entry, with the time of the
    /// last of them.
    Exact { came: VecDeque<(u64, u32)> },
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Whether it is within the rate.
    pub(super) admitted: bool,
    /// How many calls more would be, now.
    pub(super) left: u32,
    /// Nanoseconds until all calls are there again, or, for one that is refused, until one is.
    pub(super) wait: u64,
}

impl State {
    /// Nothing was counted yet.
    pub(super) fn new(strategy: Strategy, now: u64) -> Self {
        match strategy {
            Strategy::TokenBucket | Strategy::LeakyBucket => Self::Bucket { full: now },
            Strategy::FixedWindow => Self::Fixed { began: now, count: 0 },
            Strategy::SlidingWindow => Self::Sliding { began: now, before: 0, count: 0, last: now },
            Strategy::Exact => Self::Exact { came: VecDeque::new() },
        }
    }

    /// When it will know nothing that one that is new does not.
    pub(super) fn idle_at(&self, pace: &Pace) -> u64 {
        let per = nanos(pace.per);
        match self {
            Self::Bucket { full } => *full,
            Self::Fixed { began, .. } => began.saturating_add(per),
            Self::Sliding { last, .. } => last.saturating_add(per),
            Self::Exact { came } => came.back().map_or(0, |(last, _)| last.saturating_add(per)),
        }
    }

    /// Counts a call.
    pub(super) fn take(&mut self, pace: &Pace, now: u64) -> Taken {
        let per = nanos(pace.per);
        if pace.calls == 0 {
            return Taken { admitted: false, left: 0, wait: per };
        }
        match self {
            Self::Bucket { full } => bucket(full, pace.calls, per, now),
            Self::Fixed { began, count } => fixed((began, count), pace.calls, per, now),
            Self::Sliding { began, before, count, last } => {
                sliding((began, before, count, last), pace.calls, per, now)
            }
            Self::Exact { came } => exact(came, pace.calls, per, now),
        }
    }
}

/// The time at which the bucket is full again tells how full it is (GCRA).
fn bucket(full: &mut u64, calls: u32, per: u64, now: u64) -> Taken {
    let each = (per / u64::from(calls)).max(1);
    let whole = each.saturating_mul(u64::from(calls));
    let next = (*full).max(now).saturating_add(each);
    let ahead = next - now;
    if ahead > whole {
        return Taken { admitted: false, left: 0, wait: ahead - whole };
    }
    *full = next;
    let left = u32::try_from((whole - ahead) / each).unwrap_or(u32::MAX);
    Taken { admitted: true, left, wait: ahead }
}

fn fixed((began, count): (&mut u64, &mut u32), calls: u32, per: u64, now: u64) -> Taken {
    if now >= began.saturating_add(per) {
        (*began, *count) = (now, 0);
    }
    let wait = began.saturating_add(per).saturating_sub(now);
    if *count >= calls {
        return Taken { admitted: false, left: 0, wait };
    }
    *count += 1;
    Taken { admitted: true, left: calls - *count, wait }
}

/// Calls of the window before are taken for spread over it. That none came for a whole window is known better than that.
fn sliding(
    (began, before, count, last): (&mut u64, &mut u32, &mut u32, &mut u64),
    calls: u32,
    per: u64,
    now: u64,
) -> Taken {
    let quiet = last.saturating_add(per);
    if now >= quiet {
        (*began, *before, *count) = (now, 0, 0);
    }
    let windows = now.saturating_sub(*began) / per;
    if windows > 0 {
        *before = if windows == 1 { *count } else { 0 };
        *count = 0;
        *began = began.saturating_add(windows.saturating_mul(per));
    }
    let gone = now.saturating_sub(*began);
    let used = share(*before, per - gone, per).saturating_add(u64::from(*count));
    if used < u64::from(calls) {
        *count += 1;
        *last = now;
        let left = u32::try_from(u64::from(calls) - used - 1).unwrap_or(u32::MAX);
        return Taken { admitted: true, left, wait: per };
    }
    // Until the share of the window before has shrunk to what may be left of it; in this window, or in the next one.
    let wait = match calls.checked_sub(*count + 1) {
        Some(may) => shrunk(*before, may, per).saturating_sub(gone),
        None => (per - gone).saturating_add(shrunk(*count, calls - 1, per)),
    };
    Taken { admitted: false, left: 0, wait: wait.min(quiet.saturating_sub(now)).max(1) }
}

/// An entry of several calls counts until the last of them is a whole window old, so never too few count.
fn exact(came: &mut VecDeque<(u64, u32)>, calls: u32, per: u64, now: u64) -> Taken {
    while came.front().is_some_and(|(last, _)| last.saturating_add(per) <= now) {
        came.pop_front();
    }
    let used: u64 = came.iter().map(|(_, count)| u64::from(*count)).sum();
    if used >= u64::from(calls) {
        let wait = came.front().map_or(per, |(last, _)| last.saturating_add(per).saturating_sub(now));
        return Taken { admitted: false, left: 0, wait: wait.max(1) };
    }
    let grain = (per / ENTRIES).max(1);
    match came.back_mut() {
        Some((last, count)) if u64::from(calls) > ENTRIES && *last / grain == now / grain => {
            (*last, *count) = (now, *count + 1);
        }
        _ => came.push_back((now, 1)),
    }
    let left = u32::try_from(u64::from(calls) - used - 1).unwrap_or(u32::MAX);
    Taken { admitted: true, left, wait: per }
}

/// The part of a window's calls that still counts, rounded up.
fn share(calls: u32, rest: u64, per: u64) -> u64 {
    let part = u128::from(calls) * u128::from(rest);
    u64::try_from(part.div_ceil(u128::from(per))).unwrap_or(u64::MAX)
}

/// After how much of a window no more than `may` of the calls before it count.
fn shrunk(calls: u32, may: u32, per: u64) -> u64 {
    if calls <= may {
        return 0;
    }
    let rest = u128::from(may) * u128::from(per) / u128::from(calls.max(1));
    per - u64::try_from(rest).unwrap_or(per)
}

/// A time in nanoseconds; never zero, since it divides.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// Most entries of a window that is counted exactly, or one more.
const ENTRIES: u64 = 256;

#[cfg(test)]
mod tests;
