//! All capabilities with names, in memory: 56 bytes each, and their shape, which most of them share.
//!
//! # Invariants
//!
//! - What was revoked or forged stays so, whatever is put later.
//! - The rows are in the order of their ids, which is that of their making.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use model::{CapabilityId, Timestamp};

use super::Change;
use super::named::{Counts, Named, NamedState, parent_of};
use crate::Error;
use sorted::Sorted;

mod sorted;

/// See the module.
#[derive(Default)]
pub(super) struct Ledger {
    rows: RwLock<Rows>,
    /// Shapes that were put lately, by a hash of them.
    recent: Mutex<Vec<Option<Arc<[u8]>>>>,
    hasher: RandomState,
}

#[derive(Default)]
struct Rows {
    rows: Sorted<Row>,
    /// Parent and child.
    children: BTreeSet<(CapabilityId, CapabilityId)>,
}

struct Row {
    shape: Arc<[u8]>,
    expires: Timestamp,
    uses: u32,
    used: u32,
    /// Seconds since 1970, 0 for one that stands, or [`FORGED`].
    over: u32,
}

/// How many capabilities with names there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All that are kept.
    pub total: usize,
    /// Those that stand and have not ended.
    pub active: usize,
    /// Those that have ended and were not revoked before.
    pub expired: usize,
    /// Those that were revoked.
    pub revoked: usize,
    /// Those whose stored row was changed.
    pub forged: usize,
}

impl Ledger {
    pub(super) fn find(&self, id: CapabilityId) -> Option<Named> {
        self.read().rows.get(id).and_then(|row| row.named(id))
    }

    pub(super) fn state(&self, id: CapabilityId) -> Option<NamedState> {
        self.read().rows.get(id).map(Row::state)
    }

    pub(super) fn put(&self, named: &Named) -> Result<(), Error> {
        let shape = self.shared(named.shape()?);
        let Named { id, parent, expires, uses, used, state, .. } = named;
        let over = match state {
            NamedState::Active => 0,
            NamedState::Revoked { at } => seconds(*at),
            NamedState::Forged => FORGED,
        };
        let mut rows = self.write();
        let before = rows.rows.get(*id).map_or(0, |row| row.over);
        let over = if before == 0 { over } else { before };
        rows.rows.insert(*id, Row { shape, expires: *expires, uses: *uses, used: *used, over });
        rows.children.extend(parent.map(|parent| (parent, *id)));
        Ok(())
    }

    pub(super) fn revoke(&self, id: CapabilityId, at: Timestamp) -> Vec<CapabilityId> {
        let mut guard = self.write();
        let Rows { rows, children } = &mut *guard;
        let (mut found, mut next) = (Vec::new(), vec![id]);
        while let Some(id) = next.pop() {
            next.extend(below(children, id));
            if let Some(row) = rows.get_mut(id)
                && row.over == 0
            {
                row.over = seconds(at);
                found.push(id);
            }
        }
        found
    }

    pub(super) fn children(&self, id: CapabilityId) -> Vec<CapabilityId> {
        below(&self.read().children, id).collect()
    }

    pub(super) fn forget(&self, ids: &[CapabilityId]) {
        let mut rows = self.write();
        for id in ids {
            if let Some(parent) = rows.rows.remove(*id).and_then(|row| parent_of(&row.shape)) {
                rows.children.remove(&(parent, *id));
            }
        }
    }

    pub(super) fn note_use(&self, id: CapabilityId, change: Change) {
        if let Some(row) = self.write().rows.get_mut(id) {
            row.used = match change {
                Change::Taken => row.used.saturating_add(1),
                Change::GivenBack => row.used.saturating_sub(1),
            };
        }
    }

    pub(super) fn set_used(&self, id: CapabilityId, used: u32) {
        if let Some(row) = self.write().rows.get_mut(id) {
            row.used = used;
        }
    }

    pub(super) fn page(&self, after: Option<CapabilityId>, most: usize) -> Vec<Named> {
        let rows = self.read();
        rows.rows.behind(after).filter_map(|(id, row)| row.named(id)).take(most).collect()
    }

    pub(super) fn ended(&self, until: Timestamp, most: usize) -> Vec<CapabilityId> {
        let rows = self.read();
        let mut ended = VecDeque::new();
        for (id, _) in rows.rows.behind(None).filter(|(_, row)| row.expires <= until) {
            if ended.len() >= most {
                ended.pop_front();
            }
            ended.push_back(id);
        }
        ended.into()
    }

    pub(super) fn tally(&self, now: Timestamp) -> Tally {
        let rows = self.read();
        let mut tally = Tally { total: rows.rows.len(), ..Tally::default() };
        for (_, row) in rows.rows.behind(None) {
            match row.over {
                FORGED => tally.forged += 1,
                0 if row.expires <= now => tally.expired += 1,
                0 => tally.active += 1,
                _ => tally.revoked += 1,
            }
        }
        tally
    }

    /// The same bytes in one place, where they came lately.
    fn shared(&self, shape: Vec<u8>) -> Arc<[u8]> {
        let at = self.hasher.hash_one(&shape) % RECENT;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.is_empty() {
            recent.resize(usize::try_from(RECENT).unwrap_or(1), None);
        }
        let Some(slot) = recent.get_mut(usize::try_from(at).unwrap_or(0)) else { return shape.into() };
        match slot {
            Some(known) if **known == *shape => Arc::clone(known),
            _ => Arc::clone(slot.insert(shape.into())),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    fn state(&self) -> NamedState {
        match self.over {
            0 => NamedState::Active,
            FORGED => NamedState::Forged,
            at => NamedState::Revoked { at: Timestamp::from_millis(u64::from(at) * 1_000) },
        }
    }

    /// `None` never: what is read here was written by [`Named::shape`].
    fn named(&self, id: CapabilityId) -> Option<Named> {
        let counts = Counts { expires: self.expires, uses: self.uses, used: self.used, state: self.state() };
        Named::of_shape(id, &self.shape, counts).ok()
    }
}

/// The children of one.
fn below(
    children: &BTreeSet<(CapabilityId, CapabilityId)>,
    id: CapabilityId,
) -> impl Iterator<Item = CapabilityId> {
    let below = (Bound::Excluded((id, LOWEST)), Bound::Included((id, HIGHEST)));
    children.range(below).map(|(_, child)| *child)
}

/// Never 0, which stands for none, nor [`FORGED`].
fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.millis() / 1_000).unwrap_or(u32::MAX).clamp(1, FORGED - 1)
}

const FORGED: u32 = u32::MAX;
/// Shapes that are remembered.
const RECENT: u64 = 1_024;
const LOWEST: CapabilityId = CapabilityId::from_bytes([0; 16]);
const HIGHEST: CapabilityId = CapabilityId::from_bytes([255; 16]);

#[cfg(test)]
mod tests;
