//! Tools: commands that the owner declared, run for who holds a capability of the agent for one, with a credential that the holder
//! never sees.

use std::fs;

use serde_json::Value;
use testkit::{Doorward, Running};

use crate::{has_sandbox, home, write, write_integration};

const TOOLS: &str = r#"name: tools
title: Tools
base_url: https://tools.example.com
secrets: {db: {title: Password of the database}}
auth: [{scheme: bearer, secret: db}]
limits: {connect: 30s, head: 60s, total: 2m, idle: 60s}
cli:
  program: stubtool
  version: [version]
  environment: {STUBCONFIG: "{file:config}"}
  files: {config: "{secret:db}"}
operations:
  backup:
    title: Write a copy of a database
    access: write
    risk: medium
    http: none
    why: a command of ours
    inputs: {database: {in: command, required: true, pattern: "[a-z]+"}, "count": {in: command, type: integer}}
    cli: {args: [backup, "--count={count}", --, "{database}"], output: text}
  restore:
    title: Write a copy back
    access: write
    risk: high
    http: none
    why: a command of ours
    cli: {args: [restore], output: text}
"#;

/// A home with the tools, their secret, and a program that does what `lines` say.
fn stage(lines: &str) -> (Doorward, Running, String) {
    let doorward = home();
    let secret = testkit::canary::plant("tools");
    doorward.watch(&secret);
    let programs = doorward.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    testkit::program(programs.join("stubtool"), &format!("#!/bin/sh\n{lines}\n"));
    write_integration(&doorward, TOOLS);
    write(doorward.data().join("settings.toml"), &format!("[operations]\npath = [{programs:?}]\n"));
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "tools/db"], &secret).succeeded();
    let mut command = doorward.command();
    command.args(["agent", "start", "--mode", "development", "--json"]);
    let running = doorward.start(command);
    (doorward, running, secret)
}

fn granted(doorward: &Doorward, resource: &str, action: &str) -> String {
    let words =
        ["capability", "request", "--resource", resource, "--action", action, "--max-uses", "3", "--json"];
    let told = doorward.run(&words, "").json();
    assert_eq!(told["status"], "granted", "{told}");
    told["capability"]["id"].as_str().unwrap().to_owned()
}

fn used(doorward: &Doorward, id: &str, words: &[&str]) -> (Option<i32>, Value) {
    let output = doorward.run(&[&["capability", "use", id, "--json"], words].concat(), "");
    (
        output.status.code(),
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}")),
    )
}

#[test]
fn a_tool_is_run_for_who_has_a_capability_for_it_and_nothing_else_is() {
    if !has_sandbox("programs") {
        return;
    }
    let (doorward, running, secret) = stage("echo \"$@\"; cat \"$STUBCONFIG\"; echo to whom it concerns >&2");
    let id = granted(&doorward, "tool:/backup", "execute");
    let tool = ["--tool", "backup", "--input", "database=primary", "--input", "count=2"];
    let (code, told) = used(&doorward, &id, &tool);
    assert_eq!(
        (code, told["status"].as_str(), told["exit"].as_u64()),
        (Some(0), Some("ok"), Some(0)),
        "{told}"
    );
    let printed = told["stdout"].as_str().unwrap();
    assert!(printed.starts_with("backup --count=2 -- primary\n") && !printed.contains(&secret), "{told}");
    assert_eq!(
        (told["stderr"].as_str(), told["uses_left"].as_u64()),
        (Some("to whom it concerns\n"), Some(2))
    );
    let record = doorward.run(&["evidence", "show", told["evidence"].as_str().unwrap()], "").succeeded();
    assert!(record.contains("tools") && record.contains("backup") && record.contains(&id), "{record}");
    // As a person sees it.
    let plain = doorward.run(&[&["capability", "use", &id][..], &tool].concat(), "");
    assert_eq!((plain.status.code(), plain.stderr.as_str()), (Some(0), "to whom it concerns\n"), "{plain:?}");
    assert!(plain.stdout.starts_with("backup --count=2 -- primary\n"), "{plain:?}");

    // Neither another tool, nor an input that is none, nor more than was granted.
    let (code, told) = used(&doorward, &id, &["--tool", "restore"]);
    assert_eq!((code, told["status"].as_str()), (Some(1), Some("denied")), "{told}");
    let (code, told) = used(&doorward, &id, &["--tool", "backup", "--input", "database=--help"]);
    assert_eq!((code, told["code"].as_str()), (Some(1), Some("bad_request")), "{told}");
    let reading = granted(&doorward, "tool:/backup", "read");
    let (code, told) = used(&doorward, &reading, &tool);
    assert_eq!((code, told["status"].as_str()), (Some(1), Some("denied")), "{told}");
    let (code, told) = used(&doorward, &id, &["--tool", "backup", "--input", "database=b"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = used(&doorward, &id, &["--tool", "backup", "--input", "database=c"]);
    assert_eq!((code, told["reason"].as_str()), (Some(1), Some("USAGE_LIMIT_EXCEEDED")), "{told}");

    // Who may use the secret may have it used by a tool.
    let of_secret = granted(&doorward, "secret:/tools/db", "execute");
    let (code, told) = used(&doorward, &of_secret, &["--tool", "tools/backup", "--input", "database=d"]);
    assert_eq!((code, told["status"].as_str()), (Some(0), Some("ok")), "{told}");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_tool_that_failed_is_an_error_and_its_status_is_told() {
    if !has_sandbox("programs") {
        return;
    }
    let (doorward, running, _) = stage("echo half; echo disk full >&2; exit 3");
    let id = granted(&doorward, "tool:/*", "execute");
    let (code, told) = used(&doorward, &id, &["--tool", "restore"]);
    assert_eq!(
        (code, told["status"].as_str(), told["exit"].as_u64()),
        (Some(1), Some("error"), Some(3)),
        "{told}"
    );
    assert!(told["message"].as_str().unwrap().contains("ended with status 3"), "{told}");
    assert_eq!((told["stdout"].as_str(), told["stderr"].as_str()), (Some("half\n"), Some("disk full\n")));
    let (code, told) = used(&doorward, &id, &["--tool", "nothing"]);
    assert_eq!(code, Some(1), "{told}");
    for name in ["doorward/secret.put", "../backup", "*"] {
        let output = doorward.run(&["capability", "use", &id, "--tool", name], "");
        assert_ne!(output.status.code(), Some(0), "{output:?}");
    }
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
