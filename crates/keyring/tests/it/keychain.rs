//! `keychain`, against a stand-in for the program `security`. It was not run on macOS.

use keyring::{Error, Keyring, Kind, Settings, Trust, Unlock};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{fake, fake_path};
use crate::suite::{CANARY, Member, item, store};

struct Mac(TempDir);

impl Mac {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.0.path().to_owned(), Answers::nobody());
        settings.keychain.program = Some(fake("security.py"));
        settings.programs.path = fake_path();
        settings.programs.environment =
            vec![("FAKE_CALLS".into(), self.0.path().join("calls").into_os_string())];
        settings
    }

    fn calls(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.0.path().join("calls")).unwrap();
        text.lines().map(|call| serde_json::from_str(call).unwrap()).collect()
    }
}

impl Member for Mac {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::Keychain, &self.settings()).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        let mut settings = self.settings();
        settings.programs.environment.push(("FAKE_LOCKED".into(), "1".into()));
        Some(keyring::open(Kind::Keychain, &settings).unwrap())
    }

    fn keeps_labels(&self) -> bool {
        false
    }
}

conformance!(Mac::new());

#[test]
fn secrets_are_no_arguments_and_the_keychain_is_the_peer_s() {
    let mac = Mac::new();
    store(&*mac.open(), "work", CANARY);
    let hex: String = CANARY.iter().map(|byte| format!("{byte:02x}")).collect();
    let calls = mac.calls();
    assert!(calls.iter().all(|call| !call["arguments"].to_string().contains(&hex)));
    assert!(calls.iter().any(|call| call["arguments"] == serde_json::json!(["-i"])));
    assert!(mac.0.path().join("Library/Keychains/aws-vault.keychain-db").is_file());
}

#[test]
fn an_entry_that_nobody_is_trusted_with_says_so_to_the_system() {
    let mac = Mac::new();
    let mut secret = item("work", CANARY);
    secret.trust = Trust::Nobody;
    mac.open().set(secret).unwrap();
    store(&*mac.open(), "session", b"x");
    let lines: Vec<String> = mac
        .calls()
        .iter()
        .map(|call| call["input"].as_str().unwrap().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    assert!(lines[0].contains(" -T \"\"") && !lines[1].contains(" -T "), "{lines:?}");
}

#[test]
fn elsewhere_it_is_unavailable() {
    let home = TempDir::new().unwrap();
    let settings = Settings::new(home.path().to_owned(), Answers::nobody());
    if !cfg!(target_os = "macos") {
        assert!(matches!(keyring::open(Kind::Keychain, &settings), Err(Error::Unavailable { .. })));
    }
    let mut settings = Mac::new().settings();
    settings.keychain.unlock = Unlock::Biometrics;
    assert!(matches!(keyring::open(Kind::Keychain, &settings), Err(Error::Unavailable { .. })));
    settings.keychain.unlock = Unlock::Password;
    settings.keychain.name = "../x".to_owned();
    assert!(matches!(keyring::open(Kind::Keychain, &settings), Err(Error::Setting { .. })));
}
