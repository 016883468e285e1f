//! Which rows of a tenant a scan gives, as bounds that an index can begin and end at.
//!
//! A storage that went from the first key of a prefix to `after` each time would read a table of many pages over and over.

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// The least key.
    pub(crate) from: Vec<u8>,
    /// The first key behind the last one.
    pub(crate) until: Option<Vec<u8>>,
    pub(crate) limit: i64,
}

impl Range {
    /// The keys that begin with `prefix` and are greater than `after`.
    pub(crate) fn of(prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Self {
        let from = match after {
            // The very next key.
            Some(after) if after >= prefix => [after, &[0]].concat(),
            _ => prefix.to_vec(),
        };
        // The prefix with its last byte that can grow grown by one, and nothing behind it.
        let until = prefix.iter().rposition(|byte| *byte != u8::MAX).map(|place| {
            let mut until: Vec<u8> = prefix.iter().take(place + 1).copied().collect();
            if let Some(last) = until.last_mut() {
                *last += 1;
            }
            until
        });
        Self { from, until, limit: i64::try_from(limit).unwrap_or(i64::MAX) }
    }
}

#[cfg(test)]
mod tests;
