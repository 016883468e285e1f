//! Which crates have changed since the last commit, for a quick run.

use std::collections::BTreeSet;
use std::path::Path;

use crate::failure::Outcome;
use crate::program::Program;

/// What a change touches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// Something that every crate is built with.
    Everything,
    /// These crates only, perhaps none.
    Crates(BTreeSet<String>),
}

impl Changed {
    /// Asks git. A clean tree counts as the last commit, so that a quick run right after a commit still tests it.
    pub(super) fn since_the_last_commit(root: &Path) -> Outcome<Self> {
        let git = |arguments: &[&str]| Program::new(root, "git", arguments).output();
        let mut files = git(&["diff", "--name-only", "-z", "HEAD"])?;
        files.push_str(&git(&["ls-files", "--others", "--exclude-standard", "-z"])?);
        if files.is_empty() {
            files = git(&["show", "--name-only", "--format=", "-z", "HEAD"])?;
        }
        Ok(Self::by(root, files.split('\0').filter(|file| !file.is_empty())))
    }

    fn by<'a>(root: &Path, files: impl Iterator<Item = &'a str>) -> Self {
        let mut crates = BTreeSet::new();
        for file in files {
            if SHARED.contains(&file) {
                return Self::Everything;
            }
            let name = file.strip_prefix("crates/").and_then(|rest| rest.split('/').next());
            // A crate that was deleted can't be tested; that its users still build is seen in them.
            let there = name.filter(|name| root.join("crates").join(name).join("Cargo.toml").is_file());
            crates.extend(there.map(str::to_owned));
        }
        Self::Crates(crates)
    }

    /// The arguments that choose them for cargo; none if there is nothing to build.
    pub(super) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Everything => vec!["--workspace".to_owned()],
            Self::Crates(crates) => {
                crates.iter().flat_map(|name| ["--package".to_owned(), name.clone()]).collect()
            }
        }
    }
}

/// Files that change how each crate is built.
const SHARED: &[&str] =
    &["Cargo.toml", "Cargo.lock", "clippy.toml", "rust-toolchain.toml", ".cargo/config.toml"];

#[cfg(test)]
mod tests;
