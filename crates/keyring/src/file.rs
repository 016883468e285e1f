//! `file`: one file per entry, each encrypted with a passphrase.
//!
//! A file is a compact JWE ([`crypto::jwe`]) over the JSON form of the entry, named like the entry with `/` and `%`
//! percent-encoded and nothing else. aws-vault reads and writes the same files. Versions of ours before wrote other signs
//! encoded as well: such a file is found, and gets its name when it is written next.
//!
//! # Invariants
//!
//! - One passphrase for the whole folder: a write is refused when the passphrase opens none of the entries that are there,
//!   or not the one that would be replaced.
//! - A file is replaced by renaming; folder 0700 and files 0600 where we make them.
//! - Writers of one folder take turns, also those of other processes, where the file system can lock a folder.

use std::cell::OnceCell;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crypto::jwe::{self, Stretch};
use memory::Secret;
use percent_encoding::percent_decode_str;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::name::{self, UNFINISHED};
use crate::{Ask, Error, Item, Keyring, Kind, Question, Settings, item};

mod form;

/// A folder of encrypted files.
pub(crate) struct Files {
    folder: PathBuf,
    ask: Arc<dyn Ask>,
    passphrase: OnceCell<Secret>,
}

impl Files {
    /// Touches nothing: the folder is made and the passphrase asked for when they are needed.
    pub(crate) fn open(settings: &Settings) -> Self {
        Self { folder: settings.files(), ask: Arc::clone(&settings.ask), passphrase: OnceCell::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(form::file_name(name))
    }

    /// The file of an entry. Where there are one of today's name and one of the name before, the one that was written last,
    /// as only that one was used.
    fn found(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let Some(before) = form::file_name_before(name).map(|name| self.folder.join(name)) else {
            return path;
        };
        let written = |path: &Path| std::fs::metadata(path).and_then(|seen| seen.modified()).ok();
        if written(&before) > written(&path) { before } else { path }
    }

    fn with_passphrase<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
        if self.passphrase.get().is_none() {
            let question = Question::Passphrase { folder: self.folder.clone() };
            let answer = self.ask.ask(&question).map_err(|source| Error::Ask { kind: Kind::File, source })?;
            let _ = self.passphrase.set(answer);
        }
        let passphrase = self.passphrase.get().ok_or_else(|| locked("there is no passphrase"))?;
        #[expect(clippy::disallowed_methods, reason = "the passphrase opens or seals one entry")]
        Ok(passphrase.expose(use_it))
    }

    /// The names of the files, sorted, without what a writer left behind when it was stopped.
    fn listed(&self) -> Result<Vec<String>, Error> {
        let failed = |source| file_error("list", &self.folder, source);
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let unfinished = entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
            if unfinished || entry.file_type().map_err(failed)?.is_dir() {
                continue;
            }
            let name = entry.file_name();
            let decoded = name.to_str().and_then(|name| percent_decode_str(name).decode_utf8().ok());
            let decoded = decoded.ok_or_else(|| {
                Error::malformed(Kind::File, &name.to_string_lossy(), "the name of its file is not UTF-8")
            })?;
            names.push(decoded.into_owned());
        }
        names.sort_unstable();
        // An entry may have a file of each name.
        names.dedup();
        Ok(names)
    }

    /// The text of one file; `None` where there is none.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let path = self.found(name);
        let failed = |source| file_error("read", &path, source);
        let file = match OpenOptions::new().read(true).custom_flags(NEVER_WAIT).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(Error::malformed(Kind::File, name, "it is not a plain file"));
        }
        let mut text = String::new();
        file.take(MOST as u64 + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() > MOST {
            return Err(Error::malformed(Kind::File, name, "it is too long"));
        }
        Ok(Some(text))
    }

    fn unsealed(&self, name: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let wrong = |what| Error::malformed(Kind::File, name, what);
        let text = text.trim_end();
        let header = jwe::header(text).map_err(|_| wrong("it is no encrypted entry"))?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|_| wrong("the header of its encryption is not understood"))?;
        if header.alg != jwe::ALGORITHM || header.enc != jwe::ENCRYPTION {
            return Err(wrong("it is encrypted in a way that this keyring does not know"));
        }
        let salt = crypto::from_base64url(&header.p2s).map_err(|_| wrong("its salt is not base 64"))?;
        let stretch = Stretch { salt: &salt, rounds: header.p2c };
        self.with_passphrase(|passphrase| jwe::open(passphrase, text, stretch))?.map_err(
            |error| match error {
                crypto::Error::Forged => locked("the passphrase is another one"),
                crypto::Error::Open => wrong("it was changed after it was encrypted"),
                crypto::Error::Stretch => wrong("the strength of its encryption is out of bounds"),
                crypto::Error::Malformed(_) => wrong("it is no encrypted entry"),
                source => Error::Crypto { kind: Kind::File, source },
            },
        )
    }

    fn sealed(&self, plain: &[u8]) -> Result<String, Error> {
        let wrong = |source| Error::Crypto { kind: Kind::File, source };
        let salt = crypto::array::<SALT>().map_err(wrong)?;
        let header = Header {
            alg: jwe::ALGORITHM.to_owned(),
            created: Some(now()),
            enc: jwe::ENCRYPTION.to_owned(),
            p2c: ROUNDS,
            p2s: crypto::to_base64url(&salt),
        };
        let header =
            serde_json::to_vec(&header).map_err(|_| wrong(crypto::Error::Malformed("the header")))?;
        let stretch = Stretch { salt: &salt, rounds: ROUNDS };
        self.with_passphrase(|passphrase| jwe::seal(passphrase, &header, stretch, plain))?.map_err(wrong)
    }

    /// Whether this passphrase may write here. It has to open the entry that will be replaced; for a new one, or in place of
    /// one that nobody can read, it has to open one of those that are there, of which a few are tried, because another program
    /// may have mixed them.
    fn admitted(&self, name: &str) -> Result<Admitted, Error> {
        if let Some(text) = self.text(name)? {
            match self.unsealed(name, &text) {
                Ok(_) => return Ok(Admitted(())),
                // A program that writes in place and is killed leaves such a file; to store the key again mends it. What was never an
                // entry may be somebody's file, and stays.
                Err(Error::Malformed { .. }) if text.is_empty() || text.starts_with(BEGINNING) => {}
                Err(error) => return Err(error),
            }
        }
        let mut refused = None;
        for other in self.listed()?.iter().take(TRIED) {
            let Some(text) = self.text(other)? else { continue };
            match self.unsealed(other, &text) {
                Ok(_) => return Ok(Admitted(())),
                Err(error @ Error::Locked { .. }) => refused = Some(error),
                // What is no entry says nothing about the passphrase.
                Err(Error::Malformed { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(Admitted(())), Err)
    }

    fn replace(&self, name: &str, text: &str, _admitted: Admitted) -> Result<(), Error> {
        let path = self.path(name);
        let random = crypto::array::<8>().map_err(|source| Error::Crypto { kind: Kind::File, source })?;
        let fresh = self.folder.join(format!("{UNFINISHED}{}", crypto::to_hex(&random)));
        let written = write_new(&fresh, text.as_bytes()).and_then(|()| std::fs::rename(&fresh, &path));
        if let Err(source) = written {
            // Best effort: the half-written file must not stay, but the first error is the one to report.
            let _ = std::fs::remove_file(&fresh);
            return Err(file_error("write", &path, source));
        }
        if let Some(before) = form::file_name_before(name) {
            gone(&self.folder.join(before))?;
        }
        let synced = std::fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| file_error("sync", &self.folder, source))
    }

    /// Makes the folder where there is none, and waits for the turn to write in it. The turn ends with the handle.
    fn turn(&self) -> Result<std::fs::File, Error> {
        let failed = |what| move |source| file_error(what, &self.folder, source);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed("make"))?;
        let folder = std::fs::File::open(&self.folder).map_err(failed("open"))?;
        if let Err(error) = flock(&folder, FlockOperation::LockExclusive) {
            // Some file systems have no locks for folders. Renaming still keeps every entry whole; what is lost is that two
            // first writers can't come with two passphrases.
            tracing::debug!(%error, "writers of encrypted files can't take turns here");
        }
        Ok(folder)
    }
}

impl Keyring for Files {
    fn kind(&self) -> Kind {
        Kind::File
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        self.listed()
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let _valid = name::check(name)?;
        let text = self.text(name)?.ok_or_else(|| Error::missing(Kind::File, name))?;
        item::decode(Kind::File, name, &self.unsealed(name, &text)?)
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let _valid = name::check(&item.name)?;
        let _turn = self.turn()?;
        let admitted = self.admitted(&item.name)?;
        let text = self.sealed(&item::encode(&item)?)?;
        if text.len() > MOST {
            return Err(Error::TooLong { kind: Kind::File, name: item.name, most: MOST / 2 });
        }
        self.replace(&item.name, &text, admitted)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let _valid = name::check(name)?;
        let before = form::file_name_before(name).map(|name| self.folder.join(name));
        let mut any = gone(&self.path(name))?;
        if let Some(before) = before {
            any |= gone(&before)?;
        }
        if any { Ok(()) } else { Err(Error::missing(Kind::File, name)) }
    }
}

/// Proof that the passphrase is that of the folder.
#[derive(Debug)]
#[must_use]
struct Admitted(());

/// The time as other programs put it into the header; nobody reads it.
#[expect(clippy::disallowed_methods, reason = "a remark in a file, which nothing is decided from")]
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    model::Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or_default()).to_string()
}

/// The header of the encryption. `created` is a remark and means nothing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    enc: String,
    p2c: u32,
    p2s: String,
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes a file. Says whether there was one.
fn gone(path: &Path) -> Result<bool, Error> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(file_error("remove", path, source)),
    }
}

const fn locked(why: &'static str) -> Error {
    Error::Locked { kind: Kind::File, why }
}

fn file_error(what: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { what, path: path.to_owned(), source }
}

/// Opening a pipe must not wait for its writer.
const NEVER_WAIT: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
/// Rounds of PBKDF2 and bytes of salt: those of the peer, whose program reads what we write.
const ROUNDS: u32 = 8192;
const SALT: usize = 12;
/// How each entry begins: `{"` in base 64.
const BEGINNING: &str = "eyJ";
/// How many entries are tried before a new one is refused.
const TRIED: usize = 8;
/// Longest file in bytes.
const MOST: usize = 8 * 1024 * 1024;
