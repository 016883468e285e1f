//! The program that a process runs. A weak fact: whoever has the same uid can make a process run it.
//!
//! The path counts only where it leads us to the very file that runs, so that a path within another file system names nothing
//! here.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::Exe;

/// A program that runs.
#[derive(Debug)]
pub(super) struct Program {
    path: String,
    file: (u64, u64),
}

impl Program {
    /// The fact about it.
    pub(super) fn fact(&self) -> Exe {
        Exe { path: self.path.clone(), sha256: None }
    }

    /// Whether the process runs the same file as before.
    pub(super) fn runs_still(&self, folder: &Path) -> bool {
        running(folder).is_some_and(|(path, file)| file == self.file && path == Path::new(&self.path))
    }
}

/// The program of a process, where it is certain.
pub(super) fn of(folder: &Path) -> Option<Program> {
    let (path, file) = running(folder)?;
    let ours = std::fs::metadata(&path).ok()?;
    if (ours.dev(), ours.ino()) != file {
        return None;
    }
    Some(Program { path: path.into_os_string().into_string().ok()?, file })
}

/// Path and identity of the file that runs.
fn running(folder: &Path) -> Option<(PathBuf, (u64, u64))> {
    let link = folder.join("exe");
    let path = std::fs::read_link(&link).ok()?;
    // Opened through the link, which leads to the file itself and not to what stands at its path by now.
    let found = File::open(&link).ok()?.metadata().ok()?;
    Some((path, (found.dev(), found.ino())))
}

#[cfg(test)]
mod tests;
