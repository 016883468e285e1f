//! What lanes and writer know of one another without a message: how much waits, and whether the log works.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

use crate::Error;

/// Shared counters. They bound queues and refuse early; no proof depends on them.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    waiting: AtomicUsize,
    kept: AtomicUsize,
    open: AtomicUsize,
    records: AtomicU64,
    state: AtomicU8,
}

impl Gauge {
    /// Takes a place in the queue for something that may be refused.
    pub(super) fn admit(&self) -> Result<(), Error> {
        self.check()?;
        if self.kept.load(Ordering::Relaxed) > MOST_KEPT {
            return Err(Error::Busy);
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            self.leave(1);
            return Err(Error::Busy);
        }
        Ok(())
    }

    /// Takes a place in the queue for an outcome: its intent was admitted, so there are not more of them.
    pub(super) fn admit_outcome(&self) -> Result<(), Error> {
        self.check()?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn leave(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), Error> {
        match self.state.load(Ordering::Acquire) {
            WORKS => Ok(()),
            FAILED => Err(Error::Failed),
            _ => Err(Error::Closed),
        }
    }

    pub(super) fn fail(&self) {
        self.state.store(FAILED, Ordering::Release);
    }

    pub(super) fn close(&self) {
        // A failed log stays failed: that is what people must read.
        let _ = self.state.compare_exchange(WORKS, CLOSED, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state.load(Ordering::Acquire) == FAILED
    }

    pub(super) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, records: u64) {
        self.records.store(records, Ordering::Relaxed);
    }

    pub(super) fn note(&self, kept: usize, open: usize) {
        self.kept.store(kept, Ordering::Relaxed);
        self.open.store(open, Ordering::Relaxed);
    }

    /// Whether outcomes wait because their group could not be written, as of the last group.
    pub(super) fn is_behind(&self) -> bool {
        self.kept.load(Ordering::Relaxed) > 0
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

const WORKS: u8 = 0;
const FAILED: u8 = 1;
const CLOSED: u8 = 2;

/// Most records that wait for the disk.
const MOST_WAITING: usize = 65_536;
/// Most outcomes that are kept while the disk takes nothing.
const MOST_KEPT: usize = 10_000;
