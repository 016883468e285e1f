//! `secret-service`, with a real GNOME Keyring on a bus of its own.

use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyring::{Error, Keyring, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{Running, bus, command, program, wait_for};
use crate::suite::{CANARY, Member, read, store};

/// A desktop session with an unlocked login keyring and nobody who answers prompts.
struct Session {
    daemon: Mutex<Option<Running>>,
    _bus: Running,
    address: String,
    home: TempDir,
}

impl Session {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let (bus, address) = bus(home.path());
        let session = Self { daemon: Mutex::new(None), _bus: bus, address, home };
        session.unlock();
        session
    }

    /// Starts the service anew; that unlocks what it keeps for the sign-in.
    fn unlock(&self) {
        let mut daemon = command(&program("gnome-keyring-daemon", "gnome-keyring"), self.home.path());
        daemon.env("DBUS_SESSION_BUS_ADDRESS", &self.address).stdin(Stdio::piped());
        daemon.args(["--foreground", "--unlock", "--components=secrets"]);
        let mut kept = self.daemon.lock().unwrap();
        drop(kept.take());
        let mut daemon = Running(daemon.spawn().unwrap());
        daemon.0.stdin.take().unwrap().write_all(b"pw").unwrap();
        *kept = Some(daemon);
        wait_for("the Secret Service", || keyring::open(Kind::SecretService, &self.settings()).ok());
    }

    fn settings(&self) -> Settings {
        self.asking(Answers::nobody())
    }

    fn asking(&self, answers: Arc<Answers>) -> Settings {
        let mut settings = Settings::new(self.home.path().to_owned(), answers);
        settings.bus.address = Some(self.address.clone());
        settings.secret_service.prompt = Duration::from_secs(120);
        settings
    }

    fn send(&self, words: &[&str]) {
        let mut send = command(&program("dbus-send", "dbus"), self.home.path());
        send.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        send.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"]).args(words);
        let said = send.stderr(Stdio::piped()).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    fn lock(&self) {
        self.send(&[
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            "array:objpath:/org/freedesktop/secrets/collection/login",
        ]);
    }
}

/// One that is locked by its test.
struct Locking {
    session: Session,
    locked: std::sync::atomic::AtomicBool,
}

impl Member for Session {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::SecretService, &self.settings()).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        None
    }
}

conformance!(Session::new());

impl Member for Locking {
    fn open(&self) -> Box<dyn Keyring> {
        if self.locked.swap(false, std::sync::atomic::Ordering::SeqCst) {
            self.session.unlock();
        }
        self.session.open()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        let keyring = self.session.open();
        self.session.lock();
        self.locked.store(true, std::sync::atomic::Ordering::SeqCst);
        Some(keyring)
    }
}

#[test]
fn a_locked_keyring_is_an_error_and_loses_nothing() {
    crate::suite::locked(&Locking { session: Session::new(), locked: false.into() });
}

#[test]
fn a_locked_keyring_says_what_to_do() {
    let session = Session::new();
    store(&*session.open(), "work", CANARY);
    session.lock();
    let error = session.open().get("work").map(drop).unwrap_err();
    assert!(matches!(error, Error::Locked { kind: Kind::SecretService, .. }), "{error}");
    assert!(error.hint().unwrap().contains("--backend"));
}

#[test]
fn without_anybody_to_make_a_collection_the_default_one_is_used_and_told() {
    let session = Session::new();
    let answers = Answers::nobody();
    let keyring = keyring::open(Kind::SecretService, &session.asking(Arc::clone(&answers))).unwrap();
    store(&*keyring, "work", CANARY);
    let told = answers.told();
    assert!(told.len() == 1 && told[0].contains("`awsvault`") && told[0].contains("`login`"), "{told:?}");
}

#[test]
fn an_item_of_the_peer_is_read() {
    let session = Session::new();
    // What `secret-tool` stores has the label, the attribute and the form that the peer gives its items.
    let mut tool = command(&program("secret-tool", "libsecret-tools"), session.home.path());
    tool.env("DBUS_SESSION_BUS_ADDRESS", &session.address).stdin(Stdio::piped());
    tool.args(["store", "--label=work", "--collection=login", "profile", "work"]);
    let mut tool = tool.spawn().unwrap();
    let text = r#"{"Key":"work","Data":"eA==","Label":"aws-vault (work)","Description":"","KeychainNotTrustApplication":true,"KeychainNotSynchronizable":false}"#;
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(tool.wait().unwrap().success());
    let mut settings = session.settings();
    settings.secret_service.collection = "login".to_owned();
    let keyring = keyring::open(Kind::SecretService, &settings).unwrap();
    assert_eq!(keyring.names().unwrap(), ["work"]);
    assert_eq!(read(&*keyring, "work"), b"x");
}

#[test]
fn items_of_other_programs_are_neither_listed_nor_touched() {
    let session = Session::new();
    let mut tool = command(&program("secret-tool", "libsecret-tools"), session.home.path());
    tool.env("DBUS_SESSION_BUS_ADDRESS", &session.address).stdin(Stdio::piped());
    tool.args(["store", "--label=work", "--collection=login", "profile", "work", "application", "browser"]);
    let mut tool = tool.spawn().unwrap();
    tool.stdin.take().unwrap().write_all(b"theirs").unwrap();
    assert!(tool.wait().unwrap().success());
    let keyring = session.open();
    assert_eq!(keyring.names().unwrap(), Vec::<String>::new());
    assert!(matches!(keyring.get("work"), Err(Error::NotFound { .. })));
    assert!(matches!(keyring.remove("work"), Err(Error::NotFound { .. })));
}

#[test]
fn it_works_inside_a_runtime() {
    let session = Session::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        store(&*session.open(), "work", CANARY);
        assert_eq!(read(&*session.open(), "work"), CANARY);
    });
}

#[test]
fn without_a_bus_it_is_unavailable_and_nothing_is_started() {
    let home = TempDir::new().unwrap();
    let mut settings = Settings::new(home.path().to_owned(), Answers::nobody());
    for address in [None, Some(""), Some("autolaunch:"), Some("unix:path=/nonexistent"), Some("nonsense")] {
        settings.bus.address = address.map(str::to_owned);
        let refused = keyring::open(Kind::SecretService, &settings).map(drop).unwrap_err();
        assert!(
            matches!(refused, Error::Unavailable { kind: Kind::SecretService, .. }),
            "{address:?}: {refused}"
        );
    }
    let (_bus, address) = bus(home.path());
    settings.bus.address = Some(address);
    let refused = keyring::open(Kind::SecretService, &settings).map(drop).unwrap_err();
    assert!(refused.to_string().contains("no Secret Service runs"), "{refused}");
    // The socket in the runtime folder is the bus of most desktops.
    settings.bus.address = None;
    settings.bus.runtime = Some(home.path().to_owned());
    let refused = keyring::open(Kind::SecretService, &settings).map(drop).unwrap_err();
    assert!(refused.to_string().contains("no Secret Service runs"), "{refused}");
}
