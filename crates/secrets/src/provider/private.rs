//! Files that open a home, or help to do so: nobody but their owner may read them; and folders that programs work in.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use memory::Secret;
use zeroize::Zeroizing;

use crate::source::{Environment, Trouble};

/// A folder for one use, removed with it.
pub(super) struct Folder(PathBuf);

/// Sees that a file is there, plain, and for its owner only.
pub(super) fn check(path: &Path) -> Result<(), Trouble> {
    opened(path).map(drop)
}

/// The text of such a file, without its line end.
pub(super) fn text(path: &Path) -> Result<Secret, Trouble> {
    let file = opened(path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes).map_err(|_| wrong(path, "it can't be read"))?;
    if bytes.len() > LONGEST {
        return Err(wrong(path, "it is longer than 4 KiB"));
    }
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    bytes.truncate(end);
    if bytes.is_empty() {
        return Err(wrong(path, "it is empty"));
    }
    Secret::new(std::mem::take(&mut *bytes)).map_err(|_| Trouble::Wrong("there is no guarded memory for it"))
}

/// Sees that code which is loaded from a file is ours or the system's: nobody else may have written it, or put another in
/// its place.
pub(super) fn code(path: &Path) -> Result<(), Trouble> {
    if !path.is_absolute() {
        return Err(wrong(path, "its path is not absolute"));
    }
    // Links are followed first, so that what is looked at is what is loaded.
    let real = path.canonicalize().map_err(|_| wrong(path, "it is not there"))?;
    let us = rustix::process::geteuid().as_raw();
    for (at, part) in real.ancestors().chain(path.ancestors().skip(1)).enumerate() {
        let seen = std::fs::metadata(part).map_err(|_| wrong(path, "it can't be looked at"))?;
        if at == 0 && !seen.is_file() {
            return Err(wrong(path, "it is not a plain file"));
        }
        if !is_trusted(&seen, us) {
            return Err(wrong(path, "another user may have written it, or put it there"));
        }
    }
    Ok(())
}

/// Of root or of us, and written by nobody else. In a folder that is sticky others can't touch what is not theirs.
fn is_trusted(seen: &Metadata, us: u32) -> bool {
    let owned = seen.uid() == 0 || seen.uid() == us;
    let sticky = seen.is_dir() && seen.mode() & 0o1000 != 0;
    owned && (seen.mode() & 0o022 == 0 || sticky)
}

fn opened(path: &Path) -> Result<File, Trouble> {
    let file = File::open(path).map_err(|_| wrong(path, "it can't be opened"))?;
    let seen = file.metadata().map_err(|_| wrong(path, "it can't be looked at"))?;
    if !seen.is_file() {
        return Err(wrong(path, "it is not a plain file"));
    }
    if seen.mode() & 0o077 != 0 {
        return Err(wrong(path, "other users may read or write it"));
    }
    Ok(file)
}

fn wrong(path: &Path, why: &str) -> Trouble {
    Trouble::setting(format!("`{}` can't be used: {why}", path.display()))
}

impl Folder {
    pub(super) fn make(environment: &Environment) -> Result<Self, Trouble> {
        let random = crypto::array::<12>().map_err(|_| Trouble::Wrong("the system has no random bytes"))?;
        let under = environment.raw("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        let path = under.join(format!("doorward-{}", crypto::to_hex(&random)));
        store::files::private_folder(&path)
            .map_err(|error| Trouble::setting(format!("there is no folder to work in: {error}")))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        store::files::replace(&self.0.join(name), bytes, 0o600)
            .map_err(|error| Trouble::setting(format!("there is no file to work with: {error}")))
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Trouble> {
        std::fs::read(self.0.join(name))
            .map_err(|source| Trouble::System { what: "read what its program made", source })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing secret is in it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Longer than any PIN.
const LONGEST: usize = 4096;
