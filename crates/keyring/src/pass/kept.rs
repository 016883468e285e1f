//! The file that an entry had before a program writes a new one into its place.
//!
//! The programs write in place, so what was there is copied first, beside it, as it is: encrypted, so that no key is needed.
//! A write that failed is undone with the copy. One that is still there when the next call has its turn was left by a
//! writer that was killed; the caller then finds out which of the two files is whole.
//!
//! # Invariants
//!
//! - The copy is on the disk, whole, before the program is started, and gone when the new file is on the disk.
//! - Calls are made in the turn of the store, as one copy is all there is.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::name::UNFINISHED;

/// What there was before a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Before {
    /// A file; its copy is on the disk.
    Copied,
    /// No file.
    Nothing,
}

/// The file of an entry, and the place of its copy.
#[derive(Debug)]
pub(super) struct Kept {
    file: PathBuf,
    copy: PathBuf,
    /// The copy's path as the program names it.
    name: String,
}

impl Kept {
    /// For the entry at `path` below the store, whose file is `file`.
    pub(super) fn of(path: &str, file: PathBuf, extension: &str) -> Self {
        // A hash, because a name of full length has no room for a prefix.
        let hash = crypto::to_hex(&crypto::sha256(&[path.as_bytes()]));
        let short = format!("{UNFINISHED}{}", hash.get(..32).unwrap_or(&hash));
        let name = match path.rsplit_once('/') {
            Some((above, _)) => format!("{above}/{short}"),
            None => short.clone(),
        };
        Self { copy: file.with_file_name(format!("{short}.{extension}")), file, name }
    }

    /// The copy's path as the program names it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a killed writer left a copy.
    pub(super) fn is_there(&self) -> bool {
        self.copy.is_file()
    }

    /// Copies what is there.
    pub(super) fn keep(&self) -> Result<Before, Error> {
        let seen = match std::fs::metadata(&self.file) {
            Ok(seen) => seen,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Before::Nothing),
            Err(source) => return Err(failed("read", &self.file, source)),
        };
        let bytes = std::fs::read(&self.file).map_err(|source| failed("read", &self.file, source))?;
        // Renamed, so that half a copy is never taken for one.
        let fresh = self.copy.with_extension("new");
        let written = write(&fresh, &bytes, seen.permissions());
        let written = written.and_then(|()| std::fs::rename(&fresh, &self.copy));
        written.and_then(|()| self.sync_folder()).map_err(|source| failed("write", &self.copy, source))?;
        Ok(Before::Copied)
    }

    /// Puts the copy back, or takes away the piece of a file where there was none before.
    pub(super) fn put_back(&self, before: Before) -> Result<(), Error> {
        let done = match before {
            Before::Copied => std::fs::rename(&self.copy, &self.file),
            Before::Nothing => absent(std::fs::remove_file(&self.file)),
        };
        done.and_then(|()| self.sync_folder()).map_err(|source| failed("restore", &self.file, source))
    }

    /// Makes the new file last, then forgets the copy.
    pub(super) fn written(&self) -> Result<(), Error> {
        let synced = File::open(&self.file).and_then(|file| file.sync_all());
        let synced = synced.and_then(|()| self.sync_folder());
        synced.map_err(|source| failed("sync", &self.file, source))?;
        self.forget()
    }

    /// Takes the copy away.
    pub(super) fn forget(&self) -> Result<(), Error> {
        absent(std::fs::remove_file(&self.copy)).map_err(|source| failed("remove", &self.copy, source))
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        match self.file.parent() {
            // A folder that is not there has nothing to lose.
            Some(folder) if folder.is_dir() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }
}

fn write(path: &Path, bytes: &[u8], like: std::fs::Permissions) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(like)?;
    file.sync_all()
}

fn absent(done: std::io::Result<()>) -> std::io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn failed(what: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { what, path: path.to_owned(), source }
}
