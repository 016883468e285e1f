//! `doorward demo`.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home;

#[test]
fn the_demo_holds_and_leaves_nothing_behind() {
    let doorward = home();
    let said = doorward.run(&["demo"], "").succeeded();
    assert!(said.contains("Every step held."), "{said}");
    assert!(!said.contains("demo-CANARY"), "{said}");
    assert!(!said.contains('\u{1b}'), "colour in a pipe: {said}");
    let left: Vec<_> = std::fs::read_dir(doorward.folder().join("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_demo_tells_programs_each_step() {
    let said = home().run(&["demo", "--json"], "").succeeded();
    let steps: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(steps.iter().all(|step| step["ok"] == true), "{said}");
    let names: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(
        names,
        ["start", "put", "request", "read", "refuse", "narrow", "mask", "never", "verify", "tamper", "done"]
    );
}

#[test]
fn without_curl_the_demo_holds_as_well() {
    let doorward = home();
    let mut command = doorward.command();
    command.env("PATH", "").arg("demo");
    let said = doorward.run_command(command, "").succeeded();
    assert!(said.contains("doorward capability use"), "{said}");
}

#[test]
fn a_demo_whose_terminal_is_closed_leaves_nothing_behind() {
    use std::io::{BufRead, BufReader};

    for signal in [Signal::HUP, Signal::QUIT] {
        let doorward = home();
        let mut command = doorward.command();
        command
            .args(["demo", "--keep", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("\"keep\"")));
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
        drop(lines);
        let _ = child.wait().unwrap();
        let left: Vec<_> = std::fs::read_dir(doorward.folder().join("tmp")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
