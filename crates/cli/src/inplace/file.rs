//! One file that is edited: locked, read, replaced whole.
//!
//! # Invariants
//!
//! - Readers see the old bytes or the new ones; the file keeps its permissions and its owner, and a link keeps leading to it.
//! - Two at once wait for one another: the folder is locked, which leaves no file of its own behind.
//! - What somebody else wrote meanwhile is never overwritten.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;

use crate::failure::{Failure, Outcome};
use crate::typed;

/// A file that nobody else edits with this program meanwhile.
pub(super) struct Held {
    shown: String,
    path: PathBuf,
    text: String,
    there: Option<Metadata>,
    _folder: File,
}

impl Held {
    /// Locks and reads a file; one that is not there is empty.
    pub(super) fn open(shown: &str) -> Outcome<Self> {
        let path = real(shown)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let folder = File::open(folder)
            .map_err(|error| Failure::doing(format!("could not open the folder of `{shown}`"), &error))?;
        locked(&folder, shown)?;
        let there = match path.metadata() {
            Ok(there) if there.is_file() => Some(there),
            Ok(_) => return Err(Failure::new(format!("`{shown}` is not a file"))),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::doing(format!("could not look at `{shown}`"), &error)),
        };
        let text = if there.is_some() { typed::text(&path)? } else { String::new() };
        Ok(Self { shown: shown.to_owned(), path, text, there, _folder: folder })
    }

    /// The same for a file that has to be there.
    pub(super) fn existing(shown: &str) -> Outcome<Self> {
        let held = Self::open(shown)?;
        match held.there {
            Some(_) => Ok(held),
            None => Err(not_there(shown)),
        }
    }

    /// What stands in it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Replaces what stands in it. The same text writes nothing.
    pub(super) fn write(&mut self, text: &str) -> Outcome {
        if self.there.is_some() && text == self.text {
            return Ok(());
        }
        let now = match std::fs::read(&self.path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::doing(format!("could not read `{}`", self.shown), &error)),
        };
        if now.as_deref() != self.there.as_ref().map(|_| self.text.as_bytes()) {
            let message =
                format!("`{}` was changed by something else meanwhile; nothing was written", self.shown);
            return Err(Failure::new(message).hint("run the command again"));
        }
        match &self.there {
            Some(there) => store::files::replace_like(&self.path, text.as_bytes(), there)?,
            None => store::files::replace(&self.path, text.as_bytes(), 0o644)?,
        }
        text.clone_into(&mut self.text);
        Ok(())
    }
}

/// What stands in a file that is only read.
pub(super) fn text(shown: &str) -> Outcome<String> {
    match typed::text(Path::new(shown)) {
        Err(_) if !Path::new(shown).exists() => Err(not_there(shown)),
        other => other,
    }
}

fn not_there(shown: &str) -> Failure {
    Failure::new(format!("there is no file `{shown}`")).hint("`-file` says where it is")
}

/// Where a file really is: links are followed, so that they stay.
fn real(shown: &str) -> Outcome<PathBuf> {
    let path = Path::new(shown);
    let error = match path.canonicalize() {
        Ok(real) => return Ok(real),
        Err(error) => error,
    };
    if error.kind() != ErrorKind::NotFound {
        return Err(Failure::doing(format!("could not look at `{shown}`"), &error));
    }
    if path.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("`{shown}` is a link that leads nowhere")));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder
        .canonicalize()
        .map_err(|error| Failure::doing(format!("there is no folder for `{shown}`"), &error))?;
    match path.file_name() {
        Some(name) => Ok(folder.join(name)),
        None => Err(Failure::new(format!("`{shown}` is no name of a file"))),
    }
}

fn locked(folder: &File, shown: &str) -> Outcome {
    let until = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::flock(folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::AGAIN) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20))
            }
            Err(rustix::io::Errno::AGAIN) => {
                return Err(Failure::new(format!(
                    "another process has been editing beside `{shown}` for 10 s"
                ))
                .hint("run the command again when it is done"));
            }
            Err(error) => {
                let error = std::io::Error::from(error);
                return Err(Failure::doing(format!("could not lock the folder of `{shown}`"), &error));
            }
        }
    }
}

/// How long another edit may take.
const PATIENCE: Duration = Duration::from_secs(10);
