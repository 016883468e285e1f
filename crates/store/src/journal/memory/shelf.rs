//! The rows of one small table of one tenant: each in one piece of memory, as there may be a million counters.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

/// See the module.
#[derive(Default)]
pub(super) struct Shelf(BTreeSet<Packed>);

impl Shelf {
    /// Puts a row down; says whether there was one with its key.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.0.replace(Packed::new(key, value)).is_some()
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.0.remove(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.get(key).map(|row| row.parts().1)
    }

    /// The rows from a key on, or behind it: key and value.
    pub(super) fn rows(&self, from: Bound<&[u8]>) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.range::<[u8], _>((from, Bound::Unbounded)).map(Packed::parts)
    }
}

/// The length of the key, the key, the value.
struct Packed(Box<[u8]>);

impl Packed {
    fn new(key: &[u8], value: &[u8]) -> Self {
        // A frame has two bytes for the length of a key, so that it fits was seen before.
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes();
        Self([&length, key, value].concat().into())
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        let (length, rest) = self.0.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        rest.split_at_checked(length).unwrap_or((rest, &[]))
    }
}

// Rows are in the order of their keys, and one key has one row: nothing else of them is compared.

impl Borrow<[u8]> for Packed {
    fn borrow(&self) -> &[u8] {
        self.parts().0
    }
}

impl Ord for Packed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().0.cmp(other.parts().0)
    }
}

impl PartialOrd for Packed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Packed {}
