//! `pass` and `passage`: the two password stores of Unix, whose programs encrypt with GnuPG and with age.
//!
//! An entry is the JSON form in `FOLDER/PREFIX/NAME.gpg` (`.age`). The programs read and write; what there is, is seen by
//! walking the folder, which needs no key. The two slashes of an address, as in `oidc:https://..`, are one in the path.
//!
//! The programs are called as `PROGRAM show NAME`, `PROGRAM insert -m -f NAME` and `PROGRAM rm -f NAME` and in no other
//! way, because stand-ins for them know no more; `--` stands only before a name that begins with a dash.
//!
//! They write a file in place. So readers and writers take turns, and what was there is kept beside the entry until the new
//! file is on the disk: see [`kept`].

mod kept;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::name::{self, UNFINISHED};
use crate::program::{Call, Program};
use crate::{Error, Item, Keyring, Kind, Settings, item};
use kept::{Before, Kept};

/// A password store.
#[derive(Debug)]
pub(crate) struct Store {
    flavour: &'static Flavour,
    program: Program,
    folder: PathBuf,
    prefix: String,
}

#[derive(Debug)]
struct Flavour {
    kind: Kind,
    program: &'static str,
    /// How the program is told where the store is.
    variable: &'static str,
    extension: &'static str,
    /// What an initialised store has in it.
    mark: Option<&'static str>,
}

impl Store {
    /// Looks for the program; the store itself need not be there yet.
    pub(crate) fn open(kind: Kind, settings: &Settings) -> Result<Self, Error> {
        let flavour = if kind == Kind::Passage { &PASSAGE } else { &PASS };
        let chosen = settings.pass.command.as_deref().map(|command| settings.expanded(command));
        let program = Program::find(kind, chosen.as_deref(), flavour.program, &settings.programs)?;
        let (own, usual) = match kind {
            Kind::Passage => (&settings.pass.passage_store, ".passage/store"),
            _ => (&settings.pass.password_store, ".password-store"),
        };
        let folder = settings.store(own, usual);
        let prefix = settings.pass.prefix.trim_matches('/').to_owned();
        if !prefix.is_empty() {
            let _plain = plain(&prefix)?;
        }
        Ok(Self { flavour, program, folder, prefix })
    }

    /// Whether the store has been initialised, so that an entry can be added to it.
    pub(crate) fn is_ready(&self) -> bool {
        self.flavour.mark.map_or_else(|| self.folder.is_dir(), |mark| self.folder.join(mark).is_file())
    }

    /// The path of an entry below the folder.
    fn full(&self, name: &str) -> String {
        let path = name.replace("://", ":/");
        if self.prefix.is_empty() { path } else { format!("{}/{path}", self.prefix) }
    }

    fn file(&self, path: &str) -> PathBuf {
        self.folder.join(format!("{path}.{}", self.flavour.extension))
    }

    fn exists(&self, name: &str) -> bool {
        self.file(&self.full(name)).is_file()
    }

    fn kept(&self, path: &str) -> Kept {
        Kept::of(path, self.file(path), self.flavour.extension)
    }

    /// Waits for the turn. It ends with the handle.
    fn turn(&self, how: FlockOperation) -> Result<Option<std::fs::File>, Error> {
        let folder = match std::fs::File::open(&self.folder) {
            Ok(folder) => folder,
            // The program makes it with the first entry; there is nothing yet that could be lost.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::File { what: "open", path: self.folder.clone(), source }),
        };
        if let Err(error) = flock(&folder, how) {
            // Some file systems have no locks for folders; a writer there still keeps what it replaces.
            tracing::debug!(%error, "readers and writers of the password store can't take turns here");
        }
        Ok(Some(folder))
    }

    /// Has the program write a file, and makes sure that it is there.
    fn insert(&self, path: &str, text: &[u8]) -> Result<(), Error> {
        let ran = self.program.run(&self.call(&["insert", "-m", "-f"], path, Some(text)))?;
        let _said = ran.succeeded(self.flavour.kind, "store an entry")?;
        match std::fs::metadata(self.file(path)) {
            Ok(made) if made.is_file() && made.len() > 0 => Ok(()),
            _ => Err(Error::refused(self.flavour.kind, "store an entry", "the program made no file")),
        }
    }

    fn read(&self, name: &str, path: &str) -> Result<Item, Error> {
        let text = self.program.run(&self.call(&["show"], path, None))?;
        item::decode(self.flavour.kind, name, &text.succeeded(self.flavour.kind, "read an entry")?)
    }

    /// After a writer that was killed: the entry is what it wrote, where that is whole, or else what it had kept. In the
    /// turn of writers.
    fn mend(&self, name: &str, path: &str, kept: &Kept) -> Result<(), Error> {
        if !kept.is_there() {
            return Ok(());
        }
        if !self.exists(name) {
            // Somebody removed the entry since then.
            return kept.forget();
        }
        let Err(error) = self.read(name, path) else { return kept.forget() };
        // Both stay as they are unless it is certain that the older one is the better.
        self.read(name, kept.name()).map_err(|_| error)?;
        kept.put_back(Before::Copied)
    }

    fn call<'a>(&self, verb: &[&str], path: &str, input: Option<&'a [u8]>) -> Call<'a> {
        let mut arguments: Vec<OsString> = verb.iter().map(OsString::from).collect();
        if path.starts_with('-') {
            arguments.push("--".into());
        }
        arguments.push(path.into());
        let environment = vec![(self.flavour.variable, self.folder.clone().into_os_string())];
        // No limit: the key may have a passphrase, and a person takes the time they take.
        Call { arguments, environment, input, within: None, without: &[] }
    }

    fn walk(&self, folder: &Path, above: &str, found: &mut BTreeSet<String>) -> Result<(), Error> {
        let failed = |source| Error::File { what: "list", path: folder.to_owned(), source };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file = entry.file_name();
            let Some(file) = file.to_str() else { continue };
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                if !OTHERS.contains(&file) {
                    self.walk(&entry.path(), &format!("{above}{file}/"), found)?;
                }
            } else if file.starts_with(UNFINISHED) {
            } else if let Some(name) =
                file.strip_suffix(self.flavour.extension).and_then(|name| name.strip_suffix('.'))
            {
                found.insert(with_address(&format!("{above}{name}")));
            }
        }
        Ok(())
    }
}

impl Keyring for Store {
    fn kind(&self) -> Kind {
        self.flavour.kind
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let folder = self.folder.join(&self.prefix);
        let mut found = BTreeSet::new();
        if folder.is_dir() {
            self.walk(&folder, "", &mut found)?;
        }
        Ok(found.into_iter().collect())
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let _plain = plain(name)?;
        let path = self.full(name);
        let kept = self.kept(&path);
        if kept.is_there() {
            let _turn = self.turn(FlockOperation::LockExclusive)?;
            self.mend(name, &path, &kept)?;
        }
        if !self.exists(name) {
            return Err(Error::missing(self.kind(), name));
        }
        let _turn = self.turn(FlockOperation::LockShared)?;
        self.read(name, &path)
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let _plain = plain(&item.name)?;
        let text = item::encode(&item)?;
        let path = self.full(&item.name);
        let kept = self.kept(&path);
        let _turn = self.turn(FlockOperation::LockExclusive)?;
        self.mend(&item.name, &path, &kept)?;
        let before = kept.keep()?;
        match self.insert(&path, &text) {
            Ok(()) => kept.written(),
            Err(error) => kept.put_back(before).and(Err(error)),
        }
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let _plain = plain(name)?;
        let path = self.full(name);
        let _turn = self.turn(FlockOperation::LockExclusive)?;
        if !self.exists(name) {
            return Err(Error::missing(self.kind(), name));
        }
        // First, or it would come back as the entry that it is a copy of.
        self.kept(&path).forget()?;
        let ran = self.program.run(&self.call(&["rm", "-f"], &path, None))?;
        ran.succeeded(self.kind(), "remove an entry").map(drop)
    }
}

/// A name is a path here, so each of its parts must be one that can stand for itself.
fn plain(name: &str) -> Result<name::Valid, Error> {
    let path = name.replacen("s://", "s:/", 1).replacen("p://", "p:/", 1);
    if path.split('/').any(|part| matches!(part, "" | "." | "..") || OTHERS.contains(&part)) {
        return Err(Error::Name {
            name: name.chars().filter(|c| !c.is_control()).collect(),
            why: "it is no path below the password store",
        });
    }
    name::check(name)
}

/// The name of an entry whose path is this: an address has its two slashes again.
fn with_address(path: &str) -> String {
    path.replace("https:/", "https://").replace("http:/", "http://")
}

/// Folders of a store that hold no entries.
const OTHERS: [&str; 2] = [".git", ".extensions"];

static PASS: Flavour = Flavour {
    kind: Kind::Pass,
    program: "pass",
    variable: "PASSWORD_STORE_DIR",
    extension: "gpg",
    mark: Some(".gpg-id"),
};

static PASSAGE: Flavour = Flavour {
    kind: Kind::Passage,
    program: "passage",
    variable: "PASSAGE_DIR",
    extension: "age",
    mark: None,
};
