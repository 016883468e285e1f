//! Evidence that was set aside: bytes at the end of the log that could not be read when it was opened. A crash leaves such bytes of
//! a write that nobody was told of; damage to the last record looks the same. So it is always said.

use std::path::PathBuf;

use crate::home::Home;
use crate::print::Printer;

/// The files that hold such bytes; none where the folder can't be read, which others say.
pub(crate) fn files(home: &Home) -> Vec<PathBuf> {
    store::Journal::aside(&home.evidence()).unwrap_or_default()
}

/// Says which files there are that were not there before.
pub(crate) fn say_new(home: &Home, before: &[PathBuf]) {
    for file in files(home).iter().filter(|file| !before.contains(file)) {
        Printer::say(&format!("warning: {}", said(file)));
    }
}

/// What such a file means.
pub(crate) fn said(file: &std::path::Path) -> String {
    format!(
        "the end of the evidence could not be read, and is kept in `{}`: what a crash left half-written, or damage to the last record",
        file.display()
    )
}
