//! Writing a profile file: whole or not at all.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Error, File};

impl File {
    /// Reads the file at `path`, asks what it should be, and writes that; `None` leaves it as it is. Writers of ours take
    /// turns, so that each sees what the one before wrote; where another program wrote in between, it is asked again.
    ///
    /// # Errors
    /// What `change` says, or that the file can't be read or written.
    pub fn edit(path: &Path, change: impl Fn(&Self) -> Result<Option<String>, Error>) -> Result<(), Error> {
        let _turn = turn(path)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let read = Self::load(path)?;
            let Some(text) = change(&read)? else { return Ok(()) };
            match read.save(&text) {
                Err(Error::Changed { .. }) if tries < MOST_TRIES => {}
                done => return done,
            }
        }
    }

    /// Puts `text` in the place of the file. Readers see the old bytes or the new ones. A symbolic link stays and what it
    /// points to is replaced; permissions stay; a new file gets 0600, and a new directory 0700.
    ///
    /// # Errors
    /// When the file changed since it was read, is no regular file, or the system refuses.
    pub fn save(&self, text: &str) -> Result<(), Error> {
        let path = followed(&self.path);
        let wrong = |source: std::io::Error| Error::Write { path: self.path.clone(), source: source.into() };
        let stored = |source: store::Error| Error::Write { path: self.path.clone(), source: source.into() };
        let mode = match std::fs::metadata(&path) {
            Ok(seen) if seen.is_file() => {
                if std::fs::read(&path).map_err(wrong)? != self.text.as_bytes() {
                    return Err(Error::Changed { path: self.path.clone() });
                }
                Some(seen.permissions().mode() & 0o7777)
            }
            Ok(_) => return Err(Error::NotAFile { path: self.path.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !self.text.is_empty() {
                    return Err(Error::Changed { path: self.path.clone() });
                }
                None
            }
            Err(error) => return Err(wrong(error)),
        };
        made_folder(&path).map_err(stored)?;
        store::files::replace(&path, text.as_bytes(), 0o600).map_err(stored)?;
        // Written private and widened after: the mode given at creation is cut by the umask.
        match mode {
            Some(mode) if mode != 0o600 => {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).map_err(wrong)
            }
            _ => Ok(()),
        }
    }
}

/// The turn to write the file at a path: the lock of its folder, which leaves no file behind. It ends with the handle.
fn turn(path: &Path) -> Result<Option<std::fs::File>, Error> {
    let file = followed(path);
    made_folder(&file).map_err(|source| Error::Write { path: path.to_owned(), source: source.into() })?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that can't be opened, or a file system without locks, is no reason to write nothing: what was written by
    // somebody else meanwhile is noticed all the same.
    let Ok(folder) = std::fs::File::open(folder) else { return Ok(None) };
    Ok(folder.lock().is_ok().then_some(folder))
}

/// Makes the folder of a file where there is none.
fn made_folder(path: &Path) -> Result<(), store::Error> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => store::files::private_folder(folder),
        None => Ok(()),
    }
}

/// Where a path leads, links followed, also where the last one points to nothing yet.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => break,
        }
    }
    path
}

/// Another program that writes all the time is not waited out.
const MOST_TRIES: u32 = 5;
/// As many as Linux follows.
const MOST_LINKS: usize = 40;
