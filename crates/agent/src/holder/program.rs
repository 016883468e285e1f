//! The program that a process runs. A weak fact: whoever has the same uid can make a process run it.
//!
//! The path counts only where it leads us to the very file that runs, so that a path within another file system names nothing
//! here. The hash is that of the file that runs, read through the kernel's link to it.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::Exe;

/// A program that runs.
#[derive(Debug)]
pub(super) struct Program {
    path: String,
    file: Identity,
}

/// A file as it was when it was looked at: another one, or the same with other bytes, is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(seen: &Metadata) -> Self {
        Self {
            device: seen.dev(),
            inode: seen.ino(),
            size: seen.size(),
            modified: (seen.mtime(), seen.mtime_nsec()),
            changed: (seen.ctime(), seen.ctime_nsec()),
        }
    }
}

impl Program {
    /// The fact about it.
    pub(super) fn fact(&self) -> Exe {
        Exe { path: self.path.clone(), sha256: None }
    }

    /// Whether the process runs the same file as before, with the bytes of before.
    pub(super) fn runs_still(&self, folder: &Path) -> bool {
        running(folder).is_some_and(|(path, _, file)| file == self.file && path == Path::new(&self.path))
    }

    /// SHA-256 of the file; `None` where it is too large, or not the same any more. Read aside, as it may take a moment.
    pub(super) async fn sha256(&self, folder: &Path) -> Option<[u8; 32]> {
        if let Some(hash) = known(&self.file) {
            return Some(hash);
        }
        let (_, opened, file) = running(folder).filter(|(_, _, file)| *file == self.file)?;
        tokio::task::spawn_blocking(move || hashed(opened, file)).await.ok()?
    }
}

/// The program of a process, where it is certain.
pub(super) fn of(folder: &Path) -> Option<Program> {
    let (path, _, file) = running(folder)?;
    let ours = Identity::of(&std::fs::metadata(&path).ok()?);
    if (ours.device, ours.inode) != (file.device, file.inode) {
        return None;
    }
    Some(Program { path: path.into_os_string().into_string().ok()?, file })
}

/// Path and file of what runs.
fn running(folder: &Path) -> Option<(PathBuf, File, Identity)> {
    let link = folder.join("exe");
    let path = std::fs::read_link(&link).ok()?;
    // Opened through the link, which leads to the file itself and not to what stands at its path by now.
    let opened = File::open(&link).ok()?;
    let file = Identity::of(&opened.metadata().ok()?);
    Some((path, opened, file))
}

/// Reads a file to its end. One after another, so that programs of many megabytes do not take every thread.
fn hashed(mut opened: File, file: Identity) -> Option<[u8; 32]> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(hash) = known(&file) {
        return Some(hash);
    }
    if file.size > LARGEST {
        return None;
    }
    let hash = broker::agent::sha256_of(&mut opened).ok()?;
    // Written to meanwhile: the hash is of no version of it.
    if Identity::of(&opened.metadata().ok()?) != file {
        return None;
    }
    let mut hashes = HASHES.lock().unwrap_or_else(PoisonError::into_inner);
    if hashes.len() >= REMEMBERED {
        hashes.remove(0);
    }
    hashes.push((file, hash));
    Some(hash)
}

fn known(file: &Identity) -> Option<[u8; 32]> {
    let hashes = HASHES.lock().unwrap_or_else(PoisonError::into_inner);
    hashes.iter().find(|(known, _)| known == file).map(|(_, hash)| *hash)
}

/// Hashes of files that were read, by what a file can't change without showing it here: for all sockets of the process.
static HASHES: Mutex<Vec<(Identity, [u8; 32])>> = Mutex::new(Vec::new());
/// Held while a file is read.
static TURN: Mutex<()> = Mutex::new(());
const REMEMBERED: usize = 64;
/// Larger files have no hash: whoever runs one could keep us busy with it.
const LARGEST: u64 = 256 << 20;

#[cfg(test)]
mod tests;
