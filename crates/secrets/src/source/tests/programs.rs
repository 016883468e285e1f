//! Sources that a program answers for: the real `pass` and `age`, and stand-ins for those that can't be had.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::Config;
use crate::source::config;

#[expect(clippy::disallowed_methods, reason = "tests look for programs where their own shell does")]
pub(crate) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Where a program is; fails the test where it isn't installed.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let found =
        std::env::split_paths(&search_path()).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not installed: the package `{package}` has it"))
}

/// A stand-in of this crate.
fn fake(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes").join(name)
}

/// An environment with this home, the search path, and more.
pub(crate) fn environment(home: &Path, more: &[(&str, &str)]) -> Environment {
    let mut all: Vec<(String, OsString)> =
        more.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    all.push(("HOME".to_owned(), home.as_os_str().to_owned()));
    all.push(("PATH".to_owned(), search_path()));
    Environment::of(move |name| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
}

pub(crate) fn setup(config: Config, environment: Environment) -> Setup {
    Setup { config: Arc::new(config), environment, ..Setup::default() }
}

/// Runs a command of the set-up of a test, with this on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let said = child.wait_with_output().unwrap();
    let _ = writing.join();
    assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
    said.stdout
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    store::files::replace(path, bytes, 0o600).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn op_setup(home: &Path) -> Setup {
    let token = Some("store:op".parse().unwrap());
    let onepassword = config::OnePassword { connect: None, token, program: Some(fake("op.py")) };
    setup(Config { onepassword, ..Config::default() }, environment(home, &[]))
}

pub(super) fn by_op(bytes: Option<&[u8]>) -> Placed {
    let home = tempfile::tempdir().unwrap();
    let kept = bytes.map_or(json!({}), |bytes| json!({ "op://Production/Slack/credential": text(bytes) }));
    write(&home.path().join("op.json"), kept.to_string().as_bytes());
    let source = crate::source::op::OnePassword::new(&op_setup(home.path()));
    Placed::new(source, "op://Production/Slack/credential", Takes::Text, home)
        .needing(&[("store:op", "ops_CANARY-service\n")])
}

pub(crate) fn bws_setup(home: &Path) -> Setup {
    let tool = config::Tool { program: Some(fake("bws.py")), ..config::Tool::default() };
    setup(Config { bitwarden: tool, ..Config::default() }, environment(home, &[]))
}

pub(super) fn by_bws(bytes: Option<&[u8]>) -> Placed {
    let home = tempfile::tempdir().unwrap();
    let id = "382580ab-1368-4e85-bfa3-b02e01400c9f";
    let kept = bytes.map_or(json!({}), |bytes| json!({ id: text(bytes) }));
    write(&home.path().join("bws.json"), kept.to_string().as_bytes());
    let source = crate::source::bitwarden::Bitwarden::new(&bws_setup(home.path()));
    Placed::new(source, &format!("bitwarden:{id}"), Takes::Text, home)
        .needing(&[("env:BWS_ACCESS_TOKEN", "0.CANARY-machine")])
}

pub(super) fn in_a_sops_file(bytes: Option<&[u8]>) -> Placed {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("secrets.json");
    let tree = bytes.map_or(json!({ "other": "x" }), |bytes| json!({ "slack": text(bytes), "n": 1 }));
    write(&file, format!("sops:\n{tree}").as_bytes());
    let tool = config::Tool { program: Some(fake("sops.py")), ..config::Tool::default() };
    let environment =
        environment(home.path(), &[("SOPS_AGE_KEY_FILE", "/keys"), ("AWS_SECRET_ACCESS_KEY", "CANARY")]);
    let source =
        crate::source::sops::Sops::new(&setup(Config { sops: tool, ..Config::default() }, environment));
    Placed::new(source, &format!("sops:{}#slack", file.display()), Takes::Text, home)
}

pub(crate) fn age_setup(home: &Path) -> Setup {
    let age = config::Age { program: None, identity: Some(home.join("identity")) };
    setup(Config { age, ..Config::default() }, environment(home, &[]))
}

/// A file that the real program encrypted, and the identity that opens it.
pub(crate) fn encrypted(home: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let identity = home.join("identity");
    if !identity.exists() {
        run(Command::new(program("age-keygen", "age")).arg("-o").arg(&identity), b"");
    }
    let file = home.join(name);
    let mut age = Command::new(program("age", "age"));
    run(age.arg("-e").arg("-i").arg(&identity).arg("-o").arg(&file), bytes);
    file
}

pub(super) fn in_an_age_file(bytes: Option<&[u8]>) -> Placed {
    let home = tempfile::tempdir().unwrap();
    let file = match bytes {
        Some(bytes) => encrypted(home.path(), "slack.age", bytes),
        None => home.path().join("slack.age"),
    };
    let source = crate::source::age::Age::new(&age_setup(home.path()));
    Placed::new(source, &format!("age:{}", file.display()), Takes::Bytes, home)
}

/// A password store with a key of its own, shared by the tests that run at the same time, and gone with the last.
pub(crate) struct PasswordStore(TempDir);

impl PasswordStore {
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<PasswordStore>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self::new());
            *shared = Arc::downgrade(&made);
            made
        })
    }

    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        store::files::private_folder(&home.path().join("gnupg")).unwrap();
        let own = Self(home);
        let key = [
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "canary@example.com",
            "default",
            "default",
            "never",
        ];
        run(own.command("gpg", "gnupg").args(key), b"");
        run(own.command("pass", "pass").args(["init", "canary@example.com"]), b"");
        own
    }

    fn command(&self, name: &str, package: &str) -> Command {
        let mut command = Command::new(program(name, package));
        command.env_clear().env("PATH", search_path()).env("HOME", self.0.path()).env("LANG", "C.UTF-8");
        command.env("GNUPGHOME", self.0.path().join("gnupg"));
        command
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        run(self.command("pass", "pass").args(["insert", "--multiline", "--force", name]), bytes);
    }

    pub(crate) fn setup(&self) -> Setup {
        let gnupg = self.0.path().join("gnupg");
        let environment =
            environment(self.0.path(), &[("GNUPGHOME", gnupg.to_str().unwrap()), ("LANG", "C.UTF-8")]);
        setup(Config::default(), environment)
    }

    pub(super) fn source(&self) -> crate::source::pass::Pass {
        crate::source::pass::Pass::new(&self.setup())
    }
}

impl Drop for PasswordStore {
    fn drop(&mut self) {
        // The agent of GnuPG would outlive the test.
        let _ = self.command("gpgconf", "gpgconf").args(["--kill", "all"]).status();
    }
}

/// Another name for each, so that they can share a store.
pub(crate) fn fresh() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("slack-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

pub(super) fn in_a_password_store(bytes: Option<&[u8]>) -> Placed {
    let (store, name) = (PasswordStore::shared(), format!("work/{}", fresh()));
    if let Some(bytes) = bytes {
        store.put(&name, &[bytes, b"\nuser: bot\n"].concat());
    }
    Placed::new(store.source(), &format!("pass:{name}"), Takes::Line, store)
}

pub(super) fn in_a_keychain(bytes: Option<&[u8]>) -> Placed {
    let home = tempfile::tempdir().unwrap();
    if let Some(bytes) = bytes {
        write(&home.path().join("slack.bot"), bytes);
    }
    let tool = config::Tool { program: Some(fake("security.py")), ..config::Tool::default() };
    let setup = setup(Config { keychain: tool, ..Config::default() }, environment(home.path(), &[]));
    Placed::new(crate::source::keychain::Keychain::new(&setup), "keychain:slack#bot", Takes::Bytes, home)
}

pub(super) fn in_windows(bytes: Option<&[u8]>) -> Placed {
    let home = tempfile::tempdir().unwrap();
    let calls = home.path().join("calls");
    let kept = bytes.map_or(json!({}), |bytes| json!({ "slack": crypto::to_base64(bytes) }));
    write(&home.path().join("calls.store"), kept.to_string().as_bytes());
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../keyring/tests/fakes/powershell.py");
    let tool =
        config::Tool { program: Some(program), token: None, environment: vec!["FAKE_CALLS".to_owned()] };
    let environment = environment(home.path(), &[("FAKE_CALLS", calls.to_str().unwrap())]);
    let setup = setup(Config { wincred: tool, ..Config::default() }, environment);
    Placed::new(crate::source::wincred::Wincred::new(&setup), "wincred:slack", Takes::Bytes, home)
}
