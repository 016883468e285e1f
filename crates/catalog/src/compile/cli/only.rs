//! With which inputs a program does an operation.

use super::Reading;
use crate::cli::Only;
use crate::file::OnlyEntry;
use crate::input::pattern;
use crate::resource::Template;

/// The conditions, all of which have to hold.
pub(super) fn only(reading: &Reading<'_>, entries: &[OnlyEntry]) -> Result<Vec<Only>, String> {
    entries.iter().map(|entry| one(reading, entry)).collect()
}

fn one(reading: &Reading<'_>, entry: &OnlyEntry) -> Result<Only, String> {
    let wrong = |problem: String| format!("`only`: {problem}");
    let text = Template::parse(&entry.text).map_err(wrong)?;
    for name in text.names().chain(entry.when.as_deref()) {
        reading.input(name).map_err(wrong)?;
    }
    let pattern = pattern(&entry.pattern).map_err(wrong)?;
    Ok(Only { when: entry.when.clone(), text, pattern })
}
