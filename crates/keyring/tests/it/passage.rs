//! `passage`, against a stand-in.

use std::path::{Path, PathBuf};

use keyring::{Error, Keyring, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{fake, fake_path};
use crate::suite::{CANARY, Member, item, read, store};

struct Passage(TempDir);

impl Passage {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn with(&self, key: &str) -> Box<dyn Keyring> {
        self.with_more(key, None)
    }

    /// With one more variable for the stand-in.
    fn with_more(&self, key: &str, more: Option<&str>) -> Box<dyn Keyring> {
        let mut settings = Settings::new(self.0.path().to_owned(), Answers::nobody());
        settings.pass.command = Some(fake("passage.py"));
        settings.programs.path = fake_path();
        let calls = self.0.path().join("calls");
        settings.programs.environment =
            vec![("FAKE_KEY".into(), key.into()), ("FAKE_CALLS".into(), calls.into_os_string())];
        settings.programs.environment.extend(more.map(|name| (name.into(), "1".into())));
        keyring::open(Kind::Passage, &settings).unwrap()
    }

    fn store(&self) -> PathBuf {
        self.0.path().join(".passage/store")
    }

    /// The names of the files of the store.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.store()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The calls so far, and none any more.
    fn calls(&self) -> String {
        let path = self.0.path().join("calls");
        let calls = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        calls
    }

    /// Leaves what a writer leaves that is killed while the program has the file open.
    fn killed_while_writing(&self, name: &str) {
        let (file, copy) = (self.store().join(format!("{name}.age")), self.store().join(KEPT));
        std::fs::copy(&file, copy).unwrap();
        std::fs::File::options().write(true).open(file).unwrap().set_len(7).unwrap();
    }
}

impl Member for Passage {
    fn open(&self) -> Box<dyn Keyring> {
        self.with("one")
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        Some(self.with("none"))
    }
}

conformance!(Passage::new());

#[test]
fn secrets_are_no_arguments_and_files_are_where_the_program_looks() {
    let own = Passage::new();
    store(&*own.open(), "-x", CANARY);
    assert!(own.store().join("-x.age").is_file());
    assert_eq!(own.calls(), "['insert', '-m', '-f', '--', '-x']\n");
}

#[test]
fn the_program_is_called_in_the_three_ways_that_every_stand_in_knows() {
    let own = Passage::new();
    store(&*own.open(), "work", CANARY);
    assert_eq!(own.calls(), "['insert', '-m', '-f', 'work']\n");
    store(&*own.open(), "work", b"another");
    assert_eq!(own.calls(), "['insert', '-m', '-f', 'work']\n");
    assert_eq!(read(&*own.open(), "work"), b"another");
    assert_eq!(own.calls(), "['show', 'work']\n");
    own.open().remove("work").unwrap();
    assert_eq!(own.calls(), "['rm', '-f', 'work']\n");
    assert!(own.files().is_empty());
}

#[test]
fn a_write_that_fails_half_way_leaves_what_was_there() {
    let own = Passage::new();
    let full = own.with_more("one", Some("FAKE_FULL"));
    assert!(matches!(full.set(item("new", b"x")), Err(Error::Refused { .. })));
    assert!(own.files().is_empty(), "the piece of a new entry stays");

    store(&*own.open(), "work", CANARY);
    assert!(matches!(full.set(item("work", b"overwritten")), Err(Error::Refused { .. })));
    assert_eq!(read(&*own.open(), "work"), CANARY);
    assert_eq!(own.files(), ["work.age"]);
}

#[test]
fn the_entry_of_a_writer_that_was_killed_is_the_one_before() {
    let own = Passage::new();
    store(&*own.open(), "work", CANARY);
    own.killed_while_writing("work");
    assert_eq!(own.open().names().unwrap(), ["work"]);
    assert_eq!(read(&*own.open(), "work"), CANARY);
    assert_eq!(own.files(), ["work.age"]);

    own.killed_while_writing("work");
    store(&*own.open(), "work", b"another");
    assert_eq!(read(&*own.open(), "work"), b"another");
    assert_eq!(own.files(), ["work.age"]);
}

#[test]
fn what_a_writer_finished_is_kept_although_it_was_killed() {
    let own = Passage::new();
    store(&*own.open(), "work", b"before");
    std::fs::copy(own.store().join("work.age"), own.store().join(KEPT)).unwrap();
    let old = std::fs::read(own.store().join(KEPT)).unwrap();
    store(&*own.open(), "work", CANARY);
    // The write was whole; only the copy was not taken away any more.
    put(&own.store().join(KEPT), &old);
    assert_eq!(read(&*own.open(), "work"), CANARY);
    assert_eq!(own.files(), ["work.age"]);
}

#[test]
fn a_key_that_opens_neither_file_changes_neither() {
    let own = Passage::new();
    store(&*own.open(), "work", CANARY);
    own.killed_while_writing("work");
    assert!(own.with("none").get("work").is_err());
    assert_eq!(own.files(), [KEPT, "work.age"]);
    assert_eq!(read(&*own.open(), "work"), CANARY);
}

#[test]
fn what_was_removed_does_not_come_back() {
    let own = Passage::new();
    store(&*own.open(), "work", CANARY);
    own.killed_while_writing("work");
    own.open().remove("work").unwrap();
    assert!(own.files().is_empty());
    // By the program itself, so that only the copy is left.
    store(&*own.open(), "work", CANARY);
    own.killed_while_writing("work");
    std::fs::remove_file(own.store().join("work.age")).unwrap();
    assert!(matches!(own.open().get("work"), Err(Error::NotFound { .. })));
    assert!(own.files().is_empty());
}

#[expect(clippy::disallowed_methods, reason = "a file of the test's own folder")]
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// Where the copy of `work` is: the first half of the SHA-256 of the name.
const KEPT: &str = ".doorward-unfinished-00e13ed7af55b27622f1d6eab5bec014.age";
