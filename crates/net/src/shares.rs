//! How many connections each user of a socket has: so that one of them, or some together, can't keep everybody else out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections of users that share what there is.
#[derive(Debug, Default)]
pub struct Shares(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    of: HashMap<u32, usize>,
    all: usize,
}

/// A connection that is counted as long as this lives.
#[derive(Debug)]
pub struct Share {
    shares: Arc<Shares>,
    uid: u32,
}

/// Whether a connection may be taken.
#[derive(Debug)]
#[must_use]
pub enum Place {
    /// It shares with nobody.
    Free,
    /// It is counted.
    Counted(Share),
}

impl Shares {
    /// Takes one of `total` connections for a user. One user has at most half of them, all who are counted three quarters.
    #[must_use]
    pub fn take(self: &Arc<Self>, uid: u32, total: usize) -> Option<Share> {
        let mut counts = self.counts();
        let own = counts.of.get(&uid).copied().unwrap_or(0);
        let (one, all) = ((total / 2).max(1), total.saturating_sub((total / 4).max(1)).max(1));
        if own >= one || counts.all >= all {
            return None;
        }
        counts.all += 1;
        counts.of.insert(uid, own + 1);
        Some(Share { shares: Arc::clone(self), uid })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.shares.counts();
        counts.all = counts.all.saturating_sub(1);
        let left = counts.of.get(&self.uid).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            counts.of.remove(&self.uid);
        } else {
            counts.of.insert(self.uid, left);
        }
    }
}

#[cfg(test)]
mod tests;
