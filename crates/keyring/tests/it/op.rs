//! `op` and `op-desktop`, against a stand-in for the program.

use keyring::{Error, Keyring, Kind, Question, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{fake, fake_path, write};
use crate::suite::{CANARY, Member, store};

struct Vault {
    kind: Kind,
    state: TempDir,
}

impl Vault {
    fn new(kind: Kind) -> Self {
        let state = TempDir::new().unwrap();
        for (name, text) in [("token", "ops_canary"), ("account", "me.1password.com"), ("vault", "vault1")] {
            write(&state.path().join(name), text);
        }
        Self { kind, state }
    }

    fn settings(&self, answers: std::sync::Arc<Answers>) -> Settings {
        let mut settings = Settings::new(self.state.path().to_owned(), answers);
        settings.op.program = Some(fake("op.py"));
        settings.op.vault = Some("vault1".to_owned());
        settings.op.account = Some("me.1password.com".to_owned());
        settings.op.timeout = std::time::Duration::from_secs(300);
        settings.programs.path = fake_path();
        settings.programs.environment = vec![("FAKE_STATE".into(), self.state.path().into())];
        settings
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.state.path().join("calls")).unwrap()
    }
}

impl Member for Vault {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(self.kind, &self.settings(Answers::with("ops_canary"))).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        let mut settings = self.settings(Answers::with("ops_another"));
        settings.op.account = Some("you.1password.com".to_owned());
        Some(keyring::open(self.kind, &settings).unwrap())
    }
}

mod service_account {
    use super::*;

    conformance!(Vault::new(Kind::Op));
}

mod desktop {
    use super::*;

    conformance!(Vault::new(Kind::OpDesktop));
}

#[test]
fn secrets_and_tokens_are_no_arguments() {
    for kind in [Kind::Op, Kind::OpDesktop] {
        let vault = Vault::new(kind);
        store(&*vault.open(), "work", CANARY);
        store(&*vault.open(), "work", CANARY);
        let calls = vault.calls();
        for call in calls.lines() {
            let call: serde_json::Value = serde_json::from_str(call).unwrap();
            let arguments = call["arguments"].to_string();
            assert!(!arguments.contains("ops_canary") && !arguments.contains("Data"), "{arguments}");
            assert_eq!(arguments.contains("--account"), kind == Kind::OpDesktop);
        }
        let verbs: Vec<serde_json::Value> = calls
            .lines()
            .map(|call| serde_json::from_str::<serde_json::Value>(call).unwrap()["arguments"][1].clone())
            .collect();
        assert_eq!(verbs, ["list", "create", "list", "edit"]);
    }
}

#[test]
fn a_token_is_asked_for_once_and_only_when_it_is_needed() {
    let vault = Vault::new(Kind::Op);
    let answers = Answers::with("ops_canary");
    let keyring = keyring::open(Kind::Op, &vault.settings(answers.clone())).unwrap();
    assert!(answers.asked().is_empty());
    store(&*keyring, "a", b"x");
    keyring.names().unwrap();
    assert_eq!(answers.asked(), [Question::OpServiceAccountToken]);
}

#[test]
fn missing_settings_are_named() {
    let vault = Vault::new(Kind::Op);
    let refused = |change: &dyn Fn(&mut Settings), kind| {
        let mut settings = vault.settings(Answers::nobody());
        change(&mut settings);
        let error = keyring::open(kind, &settings).map(drop).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        error.to_string()
    };
    assert!(refused(&|settings| settings.op.vault = None, Kind::Op).contains("--op-vault-id"));
    assert!(
        refused(&|settings| settings.op.timeout = std::time::Duration::ZERO, Kind::Op)
            .contains("--op-timeout")
    );
    assert!(
        refused(&|settings| settings.op.account = None, Kind::OpDesktop).contains("--op-desktop-account-id")
    );
    assert!(refused(&|settings| settings.op.host = None, Kind::OpConnect).contains("--op-connect-host"));
}

#[test]
fn the_complaint_of_the_program_is_passed_on() {
    let vault = Vault::new(Kind::Op);
    let error = vault.locked().unwrap().names().unwrap_err();
    assert!(error.to_string().contains("(401) Unauthorized"), "{error}");
}
