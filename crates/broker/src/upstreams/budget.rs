//! How many repetitions are left: so many for each hundred calls, beyond the first few.
//!
//! Without a budget every layer that repeats multiplies the load on a service that is down; with one it adds a fifth.

use std::sync::atomic::{AtomicU32, Ordering};

use catalog::Retries;

/// The budget of one upstream.
#[derive(Debug)]
pub(crate) struct Budget {
    most: u32,
    percent: u32,
    /// Hundredths of a repetition.
    left: AtomicU32,
}

/// Proof that a repetition was paid for. Only [`Budget::take`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Paid(());

impl Budget {
    pub(crate) const fn new(settings: Retries) -> Self {
        let Retries { most, percent } = settings;
        Self { most: most.get(), percent: percent.get(), left: AtomicU32::new(FULL) }
    }

    /// Most repetitions of one call.
    pub(crate) const fn most(&self) -> u32 {
        self.most
    }

    /// A call came, which pays for its share of a repetition.
    pub(crate) fn earn(&self) {
        self.change(|left| Some((left + self.percent).min(FULL)));
    }

    /// Takes one repetition, where there is one left.
    pub(crate) fn take(&self) -> Option<Paid> {
        self.change(|left| left.checked_sub(ONE)).then_some(Paid(()))
    }

    fn change(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

const ONE: u32 = 100;
/// Repetitions that are saved up, and that there are at the start: ten.
const FULL: u32 = 10 * ONE;
