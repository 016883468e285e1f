//! Leaves a service alone that fails, and lets one call try whether it still does.
//!
//! # Invariants
//!
//! - While it is open, nobody passes. When it has rested, one call passes and all others wait for what becomes of it.
//! - A call that passed as a probe and says nothing any more, whatever became of it, counts as a failure: nobody waits for it
//!   for ever.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The breaker of one upstream.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures: NonZeroU32,
    rest: Duration,
    state: Mutex<State>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// The service answered.
    Good,
    /// It did not, or said that it can't.
    Bad,
}

/// The right to one attempt. Only [`Breaker::enter`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Passing<'a> {
    breaker: &'a Breaker,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many failures one behind the other.
    Closed(u32),
    /// Until then.
    Open(Instant),
    /// One call tries.
    Trying,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Usual,
    Probe,
    /// It was said what became of it.
    Over,
}

impl Breaker {
    pub(crate) const fn new(settings: catalog::Breaker) -> Self {
        let catalog::Breaker { failures, rest } = settings;
        Self { failures, rest, state: Mutex::new(State::Closed(0)) }
    }

    /// Lets an attempt pass, or says how long there is none.
    pub(crate) fn enter(&self) -> Result<Passing<'_>, Duration> {
        let mut state = self.lock();
        let kind = match *state {
            State::Closed(_) => Kind::Usual,
            State::Open(until) => {
                let left = until.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    return Err(left);
                }
                *state = State::Trying;
                Kind::Probe
            }
            State::Trying => return Err(TRYING),
        };
        drop(state);
        Ok(Passing { breaker: self, kind })
    }

    /// Whether calls are refused at the moment, or one tries.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(*self.lock(), State::Closed(_))
    }

    fn tell(&self, kind: Kind, health: Health) {
        let mut state = self.lock();
        *state = match (*state, kind, health) {
            (_, Kind::Over, _) => return,
            (_, Kind::Probe, Health::Good) => State::Closed(0),
            (_, Kind::Probe, Health::Bad) => State::Open(Instant::now() + self.rest),
            // It began before the breaker opened; what it found out is old.
            (State::Open(_) | State::Trying, Kind::Usual, _) => return,
            (State::Closed(_), Kind::Usual, Health::Good) => State::Closed(0),
            (State::Closed(before), Kind::Usual, Health::Bad) => match before + 1 {
                failures if failures >= self.failures.get() => State::Open(Instant::now() + self.rest),
                failures => State::Closed(failures),
            },
        };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passing<'_> {
    /// Says what became of the attempt.
    pub(crate) fn told(mut self, health: Health) {
        self.breaker.tell(self.kind, health);
        self.kind = Kind::Over;
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        if self.kind == Kind::Probe {
            self.breaker.tell(Kind::Probe, Health::Bad);
        }
    }
}

/// How long whoever comes while one call tries is told to wait.
const TRYING: Duration = Duration::from_secs(1);
