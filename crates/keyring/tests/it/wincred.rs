//! `wincred`, against a stand-in for PowerShell. It was not run on Windows.

use keyring::{Error, Keyring, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{fake, fake_path};
use crate::suite::{CANARY, Member, read, store};

struct Windows(TempDir);

impl Windows {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.0.path().to_owned(), Answers::nobody());
        settings.wincred.program = Some(fake("powershell.py"));
        settings.programs.path = fake_path();
        settings.programs.environment =
            vec![("FAKE_CALLS".into(), self.0.path().join("calls").into_os_string())];
        settings
    }

    fn stored(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.0.path().join("calls.store")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Member for Windows {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::Wincred, &self.settings()).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        let mut settings = self.settings();
        settings.programs.environment.push(("FAKE_LOCKED".into(), "1".into()));
        Some(keyring::open(Kind::Wincred, &settings).unwrap())
    }

    fn keeps_labels(&self) -> bool {
        false
    }
}

conformance!(Windows::new());

#[test]
fn a_credential_has_the_name_and_the_bytes_of_the_peer() {
    let windows = Windows::new();
    store(&*windows.open(), "work", CANARY);
    let stored = windows.stored();
    let blob = stored["aws-vault:aws-vault:work"].as_str().unwrap();
    assert_eq!(crypto::from_base64(blob).unwrap(), CANARY);
}

#[test]
fn more_than_a_credential_holds_is_kept_in_parts_that_are_no_entries() {
    let windows = Windows::new();
    let long = vec![b'x'; 2561];
    store(&*windows.open(), "session", &long);
    assert_eq!(windows.stored().as_object().unwrap().len(), 3);
    assert_eq!(windows.open().names().unwrap(), ["session"]);
    assert_eq!(read(&*windows.open(), "session"), long);
    windows.open().remove("session").unwrap();
    assert!(windows.stored().as_object().unwrap().is_empty());
}

#[test]
fn elsewhere_it_is_unavailable() {
    let home = TempDir::new().unwrap();
    let settings = Settings::new(home.path().to_owned(), Answers::nobody());
    assert!(matches!(keyring::open(Kind::Wincred, &settings), Err(Error::Unavailable { .. })));
}
