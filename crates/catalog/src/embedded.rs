//! The files that were compiled into the binary, sorted by name.

/// One integration of the binary.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name, which is the name of its file.
    pub(crate) name: &'static str,
    /// The text of `integrations/NAME.yaml`.
    pub(crate) text: &'static str,
    /// The text of `cases/NAME.yaml`.
    pub(crate) cases: &'static str,
}

/// The entry of this name, with its place in the list.
pub(crate) fn find(name: &str) -> Option<(usize, &'static Entry)> {
    let place = ENTRIES.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
    ENTRIES.get(place).map(|entry| (place, entry))
}

/// Every entry, sorted by name.
pub(crate) static ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
