//! What was not made here, in words for whoever wanted it.

use std::path::Path;

use super::facts::Facts;
use super::write as write_text;
use crate::failure::Outcome;

/// What was left out while packing.
#[derive(Default)]
pub(super) struct Left {
    lines: Vec<(String, String, String)>,
}

impl Left {
    pub(super) fn say(&mut self, what: &str, why: &str, how: &str) {
        self.lines.push((what.to_owned(), why.to_owned(), how.to_owned()));
    }
}

/// `NOT-BUILT.md`.
pub(super) fn write(out: &Path, facts: &Facts, left: &Left) -> Outcome {
    let mut page = format!(
        "# Not built\n\nThese files were made on `{}`. What else there could be, why it is not here, and how it is made:\n\n\
         | what | why not | how |\n|---|---|---|\n",
        facts.triple
    );
    let mine = |(what, why, how): (&str, &str, &str)| format!("| {what} | {why} | `{how}` |\n");
    for (what, why, how) in &left.lines {
        page.push_str(&mine((what, why, how)));
    }
    for line in ELSEWHERE {
        page.push_str(&mine(line));
    }
    write_text(&out.join("NOT-BUILT.md"), &page)
}

const ELSEWHERE: [(&str, &str, &str); 5] = [
    (
        "Linux, musl",
        "the code is checked for it (`cargo check --target x86_64-unknown-linux-musl`); never linked or run by us",
        "rustup target add x86_64-unknown-linux-musl && CC_x86_64_unknown_linux_musl=musl-gcc cargo build --profile dist --package cli --target x86_64-unknown-linux-musl",
    ),
    ("Linux on arm64", "built on such a machine only", "cargo xtask dist"),
    ("macOS, archive", "built on a Mac only; never run there by us", "cargo xtask dist"),
    ("macOS, signed disk image", "needs a Mac and a certificate", "sh deploy/macos/sign.sh"),
    ("Windows", "the sockets and locks of this version are those of Unix", "not yet"),
];
