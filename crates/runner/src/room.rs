//! Private folders: where the files of one run are, for its owner only, and wiped when it is over.
//!
//! A folder is held by a lock for as long as its process lives. Whoever makes the first one removes those that nobody holds: what
//! a broker left that was killed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::FlockOperation;

use crate::Error;

/// Where private folders are made.
#[derive(Debug, Clone)]
pub struct Rooms {
    base: PathBuf,
    swept: Arc<OnceLock<()>>,
}

impl Rooms {
    /// In the first of these places that is a folder which we can make folders in.
    ///
    /// # Errors
    /// When there is none.
    pub fn among(places: &[PathBuf]) -> Result<Self, Error> {
        let mut last = None;
        for place in places.iter().filter(|place| place.is_absolute()) {
            let base = place.join(format!("doorward-{}", rustix::process::geteuid().as_raw()));
            match private(&base) {
                Ok(()) => return Ok(Self { base, swept: Arc::default() }),
                Err(source) => last = Some(Error::Room { what: "make", path: base, source }),
            }
        }
        Err(last.unwrap_or_else(|| Error::Room {
            what: "find a place for",
            path: PathBuf::from("/dev/shm"),
            source: std::io::ErrorKind::NotFound.into(),
        }))
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.base
    }

    /// A new folder.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn make(&self) -> Result<Room, Error> {
        self.swept.get_or_init(|| self.sweep());
        let random = crypto::array::<16>().map_err(|error| Error::Room {
            what: "name",
            path: self.base.clone(),
            source: std::io::Error::other(error.to_string()),
        })?;
        let name = crypto::to_hex(&random);
        // Under another name until it is held, so that nobody takes it for one that was left.
        let (fresh, path) = (self.base.join(format!("{FRESH}{name}")), self.base.join(name));
        let lock = made(&fresh).and_then(|lock| fs::rename(&fresh, &path).map(|()| lock));
        let lock = lock.map_err(|source| {
            let _ = fs::remove_dir_all(&fresh);
            Error::Room { what: "make", path: path.clone(), source }
        })?;
        Ok(Room { path, _lock: lock, wiped: false })
    }

    /// Removes what nobody holds. Best effort: what can't be removed now is looked at again by the next broker.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.base).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(FRESH.as_bytes()) {
                continue;
            }
            let Ok(lock) = File::open(path.join(LOCK)) else { continue };
            if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
                let _ = wipe(&path);
            }
        }
    }
}

/// The private folder of one run.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
    _lock: File,
    wiped: bool,
}

impl Room {
    /// Where the file of this name is, also before it is written.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.files().join(name)
    }

    /// Writes a file, for its owner only. What stands in it may be a secret.
    ///
    /// # Errors
    /// When the name is not one, is taken, or the file can't be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
        let path = self.file(name);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        // Some programs look for a name that begins with a point, such as `.vault-token`.
        let written = if matches!(name, "" | "." | "..") || !name.bytes().all(plain) {
            Err(std::io::ErrorKind::InvalidInput.into())
        } else {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .and_then(|mut file| file.write_all(bytes))
        };
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(Error::Room { what: "write a file into", path: self.path.clone(), source }),
        }
    }

    /// Overwrites and removes everything. Called when the run is over; dropping does the same where that was not reached.
    ///
    /// # Errors
    /// When something is left.
    pub fn wipe(mut self) -> Result<(), Error> {
        self.wiped = true;
        wipe(&self.path).map_err(|source| Error::Room { what: "wipe", path: self.path.clone(), source })
    }

    /// The folder of the files that the program reads, and that it can't change.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.path.join(FILES)
    }

    /// The folder that the program may write to, as it sees it; its home.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.path.join(WORK)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.wiped
            && let Err(error) = wipe(&self.path)
        {
            tracing::warn!(%error, "the private folder of a run could not be wiped");
        }
    }
}

/// Overwrites the files and removes the folder. On a memory file system the first is all that a page needs; on a disk it is what
/// can be done.
fn wipe(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path.join(FILES)).into_iter().flatten().flatten() {
        // Nothing but us writes there, so nothing is a link; one that is all the same is not followed.
        let flags = rustix::fs::OFlags::NOFOLLOW.bits();
        let flags = i32::try_from(flags).unwrap_or_default();
        let file = OpenOptions::new().write(true).custom_flags(flags).open(entry.path());
        if let Ok(mut file) = file {
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(0))?;
            std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut file)?;
        }
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A folder with its lock held.
fn made(path: &Path) -> std::io::Result<File> {
    folder(path)?;
    let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path.join(LOCK))?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    folder(&path.join(FILES))?;
    folder(&path.join(WORK))?;
    Ok(lock)
}

fn folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// The folder itself, ours and nobody else's; a link that somebody put there is not followed.
fn private(base: &Path) -> std::io::Result<()> {
    match folder(base) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(base)?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_dir() || !ours || found.permissions().mode() & 0o077 != 0 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            "there is something else of that name, or it is open to others",
        ));
    }
    Ok(())
}

const FRESH: &str = "new-";
const LOCK: &str = "lock";
const FILES: &str = "files";
const WORK: &str = "work";

#[cfg(test)]
mod tests;
