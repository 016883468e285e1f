//! `kwallet`, with a real `kwalletd5` on a bus of its own.

use std::process::Stdio;

use keyring::{Error, Keyring, Kind, Settings};
use tempfile::TempDir;

use crate::answers::Answers;
use crate::start::{Running, bus, command, program, wait_for, write};
use crate::suite::Member;

/// A KDE session whose wallet was opened at sign-in.
struct Session {
    _wallets: Running,
    _bus: Running,
    address: String,
    home: TempDir,
}

impl Session {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let (bus, address) = bus(home.path());
        std::fs::create_dir(home.path().join(".config")).unwrap();
        let settings = "[Wallet]\nFirst Use=false\nPrompt on Open=false\nEnabled=true\nLeave Open=true\n\
             Close When Idle=false\nDefault Wallet=aws-vault\nUse One Wallet=true\n";
        write(&home.path().join(".config/kwalletrc"), settings);
        let mut wallets = command(&program("kwalletd5", "libkf5wallet-bin"), home.path());
        wallets.env("DBUS_SESSION_BUS_ADDRESS", &address).env("QT_QPA_PLATFORM", "offscreen");
        let wallets = Running(wallets.spawn().unwrap());
        let session = Self { _wallets: wallets, _bus: bus, address, home };
        wait_for("KWallet", || keyring::open(Kind::Kwallet, &session.settings()).ok());
        // As the sign-in does it: the wallet opens with a hash of the password instead of a window.
        let hash = vec!["7"; 56].join(",");
        let mut send = command(&program("dbus-send", "dbus"), session.home.path());
        send.env("DBUS_SESSION_BUS_ADDRESS", &session.address).stderr(Stdio::piped());
        send.args(["--session", "--print-reply", "--dest=org.kde.kwalletd5", "/modules/kwalletd5"]);
        send.args(["org.kde.KWallet.pamOpen", "string:aws-vault", &format!("array:byte:{hash}"), "int32:0"]);
        let said = send.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        session
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.home.path().to_owned(), Answers::nobody());
        settings.bus.address = Some(self.address.clone());
        settings
    }
}

impl Member for Session {
    fn open(&self) -> Box<dyn Keyring> {
        keyring::open(Kind::Kwallet, &self.settings()).unwrap()
    }

    fn locked(&self) -> Option<Box<dyn Keyring>> {
        // It asks in a window, and there is nobody: see `a_wallet_that_is_switched_off_is_refused` for what can be tested.
        None
    }
}

conformance!(Session::new());

#[test]
fn a_wallet_that_is_switched_off_is_refused() {
    let session = Session::new();
    let mut settings = session.settings();
    settings.kwallet.disabled = true;
    let refused = keyring::open(Kind::Kwallet, &settings).map(drop).unwrap_err();
    assert!(refused.to_string().contains("DISABLE_KWALLET"), "{refused}");
}

#[test]
fn without_a_bus_it_is_unavailable() {
    let home = TempDir::new().unwrap();
    let mut settings = Settings::new(home.path().to_owned(), Answers::nobody());
    settings.bus.address = Some("unix:path=/nonexistent".to_owned());
    assert!(matches!(keyring::open(Kind::Kwallet, &settings), Err(Error::Unavailable { .. })));
    let (_bus, address) = bus(home.path());
    settings.bus.address = Some(address);
    let refused = keyring::open(Kind::Kwallet, &settings).map(drop).unwrap_err();
    assert!(refused.to_string().contains("no KWallet runs"), "{refused}");
}
