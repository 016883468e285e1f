//! The files of a folder, read so that nobody but their owner can have changed them.
//!
//! # Invariants
//!
//! - The folder, each file and each link belong to the user who runs this or to root, and nobody else may write them. A
//!   folder that everybody may write to is accepted only where it is mounted read-only, as a volume of Kubernetes is.
//! - A link leads to a file of the same folder, as in such a volume; any other one is refused.
//! - What was checked is what is read: a file is opened once, and its facts are those of the open file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags, fstatvfs, openat};

use super::read::Format;
use super::{Error, Why};

/// One file.
pub(super) struct Found {
    /// Its name as it is shown.
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) text: String,
}

/// The policy files of a folder, by name, and the folders in it, which nobody looks into. What is hidden and files of other kinds are
/// left alone.
pub(super) fn read(folder: &Path) -> Result<(Vec<Found>, Vec<PathBuf>), Error> {
    let opened = open(folder, OFlags::DIRECTORY).map_err(unreadable(folder))?;
    let read_only = fstatvfs(&opened).is_ok_and(|facts| facts.f_flag.contains(StatVfsMountFlags::RDONLY));
    check(folder, &opened, read_only)?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        names.push(entry.map_err(unreadable(folder))?.file_name());
    }
    names.sort();
    let (mut found, mut folders) = (Vec::new(), Vec::new());
    let real = folder.canonicalize().map_err(unreadable(folder))?;
    for name in names {
        let path = folder.join(&name);
        let hidden = name.to_str().is_none_or(|name| name.starts_with('.'));
        if !hidden && path.is_dir() {
            folders.push(path);
            continue;
        }
        let Some(format) = format_of(&path).filter(|_| !hidden) else { continue };
        if found.len() == MOST_FILES {
            return Err(wrong(folder, Why::TooMany));
        }
        if let Some(text) = file(&path, &real, read_only)? {
            found.push(Found { name: path.display().to_string(), format, text });
        }
    }
    Ok((found, folders))
}

/// The text of one file; `None` for a folder.
fn file(path: &Path, folder: &Path, read_only: bool) -> Result<Option<String>, Error> {
    let link = std::fs::symlink_metadata(path).map_err(unreadable(path))?;
    let mut real = path.to_owned();
    if link.file_type().is_symlink() {
        if !owners().contains(&link.uid()) {
            return Err(wrong(path, Why::LinkOfAnother));
        }
        real = path.canonicalize().map_err(unreadable(path))?;
        if !real.starts_with(folder) {
            return Err(wrong(path, Why::LinkOut));
        }
    }
    let opened = open(&real, OFlags::NOFOLLOW | OFlags::NONBLOCK).map_err(unreadable(path))?;
    let facts = opened.metadata().map_err(unreadable(path))?;
    if facts.is_dir() {
        return Ok(None);
    }
    if !facts.is_file() {
        return Err(wrong(path, Why::NotPlain));
    }
    check(path, &opened, read_only)?;
    let mut bytes = Vec::new();
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable(path))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(wrong(path, Why::TooLarge));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong(path, Why::NotText))?;
    Ok(Some(text))
}

/// Nobody but the owner may write it, and the owner is us or root.
fn check(path: &Path, opened: &File, read_only: bool) -> Result<(), Error> {
    let facts = opened.metadata().map_err(unreadable(path))?;
    if !owners().contains(&facts.uid()) {
        return Err(wrong(path, Why::OfAnother));
    }
    if facts.mode() & OTHERS_WRITE != 0 && !read_only {
        return Err(wrong(path, Why::Writable));
    }
    Ok(())
}

fn owners() -> [u32; 2] {
    [rustix::process::geteuid().as_raw(), 0]
}

fn open(path: &Path, more: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | more;
    Ok(File::from(openat(CWD, path, flags, Mode::empty())?))
}

fn format_of(path: &Path) -> Option<Format> {
    // A rule that denies must not be lost for a capital letter.
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "yaml" | "yml" => Some(Format::Yaml),
        _ => None,
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path: PathBuf = path.to_owned();
    move |source| Error::Read { path: path.clone(), source }
}

fn wrong(path: &Path, why: Why) -> Error {
    Error::Unsafe { path: path.to_owned(), why }
}

const OTHERS_WRITE: u32 = 0o022;
/// Largest file, in bytes.
const LARGEST: u64 = 1 << 20;
const MOST_FILES: usize = 1000;
