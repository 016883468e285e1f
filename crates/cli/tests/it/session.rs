//! A broker, a secret, a capability, calls through the gateway, and the evidence of them.

use serde_json::Value;
use testkit::{Doorward, Running, Upstream};

use crate::home;

/// Starts a broker with the integration `echo`, which is this upstream.
pub(crate) fn with_upstream(doorward: &Doorward, upstream: &Upstream) -> Running {
    let folder = doorward.data().join("integrations");
    if !folder.exists() {
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    }
    crate::write(folder.join("echo.yaml"), &integration(&upstream.url()));
    doorward.start_up(&["--threads", "2"])
}

/// A capability for `echo` with these flags more, in a file.
pub(crate) fn capability(doorward: &Doorward, flags: &[&str]) -> String {
    let mut words =
        vec!["capability", "request", "--for", "ada", "--integrations", "echo", "--output", "capability"];
    words.extend(flags);
    let _ = doorward.run(&words, "").succeeded();
    "capability".to_owned()
}

/// One request with a capability; its status, headers and body.
pub(crate) fn used(doorward: &Doorward, capability: &str, method: &str, path: &str) -> Value {
    let words =
        ["--json", "capability", "use", "--capability", capability, "--integration", "echo", method, path];
    let output = doorward.run(&words, "");
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
}

fn integration(url: &str) -> String {
    format!(
        "name: echo\ntitle: Echo\ndocs: https://example.com/docs\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n  \
         echo.show:\n    title: Show\n    access: read\n    risk: low\n    match: {{method: GET, path: /echo}}\n  \
         open.show:\n    title: Show more\n    access: read\n    risk: low\n    match: {{method: GET, path: \"/open/{{rest...}}\"}}\n"
    )
}

#[test]
fn a_secret_goes_in_a_capability_comes_out_and_calls_leave_evidence() {
    let doorward = home();
    let upstream = Upstream::start();
    doorward.watch(upstream.canary());
    let running = with_upstream(&doorward, &upstream);

    let stored = doorward.run(&["secret", "put", "echo/token", "--json"], upstream.canary()).json();
    assert_eq!(stored["reference"], "store:echo/token");
    let status = doorward.run(&["status", "--json"], "").json();
    assert_eq!(status["state"], "unsealed");
    assert_eq!(status["doors"]["gateway"], running.gateway_url);
    assert!(status["warnings"].to_string().contains("dangerous_allow_private"), "{status}");

    let capability = capability(&doorward, &["--access", "read", "--expires", "1h"]);
    let read = used(&doorward, &capability, "GET", "/echo");
    assert_eq!(read["status"], 200, "{read}");
    assert!(read["evidence"].as_str().unwrap().starts_with("evd_"));
    assert_eq!(upstream.last().header("authorization"), Some(&*format!("Bearer {}", upstream.canary())));
    let written = used(&doorward, &capability, "POST", "/echo");
    assert_eq!((&written["status"], &written["refusal"]), (&Value::from(403), &Value::from("denied")));
    assert_eq!(upstream.requests().len(), 1);

    let listed = doorward.run(&["evidence", "list", "--integration", "echo", "--json"], "").json();
    let results: Vec<&str> =
        listed["evidence"].as_array().unwrap().iter().filter_map(|one| one["result"].as_str()).collect();
    assert_eq!(results, ["refused", "done"], "{listed}");
    let shown = doorward.run(&["evidence", "show", read["evidence"].as_str().unwrap()], "").succeeded();
    assert!(shown.contains("echo.show"), "{shown}");

    let key = doorward.run(&["evidence", "key"], "").succeeded();
    let _ = doorward.run(&["evidence", "export", "--out", "evidence.jsonl"], "").succeeded();
    let again = doorward.run(&["evidence", "export", "--out", "evidence.jsonl"], "").failed_with(1);
    assert!(again.contains("there is a file `evidence.jsonl` already"), "{again}");
    assert!(running.stop().success());
    let verified =
        doorward.run(&["evidence", "verify", "evidence.jsonl", "--key", key.trim(), "--json"], "").json();
    assert_eq!(verified["verified"], true);
    // Its first line is signed by nobody: what has nothing else proves nothing.
    let whole = std::fs::read_to_string(doorward.folder().join("evidence.jsonl")).unwrap();
    let nothing =
        format!("{}\n{{\"end\":{{\"records\":0,\"checkpoints\":0}}}}\n", whole.lines().next().unwrap());
    crate::write(doorward.folder().join("nothing.jsonl"), &nothing);
    let words = ["evidence", "verify", "nothing.jsonl", "--key", key.trim()];
    let said = doorward.run(&words, "");
    assert_eq!(said.status.code(), Some(1), "{}", said.stdout);
    assert!(said.stdout.contains("nothing is in it"), "{}", said.stdout);
    doorward.assert_no_canary();
}

#[test]
fn what_was_revoked_or_used_up_is_over() {
    let doorward = home();
    let upstream = Upstream::start();
    let running = with_upstream(&doorward, &upstream);
    let _ = doorward.run(&["secret", "put", "echo/token"], upstream.canary()).succeeded();

    let once = capability(&doorward, &["--uses", "1"]);
    assert_eq!(used(&doorward, &once, "GET", "/echo")["status"], 200);
    assert_eq!(used(&doorward, &once, "GET", "/echo")["refusal"], "uses_exhausted");
    let refused = doorward.run(&["evidence", "list", "--json"], "").json()["evidence"].to_string();
    assert!(refused.contains("uses_exhausted"), "{refused}");

    let capability = capability(&doorward, &[]);
    let validated = doorward.run(&["capability", "validate", &capability, "--json"], "").json();
    assert_eq!(validated["valid"], true);
    let grant = validated["grant"].as_str().unwrap();
    let _ = doorward.run(&["capability", "revoke", grant], "").succeeded();
    assert_eq!(used(&doorward, &capability, "GET", "/echo")["refusal"], "revoked");
    assert_eq!(doorward.run(&["capability", "validate", &capability], "").status.code(), Some(1));
    let listed = doorward.run(&["capability", "list"], "").succeeded();
    assert!(listed.contains("revoked"), "{listed}");
    assert!(running.stop().success());
    // It was written, so nobody is alarmed.
    let printed = String::from_utf8_lossy(&doorward.printed()).into_owned();
    assert!(!printed.contains("could not be written"), "{printed}");
}

#[test]
fn a_sealed_broker_refuses_until_it_is_unsealed() {
    let doorward = home();
    let upstream = Upstream::start();
    let running = with_upstream(&doorward, &upstream);
    let _ = doorward.run(&["secret", "put", "echo/token"], upstream.canary()).succeeded();
    let capability = capability(&doorward, &[]);
    let _ = doorward.run(&["seal"], "").succeeded();
    let status = doorward.run(&["status", "--json"], "");
    assert_eq!(status.status.code(), Some(1));
    assert!(status.stdout.contains("\"sealed\""), "{}", status.stdout);
    assert_eq!(used(&doorward, &capability, "GET", "/echo")["refusal"], "sealed");
    let said = doorward.run(&["secret", "list"], "").failed_with(1);
    assert!(said.contains("doorward unseal"), "{said}");
    let _ = doorward.run(&["unseal"], "").succeeded();
    assert_eq!(used(&doorward, &capability, "GET", "/echo")["status"], 200);
    assert!(running.stop().success());
}

#[test]
fn what_is_added_while_it_runs_is_there_and_a_bad_file_changes_nothing() {
    let doorward = home();
    let upstream = Upstream::start();
    let running = with_upstream(&doorward, &upstream);
    let words =
        ["integration", "add", "github", "--name", "work", "--secret", "token=env:WORK_TOKEN", "--json"];
    let added = doorward.run(&words, "").json();
    assert_eq!(added["kind"], "github");
    let bad = doorward.data().join("integrations/bad.yaml");
    crate::write(bad, "name: bad\ntitel: wrong\n");
    running.reload();
    let until = std::time::Instant::now() + crate::HANG;
    while !String::from_utf8_lossy(&doorward.printed()).contains("bad.yaml:2") {
        assert!(std::time::Instant::now() < until, "{}", String::from_utf8_lossy(&doorward.printed()));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let listed = doorward.run(&["integration", "list", "--json"], "").json();
    let names: Vec<&str> =
        listed["integrations"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"work") && names.contains(&"echo") && !names.contains(&"bad"), "{names:?}");
    let said = doorward.run(&["doctor"], "");
    assert_eq!(said.status.code(), Some(1));
    assert!(said.stdout.contains("bad.yaml:2"), "{}", said.stdout);
    assert!(running.stop().success());
}

#[test]
fn a_raw_secret_where_a_reference_belongs_is_refused_without_repeating_it() {
    let doorward = home();
    let canary = doorward.plant("reference");
    let _ = doorward.run(&["init"], "").succeeded();
    let said = doorward
        .run(&["integration", "add", "slack", "--secret", &format!("token={canary}")], "")
        .failed_with(2);
    assert!(said.contains("store:NAME"), "{said}");
    doorward.assert_no_canary();
}
