//! Tests of the module `mfa`: the order of the ways, and the stage for the tests of its parts.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::driver::opened;
use super::*;

/// A folder for `PATH` with programs that write down how they were called.
pub(super) struct Stage {
    folder: tempfile::TempDir,
}

pub(super) const QUESTION: Question<'static> = Question { serial: "arn:aws:iam::111111111111:mfa/user" };

impl Stage {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A program that records its arguments, one in each line, and then does what `then` says. A shell writes it: were the
    /// file open for writing in this process, another test that forks could keep it from being run.
    pub(super) fn program(&self, name: &str, then: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let log = self.folder.path().join("log");
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\n{then}\n", log.display());
        let written = Command::new("/bin/sh")
            .args(["-c", "printf %s \"$2\" >\"$1\" && chmod 755 \"$1\"", "sh"])
            .arg(&path)
            .arg(script)
            .status();
        assert!(written.unwrap().success());
        path
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(super) fn facts(&self) -> Facts {
        Facts { search: vec![self.folder.path().to_owned()], screen: true, ..Facts::default() }
    }
}

/// A terminal with somebody at it.
pub(super) struct Pty {
    pub(super) device: PathBuf,
    master: File,
    shown: Receiver<u8>,
    /// Held open, so that the reader of the master never sees its end before the test does.
    _slave: File,
}

impl Pty {
    pub(super) fn open() -> Self {
        let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_bytes();
        let device = PathBuf::from(std::ffi::OsString::from_vec(name));
        let slave = opened(&device).unwrap();
        let master = File::from(master);
        let (send, shown) = channel();
        let reader = master.try_clone().unwrap();
        // Ends when the slave's last end is closed.
        std::thread::spawn(move || show(reader, &send));
        Self { device, master, shown, _slave: slave }
    }

    pub(super) fn types(&self, text: &str) {
        (&self.master).write_all(text.as_bytes()).unwrap();
    }

    /// Reads what is shown until `text` is there.
    pub(super) fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(text) {
            let byte = self.shown.recv_timeout(Duration::from_secs(120));
            seen.push(byte.unwrap_or_else(|_| panic!("`{}`", String::from_utf8_lossy(&seen))));
        }
        String::from_utf8(seen).unwrap()
    }
}

fn show(mut reader: File, to: &Sender<u8>) {
    let mut byte = [0];
    while matches!(reader.read(&mut byte), Ok(1)) && to.send(byte[0]).is_ok() {}
}

fn settings() -> Settings {
    Settings { title: "aws-vault".to_owned(), ..Settings::default() }
}

fn code_of(settings: Settings, facts: &Facts) -> String {
    prompt(settings, facts).ok().unwrap().ask(&QUESTION).ok().unwrap().digits().to_owned()
}

#[test]
fn a_code_of_the_command_line_goes_before_the_process_and_the_process_before_the_driver() {
    let stage = Stage::new();
    stage.program("zenity", "echo 333333");
    let process = Some("echo 222222".to_owned());
    let code = Code::given("111111").ok();
    assert_eq!(code_of(Settings { code, process: process.clone(), ..settings() }, &stage.facts()), "111111");
    assert_eq!(code_of(Settings { process, ..settings() }, &stage.facts()), "222222");
    assert_eq!(code_of(settings(), &stage.facts()), "333333");
}

#[test]
fn a_given_code_is_handed_out_as_often_as_it_is_asked_for() {
    let given =
        prompt(Settings { code: Code::given("111111").ok(), ..settings() }, &Facts::default()).ok().unwrap();
    for _ in 0..2 {
        assert_eq!(given.ask(&QUESTION).ok().unwrap().digits(), "111111");
    }
}

#[test]
fn without_any_way_the_error_names_the_ways() {
    let error = prompt(settings(), &Facts::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "nobody can be asked for an MFA code: there is no terminal and no prompt program"
    );
    let hint = error.hint().unwrap();
    for way in ["-t CODE", "mfa_process", "totp", "ykman", "zenity"] {
        assert!(hint.contains(way), "{hint}");
    }
}

#[test]
fn a_driver_that_was_named_is_never_replaced() {
    let stage = Stage::new();
    stage.program("zenity", "echo 333333");
    for (driver, text) in [
        (Driver::Ykman, "the prompt driver `ykman` is not there"),
        (Driver::Terminal, "the prompt driver `terminal` is not there"),
        (Driver::Totp, "no seed is stored for this device"),
        (Driver::Wincredui, "the prompt driver `wincredui` is not there"),
    ] {
        let error = prompt(Settings { driver: Some(driver), ..settings() }, &stage.facts()).err().unwrap();
        assert_eq!(error.to_string(), text);
        assert!(error.hint().is_some());
    }
}
