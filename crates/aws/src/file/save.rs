//! Writing a profile file: whole or not at all.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Error, File};

impl File {
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
        if let Some(folder) =
            path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        {
            store::files::private_folder(folder).map_err(stored)?;
        }
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

/// As many as Linux follows.
const MOST_LINKS: usize = 40;
