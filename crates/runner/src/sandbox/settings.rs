//! The settings of the machine that programs see, as one folder of copies.
//!
//! Each file that is shown by itself is two mounts and a look at the list of all of them, for every run: more than everything else
//! that is done for it. So small files are copied once, and the folder with the copies is shown. A file that has changed since, or
//! came or went, has all of them copied again before the next program starts. Folders, which others change within, and large files are
//! shown as they are.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::look_up::Mark;
use crate::{Error, Room, Rooms};

/// Copies them, and remembers the last copy.
#[derive(Debug)]
pub(crate) struct Settings {
    rooms: Rooms,
    paths: Vec<PathBuf>,
    last: Mutex<Option<Arc<Copied>>>,
}

/// The settings as they were at one moment.
#[derive(Debug)]
pub(crate) struct Copied {
    room: Room,
    /// What each path was just before it was copied; what changed meanwhile is not this.
    marks: Vec<Option<Mark>>,
    /// Where a copy is shown, and what it is called in the folder.
    files: Vec<(PathBuf, String)>,
    /// What is shown as it is.
    whole: Vec<PathBuf>,
}

impl Settings {
    /// Of these paths, where they are there.
    pub(crate) fn of(rooms: Rooms, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { rooms, paths: paths.into_iter().collect(), last: Mutex::default() }
    }

    /// As they are now.
    ///
    /// # Errors
    /// When they can't be read or copied.
    pub(crate) fn now(&self) -> Result<Arc<Copied>, Error> {
        let marks: Vec<_> =
            self.paths.iter().map(|path| fs::metadata(path).ok().map(|found| Mark::of(&found))).collect();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(copied) = &*last
            && copied.marks == marks
        {
            return Ok(Arc::clone(copied));
        }
        // Who still runs with the last one holds it.
        let copied = Arc::new(self.copied(marks)?);
        *last = Some(Arc::clone(&copied));
        Ok(copied)
    }

    fn copied(&self, marks: Vec<Option<Mark>>) -> Result<Copied, Error> {
        let room = self.rooms.make()?;
        let (mut files, mut whole) = (Vec::new(), Vec::new());
        for (number, path) in self.paths.iter().enumerate() {
            let Ok(found) = fs::metadata(path) else { continue };
            if found.is_dir() || found.len() > LARGEST {
                whole.push(path.clone());
                continue;
            }
            let name = number.to_string();
            match copy(path, &room.file(&name)) {
                Ok(()) => files.push((path.clone(), name)),
                // It went since.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(Error::System { what: "copy a setting of the machine for programs", source });
                }
            }
        }
        Ok(Copied { room, marks, files, whole })
    }
}

impl Copied {
    /// The folder with the copies.
    pub(crate) fn folder(&self) -> PathBuf {
        self.room.files()
    }

    /// Where a copy is to be seen, and its name in the folder.
    pub(crate) fn files(&self) -> &[(PathBuf, String)] {
        &self.files
    }

    /// What is to be seen as it is.
    pub(crate) fn whole(&self) -> &[PathBuf] {
        &self.whole
    }
}

/// Copies the file behind all links, to where nothing is yet. What is not a file has an end here all the same.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    fs::File::open(from)?.take(LARGEST).read_to_end(&mut bytes)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?.write_all(&bytes)
}

/// A file with more bytes than this is not copied.
const LARGEST: u64 = 4 << 20;

#[cfg(test)]
mod tests;
