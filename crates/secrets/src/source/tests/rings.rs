//! The keyrings of a Linux desktop: a real GNOME Keyring and a real KWallet, each on a bus of its own.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::programs::{environment, fresh, program, run, search_path, setup, write};
use super::*;
use crate::Config;

/// A program that ends with its owner.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn command(name: &str, package: &str, home: &Path) -> Command {
    let mut command = Command::new(program(name, package));
    command.env_clear().env("PATH", search_path()).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    command.env("LANG", "C.UTF-8").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(300);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn of(home: &Path, address: &str) -> Setup {
    setup(Config::default(), environment(home, &[("DBUS_SESSION_BUS_ADDRESS", address)]))
}

fn settings(home: &Path, address: &str) -> ::keyring::Settings {
    crate::source::desktop::settings(&of(home, address).environment)
}

/// A desktop session with a keyring and a wallet that were opened at sign-in, shared by the tests that run at the same time.
pub(crate) struct Desktop {
    _services: Vec<Running>,
    address: String,
    home: TempDir,
}

impl Desktop {
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Desktop>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self::new());
            *shared = Arc::downgrade(&made);
            made
        })
    }

    pub(crate) fn new() -> Self {
        use std::io::Write;
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("bus");
        let address = format!("unix:path={}", socket.display());
        let config = format!(
            "<busconfig><type>session</type><listen>{address}</listen><policy context=\"default\">\
             <allow send_destination=\"*\"/><allow own=\"*\"/><allow eavesdrop=\"false\"/></policy></busconfig>"
        );
        write(&home.path().join("bus.conf"), config.as_bytes());
        let mut bus = command("dbus-daemon", "dbus", home.path());
        bus.arg("--nofork").arg(format!("--config-file={}", home.path().join("bus.conf").display()));
        let bus = Running(bus.spawn().unwrap());
        wait_for("the bus", || socket.exists().then_some(()));
        let mut ring = command("gnome-keyring-daemon", "gnome-keyring", home.path());
        ring.env("DBUS_SESSION_BUS_ADDRESS", &address).stdin(Stdio::piped());
        let mut ring =
            Running(ring.args(["--foreground", "--unlock", "--components=secrets"]).spawn().unwrap());
        ring.0.stdin.take().unwrap().write_all(b"pw").unwrap();
        let there = |kind| ::keyring::open(kind, &settings(home.path(), &address)).ok();
        // Before the wallet, which would take the name of the Secret Service where nobody has it.
        wait_for("the Secret Service", || there(::keyring::Kind::SecretService));
        store::files::private_folder(&home.path().join(".config")).unwrap();
        let settings = b"[Wallet]\nFirst Use=false\nPrompt on Open=false\nEnabled=true\nLeave Open=true\n\
             Close When Idle=false\nDefault Wallet=kdewallet\nUse One Wallet=true\n";
        write(&home.path().join(".config/kwalletrc"), settings);
        let mut wallets = command("kwalletd5", "libkf5wallet-bin", home.path());
        wallets.env("DBUS_SESSION_BUS_ADDRESS", &address).env("QT_QPA_PLATFORM", "offscreen");
        let wallets = Running(wallets.spawn().unwrap());
        wait_for("KWallet", || there(::keyring::Kind::Kwallet));
        let desktop = Self { _services: vec![wallets, ring, bus], address, home };
        let hash = vec!["7"; 56].join(",");
        desktop.wallet("pamOpen", &["string:kdewallet", &format!("array:byte:{hash}"), "int32:0"]);
        desktop
    }

    pub(crate) fn setup(&self) -> Setup {
        of(self.home.path(), &self.address)
    }

    /// Stores as another program does: with `secret-tool`.
    pub(crate) fn store(&self, attributes: &[&str], bytes: &[u8]) {
        let mut tool = command("secret-tool", "libsecret-tools", self.home.path());
        tool.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        run(tool.args(["store", "--label=canary"]).args(attributes), bytes);
    }

    fn wallet(&self, member: &str, words: &[&str]) -> String {
        let mut send = command("dbus-send", "dbus", self.home.path());
        send.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        send.args(["--session", "--print-reply", "--dest=org.kde.kwalletd5", "/modules/kwalletd5"]);
        let said = run(send.arg(format!("org.kde.KWallet.{member}")).args(words), b"");
        String::from_utf8(said).unwrap()
    }

    fn put_into_wallet(&self, name: &str, text: &str) {
        let opened = self.wallet("open", &["string:kdewallet", "int64:0", "string:canary"]);
        let handle = format!("int32:{}", opened.split_ascii_whitespace().last().unwrap());
        self.wallet("createFolder", &[&handle, "string:Passwords", "string:canary"]);
        let words = ["string:Passwords".to_owned(), format!("string:{name}"), format!("string:{text}")];
        self.wallet("writePassword", &[&handle, &words[0], &words[1], &words[2], "string:canary"]);
    }
}

pub(super) fn in_the_secret_service(bytes: Option<&[u8]>) -> Placed {
    let (desktop, name) = (Desktop::shared(), fresh());
    if let Some(bytes) = bytes {
        desktop.store(&["service", "slack", "account", &name], bytes);
    }
    let source = crate::source::secretservice::SecretService::new(&desktop.setup());
    // `secret-tool` reads no more from its standard input.
    Placed::new(source, &format!("secretservice:account={name},service=slack"), Takes::UpTo(4000), desktop)
}

pub(super) fn in_a_keyring(bytes: Option<&[u8]>) -> Placed {
    let (desktop, name) = (Desktop::shared(), fresh());
    if let Some(bytes) = bytes {
        let secret = Secret::new(bytes.to_vec()).unwrap();
        let trust = ::keyring::Trust::Nobody;
        let (label, description) = (String::new(), String::new());
        let item = ::keyring::Item { name: name.clone(), secret, label, description, trust };
        ::keyring::open(::keyring::Kind::SecretService, &settings(desktop.home.path(), &desktop.address))
            .unwrap()
            .set(item)
            .unwrap();
    }
    let source = crate::source::keyring::Keyring::new(&desktop.setup());
    Placed::new(source, &format!("keyring:secret-service/{name}"), Takes::Bytes, desktop)
}

pub(super) fn in_a_wallet(bytes: Option<&[u8]>) -> Placed {
    let (desktop, name) = (Desktop::shared(), fresh());
    if let Some(bytes) = bytes {
        desktop.put_into_wallet(&name, &String::from_utf8_lossy(bytes));
    }
    let source = crate::source::kwallet::Kwallet::new(&desktop.setup());
    Placed::new(source, &format!("kwallet:kdewallet/Passwords/{name}"), Takes::Text, desktop)
}
