//! Counts tests by reading the closing lines of test programs.

use std::fmt;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// Tests that failed.
    pub(crate) failed: usize,
    /// Tests that were ignored or skipped.
    pub(crate) skipped: usize,
}

impl Tally {
    /// Adds what `line` says, if it is the closing line of a test program: `test result: ok. 3 passed; 0 failed; ...`.
    pub(crate) fn read(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        let Some((_, counts)) = rest.split_once(". ") else { return };
        for part in counts.split("; ") {
            let Some((number, word)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// What `line` says, if it is a closing line of our own: `3 passed, 0 failed, 1 skipped`.
    pub(crate) fn closing(line: &str) -> Option<Self> {
        let mut parts = line.trim().split(", ");
        let mut number = |word: &str| -> Option<usize> {
            let (number, found) = parts.next()?.split_once(' ')?;
            if found == word { number.parse().ok() } else { None }
        };
        let tally =
            Self { passed: number("passed")?, failed: number("failed")?, skipped: number("skipped")? };
        if parts.next().is_none() { Some(tally) } else { None }
    }

    /// Adds another count to this one.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { passed, failed, skipped } = other;
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests;
