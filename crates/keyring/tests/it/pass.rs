//! `pass`, with the real program and GnuPG.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyring::{Error, Keyring, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{command, program, search_path};
use crate::suite::{CANARY, Member, item, read, store};

/// A password store with a key of its own.
struct PasswordStore(TempDir);

impl PasswordStore {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let own = Self(home);
        std::fs::create_dir(own.gnupg()).unwrap();
        std::fs::set_permissions(own.gnupg(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        own.run(own.command("gpg", "gnupg").args([
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "canary@example.com",
            "default",
            "default",
            "never",
        ]));
        own.run(own.command("pass", "pass").args(["init", "canary@example.com"]));
        own
    }

    fn gnupg(&self) -> PathBuf {
        self.0.path().join("gnupg")
    }

    fn command(&self, name: &str, package: &str) -> Command {
        let mut command = command(&program(name, package), self.0.path());
        command.env("GNUPGHOME", self.gnupg());
        command
    }

    fn run(&self, command: &mut Command) {
        let said = command.stderr(std::process::Stdio::piped()).output().unwrap();
        assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
    }

    fn settings(&self, gnupg: &Path) -> Settings {
        let mut settings = Settings::new(self.0.path().to_owned(), Answers::nobody());
        settings.programs.path = search_path();
        let variable = |name: &str, value: &Path| (OsString::from(name), OsString::from(value));
        settings.programs.environment = vec![variable("GNUPGHOME", gnupg), variable("HOME", self.0.path())];
        settings
    }
}

impl Drop for PasswordStore {
    fn drop(&mut self) {
        // The agent of GnuPG would outlive the test.
        let _ = self.command("gpgconf", "gpgconf").args(["--kill", "all"]).status();
    }
}

impl Member for PasswordStore {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::Pass, &self.settings(&self.gnupg())).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        // A home of GnuPG without any key.
        let other = self.0.path().join("empty");
        std::fs::create_dir(&other).unwrap();
        Some(keyring::open(Kind::Pass, &self.settings(&other)).unwrap())
    }
}

conformance!(PasswordStore::new());

#[test]
fn entries_are_where_the_peer_looks_for_them() {
    let own = PasswordStore::new();
    let mut settings = own.settings(&own.gnupg());
    settings.pass.prefix = "aws".to_owned();
    settings.pass.folder = Some("~/elsewhere".into());
    own.run(
        own.command("pass", "pass")
            .env("PASSWORD_STORE_DIR", own.0.path().join("elsewhere"))
            .args(["init", "canary@example.com"]),
    );
    let keyring = keyring::open(Kind::Pass, &settings).unwrap();
    store(&*keyring, "team/prod", CANARY);
    assert!(own.0.path().join("elsewhere/aws/team/prod.gpg").is_file());
    assert_eq!(keyring.names().unwrap(), ["team/prod"]);
    assert_eq!(read(&*keyring, "team/prod"), CANARY);
}

#[test]
fn a_store_that_is_a_repository_commits_each_entry() {
    let own = PasswordStore::new();
    let mut init = own.command("pass", "pass");
    init.args(["git", "init", "--quiet"]).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let _git = program("git", "git");
    own.run(&mut init);
    for (key, value) in [("user.name", "canary"), ("user.email", "canary@example.com")] {
        own.run(own.command("pass", "pass").args(["git", "config", key, value]));
    }
    store(&*own.open(), "work", CANARY);
    store(&*own.open(), "work", b"another");
    assert_eq!(read(&*own.open(), "work"), b"another");
    own.open().remove("work").unwrap();
    let log = own
        .command("pass", "pass")
        .args(["git", "status", "--porcelain"])
        .stdout(std::process::Stdio::piped())
        .output();
    assert_eq!(String::from_utf8(log.unwrap().stdout).unwrap(), "");
}

#[test]
fn a_name_that_leaves_the_store_is_refused() {
    let own = PasswordStore::new();
    for name in ["../a", "a/../b", "/a", "a/", "a//b", "a//b://c", ".git/config"] {
        assert!(matches!(own.open().set(item(name, b"x")), Err(Error::Name { .. })), "{name}");
        assert!(matches!(own.open().get(name), Err(Error::Name { .. })), "{name}");
    }
}

#[test]
fn a_missing_program_is_named() {
    let home = TempDir::new().unwrap();
    let settings = Settings::new(home.path().to_owned(), Answers::nobody());
    let error = keyring::open(Kind::Pass, &settings).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the keyring `pass` can't be used here: the program `pass` is not installed"
    );
    assert_eq!(error.hint(), Some("choose another keyring with `--backend`"));
}
