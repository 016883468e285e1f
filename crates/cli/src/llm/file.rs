//! A file of sign-ins: read, changed and replaced under a lock.
//!
//! # Invariants
//!
//! - Readers see the old document or the new one; the file is its owner's alone (0600), and so is the folder that is made for it.
//! - Two at once wait for one another: the folder is locked, which leaves no file of its own behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cloud::sign_in::{self, Profiles};
use rustix::fs::FlockOperation;

use super::{failed, found};
use crate::failure::{Failure, Outcome};

/// A file that no other process changes meanwhile.
pub(super) struct Held {
    path: PathBuf,
    /// What is in it.
    pub(super) profiles: Profiles,
    _folder: File,
}

impl Held {
    /// What is in a file; nothing where there is none.
    pub(super) fn read(path: &Path) -> Outcome<Profiles> {
        let bytes = found::read(path)?.unwrap_or_default();
        Profiles::read(&bytes, &path.display().to_string()).map_err(|error| failed(&error))
    }

    /// Locks a file and reads it.
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let shown = path.display();
        let path = std::path::absolute(path)
            .map_err(|error| Failure::doing(format!("could not tell where `{shown}` is"), &error))?;
        // A link leads to the file that is replaced.
        let path = path.canonicalize().unwrap_or(path);
        let folder = path.parent().unwrap_or(Path::new("/"));
        if !folder.exists() {
            store::files::private_folder(folder)?;
        }
        let folder = File::open(folder)
            .map_err(|error| Failure::doing(format!("could not open the folder of `{shown}`"), &error))?;
        locked(&folder, &path)?;
        Ok(Self { profiles: Self::read(&path)?, path, _folder: folder })
    }

    /// Replaces the file with what is in it now.
    pub(super) fn write(&self) -> Outcome {
        let document = self.profiles.write().map_err(|error| failed(&error))?;
        Ok(store::files::replace(&self.path, &document, 0o600)?)
    }

    /// Changes a file; an error of the change changes nothing.
    pub(super) fn change(
        path: &Path,
        change: impl FnOnce(&mut Profiles) -> Result<(), sign_in::Error>,
    ) -> Outcome {
        let mut held = Self::open(path)?;
        change(&mut held.profiles).map_err(|error| failed(&error))?;
        held.write()
    }
}

fn locked(folder: &File, path: &Path) -> Outcome {
    let until = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::flock(folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::AGAIN) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(rustix::io::Errno::AGAIN) => {
                let message = format!("another process has been changing `{}` for a minute", path.display());
                return Err(Failure::new(message).hint("run the command again when it is done"));
            }
            Err(error) => {
                let error = std::io::Error::from(error);
                return Err(Failure::doing(
                    format!("could not lock the folder of `{}`", path.display()),
                    &error,
                ));
            }
        }
    }
}

/// Longer than the issuer is given, which is asked under the lock.
const PATIENCE: Duration = Duration::from_secs(60);
