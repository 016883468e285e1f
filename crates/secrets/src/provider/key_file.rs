//! A file of 32 random bytes as a key provider, for machines that start without a person.
//!
//! A file that lies in the home is remembered by its place in there, so that a home may be moved, copied and restored. Homes of
//! before remember where it was; there the file of that name in the home is tried first.
//!
//! A file that others may read, or that another user could exchange through a link, is refused: whoever reads it opens
//! the home. Because nobody but its owner may read an accepted file, reading it shows that it is ours (or we are root).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crypto::{DataKey, Place, WrapKey, Wrapped};
use zeroize::Zeroizing;

use super::{Facts, HomeId, KeyProvider, KeyWrap};
use crate::Error;
use crate::source::Trouble;

/// A key in a file: 64 hex digits, or 32 bytes in base 64.
pub struct KeyFile {
    path: PathBuf,
    /// Where else it may be.
    elsewhere: Option<PathBuf>,
    /// The folder of the home.
    home: Option<PathBuf>,
}

impl KeyFile {
    /// The key in the file at `path`, which is read when it is needed.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, elsewhere: None, home: None }
    }

    /// The same for the home in this folder.
    #[must_use]
    pub fn of(self, home: Option<&Path>) -> Self {
        Self { home: home.map(ToOwned::to_owned), ..self }
    }

    /// The key in the file that a home remembers.
    pub(super) fn remembered(path: &Path, home: Option<&Path>) -> Self {
        let Some(folder) = home else { return Self::at(path.to_owned()) };
        // An absolute path stays what it is.
        let was = folder.join(path);
        let here = path.file_name().map(|name| folder.join(name)).filter(|here| here.is_file());
        match here.filter(|here| *here != was) {
            Some(here) => Self { path: here, elsewhere: Some(was), home: None }.of(home),
            None => Self::at(was).of(home),
        }
    }

    /// Its place in the home, where it lies there.
    fn in_home(&self, path: &Path) -> Option<PathBuf> {
        let home = std::path::absolute(self.home.as_ref()?).ok()?;
        let below = path.strip_prefix(&home).ok().map(ToOwned::to_owned);
        let real = || {
            let (home, folder) = (home.canonicalize().ok()?, path.parent()?.canonicalize().ok()?);
            Some(folder.strip_prefix(home).ok()?.join(path.file_name()?))
        };
        below.or_else(real)
    }

    /// Makes a fresh key at `path`, where no file may be yet, readable for this user only.
    ///
    /// # Errors
    /// When there is a file already, or it can't be written.
    pub fn create(path: PathBuf) -> Result<Self, Error> {
        let made = Self::at(path);
        if std::fs::symlink_metadata(&made.path).is_ok() {
            return Err(made.wrong("there is a file already"));
        }
        let text = WrapKey::generate()?.expose(|key| Zeroizing::new(crypto::to_hex(key)));
        store::files::replace(&made.path, text.as_bytes(), 0o600)?;
        Ok(made)
    }

    fn read(&self) -> Result<WrapKey, Error> {
        let seen = std::fs::metadata(&self.path).map_err(|_| self.wrong("it is not there"))?;
        if !seen.is_file() {
            return Err(self.wrong("it is not a plain file"));
        }
        let mut file = File::open(&self.path).map_err(|_| self.wrong("it can't be opened"))?;
        self.check(&file)?;
        // Reserved beforehand, so that no growing buffer leaves a part of the key behind.
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
        (&mut file).take(limit).read_to_end(&mut text).map_err(|_| self.wrong("it can't be read"))?;
        parse(&text).ok_or_else(|| self.wrong("it does not hold 32 bytes in hex or base 64"))
    }

    /// The checks are made on the open file, so that it can't be exchanged between check and use.
    fn check(&self, file: &File) -> Result<(), Error> {
        let opened = file.metadata().map_err(|_| self.wrong("it can't be looked at"))?;
        if !opened.is_file() {
            return Err(self.wrong("it is not a plain file"));
        }
        if opened.mode() & 0o077 != 0 {
            return Err(self.wrong("other users may read or write it"));
        }
        let named = std::fs::symlink_metadata(&self.path).map_err(|_| self.wrong("it is not there"))?;
        if named.uid() != opened.uid() && named.uid() != 0 {
            return Err(self.wrong("it is reached through another user's link"));
        }
        Ok(())
    }

    fn wrong(&self, why: &'static str) -> Error {
        let why = Trouble::setting(format!("`{}` can't be used: {why}", self.path.display()));
        Error::Provider { provider: NAME, why: Arc::new(why) }
    }
}

impl KeyProvider for KeyFile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self, _home: &HomeId) -> Result<Facts, Error> {
        let path = std::path::absolute(&self.path).map_err(|_| self.wrong("its path can't be resolved"))?;
        let path = self.in_home(&path).unwrap_or(path);
        // The home remembers it as text.
        if path.to_str().is_none() {
            return Err(self.wrong("its path is not UTF-8"));
        }
        Ok(Facts::KeyFile { path })
    }

    fn ready(&self, facts: &Facts) -> Result<Box<dyn KeyWrap>, Error> {
        match facts {
            Facts::KeyFile { path: _ } => {
                let Some(elsewhere) = &self.elsewhere else { return Ok(Box::new(self.read()?)) };
                // The first error is about the file in the home, which is the one that should be there.
                match (self.read(), Self::at(elsewhere.clone()).read()) {
                    (Ok(here), Ok(there)) => {
                        Ok(Box::new(Either { keys: [here, there], opens: AtomicUsize::new(0) }))
                    }
                    (Ok(key), Err(_)) | (Err(_), Ok(key)) => Ok(Box::new(key)),
                    (Err(error), Err(_)) => Err(error),
                }
            }
            _ => Err(Error::Unlock(NAME)),
        }
    }
}

/// The keys of two files, of which only one opens this home.
struct Either {
    keys: [WrapKey; 2],
    /// Which one did.
    opens: AtomicUsize,
}

impl KeyWrap for Either {
    fn wrap(&self, key: &DataKey, place: &Place<'_>, extra: &[u8]) -> Result<Wrapped, crypto::Error> {
        let [first, second] = &self.keys;
        let ours = if self.opens.load(Ordering::Relaxed) == 0 { first } else { second };
        ours.wrap(key, place, extra)
    }

    fn unwrap(&self, wrapped: &Wrapped, place: &Place<'_>, extra: &[u8]) -> Result<DataKey, crypto::Error> {
        let [first, second] = &self.keys;
        first.unwrap(wrapped, place, extra).or_else(|error| {
            let opened = second.unwrap(wrapped, place, extra).map_err(|_| error)?;
            self.opens.store(1, Ordering::Relaxed);
            Ok(opened)
        })
    }
}

fn parse(text: &[u8]) -> Option<WrapKey> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let bytes = if text.len() == 64 { crypto::from_hex(text) } else { crypto::from_base64(text) };
    let bytes = Zeroizing::new(bytes.ok()?);
    let key = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
    // A file of zeros is what a failed copy leaves behind.
    if key.iter().all(|byte| *byte == 0) {
        return None;
    }
    Some(WrapKey::new(key))
}

pub(super) const NAME: &str = "key-file";
/// Hex digits and a line end, with room for a careless editor.
const LONGEST: usize = 80;
