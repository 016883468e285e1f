//! Rows in the order of their ids, in blocks that are nearly full: new ones come at the end, where a tree would leave half of each
//! node empty.
//!
//! # Invariants
//!
//! - Ids ascend within a block and from block to block; no block is empty, and none holds more than [`MOST`].

use model::CapabilityId;

/// See the module.
pub(super) struct Sorted<T> {
    blocks: Vec<Vec<(Key, T)>>,
}

/// An id in two halves: as one number it would be aligned to 16 bytes, and each row 8 bytes longer.
type Key = [u64; 2];

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T> Sorted<T> {
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }

    pub(super) fn get(&self, id: CapabilityId) -> Option<&T> {
        let (block, place) = self.find(key(id));
        self.blocks.get(block)?.get(place.ok()?).map(|(_, row)| row)
    }

    pub(super) fn get_mut(&mut self, id: CapabilityId) -> Option<&mut T> {
        let (block, place) = self.find(key(id));
        self.blocks.get_mut(block)?.get_mut(place.ok()?).map(|(_, row)| row)
    }

    /// Adds a row, or puts it in the place of the one with its id.
    pub(super) fn insert(&mut self, id: CapabilityId, row: T) {
        let key = key(id);
        let (at, place) = self.find(key);
        let place = match place {
            Ok(place) => {
                if let Some(known) = self.blocks.get_mut(at).and_then(|block| block.get_mut(place)) {
                    known.1 = row;
                }
                return;
            }
            Err(place) => place,
        };
        let full = self.blocks.get(at).is_none_or(|block| block.len() >= MOST);
        if !full && let Some(block) = self.blocks.get_mut(at) {
            block.insert(place, (key, row));
        } else if place >= self.blocks.get(at).map_or(0, Vec::len) && at + 1 >= self.blocks.len() {
            self.blocks.push(vec![(key, row)]);
        } else {
            self.make_room(at);
            self.insert(id, row);
        }
    }

    pub(super) fn remove(&mut self, id: CapabilityId) -> Option<T> {
        let (at, place) = self.find(key(id));
        let block = self.blocks.get_mut(at)?;
        let (_, row) = block.remove(place.ok()?);
        if block.is_empty() {
            self.blocks.remove(at);
        } else if block.len() <= MOST / 4 {
            self.join(at);
        }
        Some(row)
    }

    /// Puts a block with little in it and one beside it into one, where half a block holds both.
    fn join(&mut self, at: usize) {
        let length = |at| self.blocks.get(at).map_or(MOST, Vec::len);
        let mut pairs = [at.checked_sub(1), Some(at)].into_iter().flatten();
        let Some(first) = pairs.find(|at| length(*at) + length(at + 1) <= MOST / 2) else { return };
        let second = self.blocks.remove(first + 1);
        if let Some(block) = self.blocks.get_mut(first) {
            block.extend(second);
            block.shrink_to(MOST / 2);
        }
    }

    /// The rows behind an id, or all.
    pub(super) fn behind(&self, after: Option<CapabilityId>) -> impl Iterator<Item = (CapabilityId, &T)> {
        let (block, place) = match after.map(key) {
            None => (0, 0),
            Some(key) => match self.find(key) {
                (block, Ok(place)) => (block, place + 1),
                (block, Err(place)) => (block, place),
            },
        };
        let first = self.blocks.get(block).and_then(|block| block.get(place..)).unwrap_or_default();
        let rest = self.blocks.get(block + 1..).unwrap_or_default();
        first.iter().chain(rest.iter().flatten()).map(|(key, row)| (id(*key), row))
    }

    /// The block in which an id stands or would stand, and its place there.
    fn find(&self, wanted: Key) -> (usize, Result<usize, usize>) {
        let behind =
            self.blocks.partition_point(|block| block.first().is_some_and(|(key, _)| *key <= wanted));
        let block = behind.saturating_sub(1);
        let rows = self.blocks.get(block).map(Vec::as_slice).unwrap_or_default();
        (block, rows.binary_search_by_key(&wanted, |(key, _)| *key))
    }

    /// Makes a full block less full. Ids that were made within a moment come in any order, so first the next block takes the
    /// last row; only where that is full as well, the block is halved.
    fn make_room(&mut self, at: usize) {
        if at + 1 == self.blocks.len() {
            self.blocks.push(Vec::new());
        }
        let next_has_room = self.blocks.get(at + 1).is_some_and(|next| next.len() < MOST);
        if next_has_room {
            let last = self.blocks.get_mut(at).and_then(Vec::pop);
            if let (Some(next), Some(last)) = (self.blocks.get_mut(at + 1), last) {
                next.insert(0, last);
            }
        } else if let Some(block) = self.blocks.get_mut(at) {
            let half = block.split_off(block.len() / 2);
            self.blocks.insert(at + 1, half);
        }
    }
}

fn key(id: CapabilityId) -> Key {
    let bytes = u128::from_be_bytes(id.to_bytes());
    [bytes >> 64, bytes & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or(u64::MAX))
}

fn id([high, low]: Key) -> CapabilityId {
    CapabilityId::from_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

/// Most rows of a block: what a row that comes in between moves.
const MOST: usize = 512;

#[cfg(test)]
mod tests;
