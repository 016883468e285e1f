//! A sorted list without duplicates, never empty: an empty list reads as "nothing" to one person and as "everything" to
//! another, so there is none.

use std::sync::Arc;

use model::ParseError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 1 to [`List::LONGEST`] distinct entries in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Arc<[T]>);

impl<T> List<T> {
    /// The most entries that a list may have.
    pub const LONGEST: usize = 64;

    /// The entries, ascending.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// How many there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl<T: Ord> List<T> {
    /// Sorts the entries and drops duplicates.
    ///
    /// # Errors
    /// When there is none, or more than [`List::LONGEST`].
    pub fn new(entries: impl IntoIterator<Item = T>) -> Result<Self, ParseError> {
        let mut entries: Vec<T> = entries.into_iter().collect();
        entries.sort_unstable();
        entries.dedup();
        if entries.is_empty() || entries.len() > Self::LONGEST {
            return Err(ParseError::new("list", &format!("{} entries", entries.len()), "1 to 64 entries"));
        }
        Ok(Self(entries.into()))
    }

    /// The list of entries that must already be ascending and distinct, as they stand in a capability.
    pub(crate) fn canonical(entries: Vec<T>) -> Option<Self> {
        let ascending = entries.is_sorted_by(|a, b| a < b);
        let counted = !entries.is_empty() && entries.len() <= Self::LONGEST;
        (ascending && counted).then(|| Self(entries.into()))
    }

    /// Whether an entry is on the list.
    pub(crate) fn holds(&self, entry: &T) -> bool {
        self.0.binary_search(entry).is_ok()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Ord + Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
