//! What opens the home, in a backup that was asked to hold it.
//!
//! # Invariants
//!
//! - A backup says that what opens the home is in it only where a file is in it that was seen to open it.

use std::path::{Path, PathBuf};

use secrets::{Facts, KeyFile};
use store::Embedded;

use crate::failure::{Failure, Outcome};
use crate::home::Home;

/// A key file that opens a home.
pub(super) struct Key {
    /// Where it is.
    pub(super) file: PathBuf,
    /// Where it goes, below the backup: a home that is made of that looks for it there.
    pub(super) below: PathBuf,
}

impl Key {
    /// That of a home; refused where no file opens it, or the file is not to be had.
    pub(super) fn of(home: &Home, database: &Embedded) -> Outcome<Self> {
        let facts = secrets::provider_facts(database)?;
        let Facts::KeyFile { path } = &facts else {
            let message = format!(
                "`--with-key` copies a key file, and this home is opened by another key provider, `{}`",
                facts.provider()
            );
            return Err(Failure::new(message)
                .hint("leave `--with-key` out: such a backup is opened by what opens this home, or by its recovery key"));
        };
        let mut first = None;
        for file in candidates(home.folder(), path) {
            // One that lies at the place may be another's.
            match secrets::unseal(database, &KeyFile::at(file.clone()).of(Some(home.folder()))) {
                Ok(_opened) => return Ok(Self { file, below: below(path) }),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let failure = first.map_or_else(|| Failure::new("there is no key file"), Failure::from);
        Err(Failure {
            message: format!("`--with-key` finds no key that opens this home: {}", failure.message),
            ..failure
        }
        .hint("leave `--with-key` out, or put the key file back"))
    }
}

/// Whether a backup, or what is made of it, holds the key file that its database remembers.
pub(super) fn is_in(folder: &Path, facts: &Facts) -> bool {
    matches!(facts, Facts::KeyFile { path } if folder.join(below(path)).is_file())
}

/// Where a key file may be: in the home, and where it was.
fn candidates(home: &Path, path: &Path) -> Vec<PathBuf> {
    let was = home.join(path);
    let here = path.file_name().map(|name| home.join(name)).filter(|here| *here != was && here.is_file());
    here.into_iter().chain([was]).collect()
}

/// A file of the home keeps its place in there; one that lies elsewhere is looked for by its name.
fn below(path: &Path) -> PathBuf {
    if path.is_relative() { path.to_owned() } else { path.file_name().map(PathBuf::from).unwrap_or_default() }
}
