//! Checks that can't be made on some kinds of machine: the list of them, held against what was skipped.
//!
//! A test that can't run appends a line `CHECK<TAB>REASON` to the file that the variable [`FILE`] names, and returns. That
//! way a skip is seen although a test program hides what its passing tests print.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::machine;
use crate::failure::{Failure, Outcome};

/// The environment variable that tells a test where to note what it skips.
pub(super) const FILE: &str = "DOORWARD_SKIPS";

/// A check that was not made in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) check: String,
    pub(super) reason: String,
}

impl Skip {
    pub(super) fn new(check: &str, reason: &str) -> Self {
        Self { check: check.to_owned(), reason: reason.to_owned() }
    }
}

/// What tests noted in the file `note`.
pub(super) fn noted(note: &Path) -> Outcome<Vec<Skip>> {
    let text =
        std::fs::read_to_string(note).map_err(|error| Failure::doing("read what tests skipped", &error))?;
    let mut skips: Vec<Skip> = Vec::new();
    for line in text.lines() {
        let Some((check, reason)) = line.split_once('\t') else {
            return Err(Failure::new(format!(
                "a test noted the skip `{line}`, which is not CHECK<TAB>REASON"
            )));
        };
        let skip = Skip::new(check, reason);
        if !skips.contains(&skip) {
            skips.push(skip);
        }
    }
    Ok(skips)
}

/// `docs/checks/not-here.toml`: which check can't be made on which kind of machine, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    #[serde(default)]
    check: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    machine: String,
    check: String,
    reason: String,
}

/// What is wrong with the skips of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Skipped, but not listed for this machine.
    pub(super) unlisted: Vec<String>,
    /// Listed for this machine, but not skipped.
    pub(super) stale: Vec<String>,
}

impl Listed {
    /// Reads the list of this repository.
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        let text = std::fs::read_to_string(root.join("docs/checks/not-here.toml"))
            .map_err(|error| Failure::doing("read `docs/checks/not-here.toml`", &error))?;
        Self::parse(&text)
    }

    /// Parses a list. Each entry needs a known kind of machine and a reason.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let listed: Self = toml::from_str(text)
            .map_err(|error| Failure::doing("read `docs/checks/not-here.toml`", &error))?;
        for Entry { machine, check, reason } in &listed.check {
            if !machine::is_known(machine) {
                return Err(Failure::new(format!("not-here.toml: `{machine}` is no kind of machine")));
            }
            if check.trim().is_empty() || reason.trim().is_empty() {
                return Err(Failure::new("not-here.toml: an entry has no check or no reason"));
            }
        }
        Ok(listed)
    }

    /// Holds the list against what was skipped on a machine of these kinds.
    pub(super) fn judge(&self, kinds: &BTreeSet<&str>, skips: &[Skip]) -> Verdict {
        let here: BTreeSet<&str> = self
            .check
            .iter()
            .filter(|entry| kinds.contains(entry.machine.as_str()))
            .map(|entry| entry.check.as_str())
            .collect();
        let skipped: BTreeSet<&str> = skips.iter().map(|skip| skip.check.as_str()).collect();
        let unlisted = skipped.difference(&here).map(|check| {
            format!("`{check}` was skipped, but docs/checks/not-here.toml doesn't list it for this kind of machine")
        });
        let stale = here.difference(&skipped).map(|check| {
            format!("`{check}` does run here; take its stale line out of docs/checks/not-here.toml")
        });
        Verdict { unlisted: unlisted.collect(), stale: stale.collect() }
    }
}

#[cfg(test)]
mod tests;
