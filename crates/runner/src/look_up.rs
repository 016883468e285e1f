//! Where a program is, and which one it is.
//!
//! A program is looked up on a path that the settings say, never through a shell. Our own executable is skipped under whatever
//! name: a link called `vault` is how people start us, and running ourselves for the service of that name would go round in a
//! circle. What anybody could replace is skipped as well.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    path: PathBuf,
    real: PathBuf,
    mark: Mark,
}

impl Program {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was found.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file behind all links.
    #[must_use]
    pub fn real(&self) -> &Path {
        &self.real
    }
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// What was passed over, and why.
    pub passed_over: Vec<(PathBuf, &'static str)>,
}

/// Looks programs up, and remembers which is which.
#[derive(Debug)]
pub struct Programs {
    path: Vec<PathBuf>,
    own: Option<Mark>,
    digests: Mutex<BTreeMap<Mark, [u8; 32]>>,
}

/// What tells one state of a file from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Mark {
    pub(crate) fn of(found: &Metadata) -> Self {
        let changed = (found.ctime(), found.ctime_nsec());
        Self { device: found.dev(), inode: found.ino(), size: found.size(), changed }
    }
}

impl Programs {
    /// Looks in these folders, in their order. `own` is the executable that is never found.
    #[must_use]
    pub fn on(path: Vec<PathBuf>, own: Option<&Path>) -> Self {
        let own = own.and_then(|own| fs::metadata(own).ok()).map(|found| Mark::of(&found));
        Self { path, own, digests: Mutex::default() }
    }

    /// Where is looked.
    #[must_use]
    pub fn path(&self) -> &[PathBuf] {
        &self.path
    }

    /// The first program of this name that is not us and that nobody else can replace.
    ///
    /// # Errors
    /// When there is none; with what was passed over.
    pub fn find(&self, name: &str) -> Result<Program, Absent> {
        let mut passed_over = Vec::new();
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(Absent { passed_over });
        }
        for folder in self.path.iter().filter(|folder| folder.is_absolute()) {
            let path = folder.join(name);
            let Ok(real) = fs::canonicalize(&path) else { continue };
            let Ok(found) = fs::metadata(&real) else { continue };
            if !found.is_file() || found.mode() & 0o111 == 0 {
                continue;
            }
            let mark = Mark::of(&found);
            match self.unfit(folder, &real, &found) {
                Some(why) => passed_over.push((path, why)),
                None => return Ok(Program { name: name.to_owned(), path, real, mark }),
            }
        }
        Err(Absent { passed_over })
    }

    fn unfit(&self, folder: &Path, real: &Path, found: &Metadata) -> Option<&'static str> {
        let mark = Mark::of(found);
        let us = rustix::process::geteuid().as_raw();
        if let Some(own) = self.own
            && own.size == mark.size
            && ((own.device, own.inode) == (mark.device, mark.inode) || self.is_a_copy(own, real, mark))
        {
            return Some("it is Doorward itself");
        }
        if found.mode() & 0o002 != 0 || (found.uid() != 0 && found.uid() != us) {
            return Some("somebody else could replace it");
        }
        let open = fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o1002 == 0o002);
        open.then_some("its folder is open to everybody")
    }

    /// A copy of us is us. Only a file of exactly our size is read for that.
    fn is_a_copy(&self, own: Mark, real: &Path, mark: Mark) -> bool {
        let ours = std::env::current_exe().ok().and_then(|path| self.digest_of(&path, own));
        ours.is_some() && ours == self.digest_of(real, mark)
    }

    fn known(&self, mark: Mark) -> Option<[u8; 32]> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner).get(&mark).copied()
    }

    /// SHA-256 of a program's file; remembered for as long as the file stays what it is. Blocks the first time.
    #[must_use]
    pub fn digest(&self, program: &Program) -> Option<[u8; 32]> {
        self.digest_of(&program.real, program.mark)
    }

    fn digest_of(&self, path: &Path, mark: Mark) -> Option<[u8; 32]> {
        if let Some(known) = self.known(mark) {
            return Some(known);
        }
        let mut file = File::open(path).ok()?;
        // The one that was found, or another one by now.
        if Mark::of(&file.metadata().ok()?) != mark {
            return None;
        }
        let digest = crypto::sha256_of(&mut file).ok()?;
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if digests.len() >= MOST {
            digests.clear();
        }
        digests.insert(mark, digest);
        Some(digest)
    }
}

/// Digests that are remembered.
const MOST: usize = 256;

#[cfg(test)]
mod tests;
