//! `file`, with the files of the peer.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use keyring::{Error, Keyring, Kind, Question, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::write;
use crate::suite::{CANARY, Member, item, read, store};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    fn settings(&self, answers: &Arc<Answers>) -> Settings {
        let mut settings = Settings::new(self.0.path().to_owned(), Arc::clone(answers) as _);
        settings.file.folder = Some("~/keys".into());
        settings
    }

    fn with(&self, passphrase: &'static str) -> Box<dyn Keyring> {
        keyring::open(Kind::File, &self.settings(&Answers::with(passphrase))).unwrap()
    }
}

impl Member for Folder {
    fn open(&self) -> Box<dyn Keyring> {
        self.with("correct horse")
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        Some(self.with("wrong horse"))
    }
}

conformance!(Folder::new());

/// What aws-vault wrote for the passphrase `p` (specification, section 12.1), taken apart and written by another program.
const PEER: &str = include_str!("peer.jwe");

#[test]
fn a_file_of_the_peer_opens() {
    let folder = Folder::new();
    store(&*folder.with("p"), "other", b"x");
    write(&folder.path().join("work"), PEER);
    let read = folder.with("p").get("work").unwrap();
    assert_eq!(crate::suite::bytes_of(&read), CANARY);
    assert_eq!(read.label, "aws-vault (work)");
}

#[test]
fn the_file_of_the_acceptance_cases_opens() {
    let folder = Folder::new();
    store(&*folder.with("pass phrase"), "other", b"x");
    write(&folder.path().join("dev"), include_str!("peer_case.jwe"));
    let text = String::from_utf8(read(&*folder.with("pass phrase"), "dev")).unwrap();
    let keys: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(keys["AccessKeyID"], "AKIAFIXTURE000000001");
    assert!(matches!(folder.with("pass").get("dev"), Err(Error::Locked { .. })));
}

#[test]
fn names_folder_and_permissions_are_those_of_the_peer() {
    let folder = Folder::new();
    store(&*folder.open(), "a/b%c d", b"x");
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    assert_eq!(mode(folder.path().join("a%2Fb%25c d")), 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_wrong_passphrase_is_refused_for_new_entries_too() {
    let folder = Folder::new();
    store(&*folder.open(), "work", CANARY);
    let error = folder.with("wrong horse").set(item("new", b"x")).unwrap_err();
    assert!(matches!(error, Error::Locked { kind: Kind::File, .. }));
    assert_eq!(error.to_string(), "the keyring `file` stays locked: the passphrase is another one");
    assert!(error.hint().unwrap().contains("nothing was changed"));
    assert_eq!(folder.open().names().unwrap(), ["work"]);
}

#[test]
fn listing_and_removing_ask_for_no_passphrase() {
    let folder = Folder::new();
    store(&*folder.open(), "work", CANARY);
    let nobody = Answers::nobody();
    let keyring = keyring::open(Kind::File, &folder.settings(&nobody)).unwrap();
    assert_eq!(keyring.names().unwrap(), ["work"]);
    keyring.remove("work").unwrap();
    assert!(matches!(keyring.get("work"), Err(Error::NotFound { .. })));
    assert!(nobody.asked().is_empty());
}

#[test]
fn a_passphrase_is_asked_for_once() {
    let folder = Folder::new();
    let answers = Answers::with("p");
    let keyring = keyring::open(Kind::File, &folder.settings(&answers)).unwrap();
    store(&*keyring, "a", b"1");
    store(&*keyring, "b", b"2");
    assert_eq!(read(&*keyring, "a"), b"1");
    assert_eq!(answers.asked(), [Question::Passphrase { folder: folder.path() }]);
}

#[test]
fn nobody_to_ask_is_an_error_that_says_so() {
    let folder = Folder::new();
    let keyring = keyring::open(Kind::File, &folder.settings(&Answers::nobody())).unwrap();
    assert!(matches!(keyring.set(item("a", b"x")), Err(Error::Ask { kind: Kind::File, .. })));
    assert_eq!(keyring.names().unwrap(), Vec::<String>::new());
}

#[test]
fn an_empty_passphrase_is_one() {
    let folder = Folder::new();
    store(&*folder.with(""), "a", b"x");
    assert_eq!(read(&*folder.with(""), "a"), b"x");
    assert!(matches!(folder.with(" ").get("a"), Err(Error::Locked { .. })));
}

#[test]
fn an_entry_that_was_moved_to_another_name_is_refused() {
    let folder = Folder::new();
    store(&*folder.open(), "dev", b"x");
    std::fs::rename(folder.path().join("dev"), folder.path().join("prod")).unwrap();
    let error = folder.open().get("prod").map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`prod` in the keyring `file` can't be read: it is the entry of another name"
    );
}

#[test]
fn what_is_no_entry_is_an_error_and_stays() {
    let folder = Folder::new();
    store(&*folder.open(), "good", b"x");
    for text in ["not a message", "a.b.c.d.e", "e30.e30.e30.e30.e30"] {
        write(&folder.path().join("bad"), text);
        assert!(matches!(folder.open().get("bad"), Err(Error::Malformed { .. })), "{text}");
        assert!(matches!(folder.open().set(item("bad", b"y")), Err(Error::Malformed { .. })), "{text}");
        assert_eq!(std::fs::read_to_string(folder.path().join("bad")).unwrap(), text);
    }
    // It says nothing about the passphrase of the others.
    store(&*folder.open(), "new", b"z");
    // What a writer in place left when it was killed is mended by the passphrase of the others, and by no other.
    let whole = std::fs::read_to_string(folder.path().join("good")).unwrap();
    for text in ["", &whole[..whole.len() / 2], &whole[..whole.len() - 3]] {
        write(&folder.path().join("torn"), text);
        assert!(matches!(folder.open().get("torn"), Err(Error::Malformed { .. })), "{text}");
        assert!(
            matches!(folder.with("another").set(item("torn", b"y")), Err(Error::Locked { .. })),
            "{text}"
        );
        store(&*folder.open(), "torn", b"y");
        assert_eq!(read(&*folder.open(), "torn"), b"y");
    }
}

#[test]
fn what_a_stopped_writer_left_is_no_entry() {
    let folder = Folder::new();
    store(&*folder.open(), "a", b"x");
    write(&folder.path().join(".doorward-unfinished-0011"), "half");
    assert_eq!(folder.open().names().unwrap(), ["a"]);
}

#[test]
fn a_store_that_others_mixed_takes_the_passphrase_of_any_entry() {
    let folder = Folder::new();
    store(&*folder.with("p"), "a", b"x");
    write(&folder.path().join("work"), PEER);
    std::fs::remove_file(folder.path().join("a")).unwrap();
    store(&*folder.with("p"), "b", b"y");
    assert!(matches!(folder.with("q").set(item("c", b"z")), Err(Error::Locked { .. })));
}

#[test]
fn a_pipe_in_the_folder_stops_nobody() {
    let folder = Folder::new();
    store(&*folder.open(), "a", b"x");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    assert!(matches!(folder.open().get("pipe"), Err(Error::Malformed { .. })));
}
