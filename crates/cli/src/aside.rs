//! Evidence that was set aside: bytes at the end of the log that could not be read when it was opened. A crash leaves such bytes of
//! a write that nobody was told of; damage to the last record looks the same. So it is always said.

use std::path::{Path, PathBuf};

use store::Journal;

use crate::home::Home;
use crate::print::Printer;

/// The files that hold such bytes; none where the folder can't be read, which others say.
pub(crate) fn files(home: &Home) -> Vec<PathBuf> {
    Journal::aside(&home.evidence()).unwrap_or_default()
}

/// Says what was set aside just now.
pub(crate) fn say(journal: &Journal) {
    for file in journal.set_aside() {
        Printer::say(&format!("warning: {}", said(&file)));
    }
}

/// What such a file means.
pub(crate) fn said(file: &Path) -> String {
    format!(
        "the end of the evidence could not be read, and is kept in `{}`: what a crash left half-written, or damage to the last record",
        file.display()
    )
}
