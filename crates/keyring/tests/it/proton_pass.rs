//! `proton-pass`, against a stand-in for the program.

use keyring::{Error, Keyring, Kind, Question, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{fake, fake_path, write};
use crate::suite::{CANARY, Member, read, store};

struct Vault(TempDir);

impl Vault {
    fn new() -> Self {
        let state = TempDir::new().unwrap();
        write(&state.path().join("token"), "pst_canary::KEY");
        write(&state.path().join("share"), "-share_1==");
        Self(state)
    }

    fn settings(&self, answers: std::sync::Arc<Answers>) -> Settings {
        let mut settings = Settings::new(self.0.path().to_owned(), answers);
        settings.proton_pass.program = Some(fake("pass_cli.py"));
        settings.proton_pass.share = Some("-share_1==".to_owned());
        settings.proton_pass.timeout = std::time::Duration::from_secs(300);
        settings.programs.path = fake_path();
        settings.programs.environment = vec![("FAKE_STATE".into(), self.0.path().into())];
        settings
    }

    fn calls(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.0.path().join("calls")).unwrap();
        text.lines().map(|call| serde_json::from_str(call).unwrap()).collect()
    }
}

impl Member for Vault {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::ProtonPass, &self.settings(Answers::with("pst_canary::KEY"))).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        std::fs::remove_file(self.0.path().join("session")).unwrap();
        Some(keyring::open(Kind::ProtonPass, &self.settings(Answers::with("pst_wrong::KEY"))).unwrap())
    }

    fn keeps_labels(&self) -> bool {
        false
    }
}

mod conformance {
    use super::*;
    use crate::suite;

    #[test]
    fn an_entry_comes_back_as_it_was_stored() {
        suite::comes_back(&Vault::new());
    }

    #[test]
    fn entries_are_listed_replaced_and_removed() {
        suite::listed_replaced_removed(&Vault::new());
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        suite::not_found(&Vault::new());
    }

    #[test]
    fn every_byte_and_every_length_comes_back() {
        suite::bytes(&Vault::new());
    }

    #[test]
    fn odd_names_are_kept_apart_and_names_that_are_none_refused() {
        suite::odd_names(&Vault::new());
    }

    #[test]
    fn what_stays_locked_is_an_error_and_loses_nothing() {
        suite::locked(&Vault::new());
    }
}

#[test]
fn a_person_who_has_signed_in_is_asked_for_no_token() {
    let vault = Vault::new();
    write(&vault.0.path().join("session"), "signed in");
    let nobody = Answers::nobody();
    let keyring = keyring::open(Kind::ProtonPass, &vault.settings(nobody.clone())).unwrap();
    store(&*keyring, "a", b"x");
    assert!(nobody.asked().is_empty());
    std::fs::remove_file(vault.0.path().join("session")).unwrap();
    assert!(matches!(keyring.names(), Err(Error::Locked { kind: Kind::ProtonPass, .. })));
    assert_eq!(nobody.asked(), [Question::ProtonPassToken]);
}

#[test]
fn secrets_and_tokens_are_no_arguments() {
    let vault = Vault::new();
    store(&*vault.open(), "work", CANARY);
    store(&*vault.open(), "work", CANARY);
    assert_eq!(read(&*vault.open(), "work"), CANARY);
    for call in vault.calls() {
        let arguments = call["arguments"].to_string();
        assert!(!arguments.contains("AKIA") && !arguments.contains("pst_"), "{arguments}");
    }
}

#[test]
fn a_note_that_the_peer_wrote_is_read_as_it_is() {
    let vault = Vault::new();
    store(&*vault.open(), "work", CANARY);
    let items = std::fs::read_to_string(vault.0.path().join("items.json")).unwrap();
    let items: serde_json::Value = serde_json::from_str(&items).unwrap();
    let item = items.as_object().unwrap().values().next().unwrap();
    assert_eq!(item["content"]["title"], "aws-vault/work");
    assert_eq!(item["content"]["note"].as_str().unwrap().as_bytes(), CANARY);
}

#[test]
fn missing_settings_are_named() {
    let vault = Vault::new();
    let mut settings = vault.settings(Answers::nobody());
    settings.proton_pass.api_base = Some("https://example.com".to_owned());
    assert!(matches!(keyring::open(Kind::ProtonPass, &settings), Err(Error::Setting { .. })));
    settings.proton_pass.api_base = None;
    settings.proton_pass.share = None;
    assert!(matches!(keyring::open(Kind::ProtonPass, &settings), Err(Error::Setting { .. })));
}
