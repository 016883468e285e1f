//! Tests of the module `picker`. Where a terminal is needed, the tests' own binary is run on one by the program `script`.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// Not a test of its own: [`picked_on_a_terminal`] runs it on a terminal.
#[test]
#[ignore = "needs a terminal; the other tests run it on one"]
fn the_stage_of_the_picker() {
    match pick(&NAMES.map(str::to_owned)) {
        Ok(name) => println!("picked <{name}>"),
        Err(error) => println!("not picked <{error}>"),
    }
}

#[cfg(target_os = "linux")]
fn picked_on_a_terminal(keys: &[u8]) -> String {
    let program = std::env::current_exe().unwrap();
    let stage = "compat::picker::tests::the_stage_of_the_picker";
    let mut script = Command::new("script")
        .args(["-q", "-e", "-c"])
        .arg(format!("'{}' --ignored --exact --nocapture {stage}", program.display()))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(keys).unwrap();
    let shown = script.wait_with_output().unwrap();
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn arrow_keys_choose_and_return_takes_it() {
    let shown = picked_on_a_terminal(b"\x1b[B\x1b[B\x1b[A\r");
    assert!(shown.contains("picked <beta>"), "{shown}");
    assert!(shown.contains("Choose AWS profile"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_gives_up_picks_nothing() {
    let shown = picked_on_a_terminal(b"q");
    assert!(shown.contains("not picked <unable to select a 'profile'. Try --help>"), "{shown}");
}

#[test]
fn without_a_terminal_nothing_is_written() {
    let program = std::env::current_exe().unwrap();
    let stage = "compat::picker::tests::the_stage_of_the_picker";
    let output = Command::new(program)
        .args(["--ignored", "--exact", "--nocapture", "-q", stage])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("not picked <unable to select a 'profile'. Try --help>"), "{shown}");
    assert!(!shown.contains('\x1b') && !shown.contains("Choose"), "{shown}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("Choose"));
}
