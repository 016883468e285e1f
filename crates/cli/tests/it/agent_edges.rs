//! The agent at its edges: what it says of what is odd, how long it is waited for, and what a token is good for.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agent::{started, vault};
use crate::home;

/// One line to the agent, and its answer.
fn say(socket: &std::path::Path, line: &Value) -> Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(crate::HANG)).unwrap();
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = BufReader::new(stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

fn message(kind: &str, payload: &Value) -> Value {
    json!({ "version": "1.0", "type": kind, "id": "1", "payload": payload })
}

#[test]
fn a_token_is_validated_and_used_by_whoever_has_it_and_stands_in_no_record() {
    let doorward = home();
    let log = doorward.folder().join(".aether-vault/audit.log");
    let running = started(&doorward, &["--mode", "development"]);
    let ask = |kind: &str, payload: Value| say(&running.socket, &message(kind, &payload))["payload"].clone();
    let wish = |resource: &str, action: &str| json!({ "resource": resource, "actions": [action], "bearer": true, "max_uses": 5 });
    let capability = ask("capability_request", wish("log:/app", "write"))["capability"].clone();
    let token = capability["token"].as_str().unwrap();
    let found = ask("capability_validate", json!({ "capability_id": token }));
    assert_eq!((&found["valid"], &found["context"]["uses_left"]), (&json!(true), &json!(5)), "{found}");
    let written = ask("log_append", json!({ "capability_id": token, "message": "x" }));
    assert_eq!((written["status"].as_str(), &written["uses_left"]), (Some("ok"), &json!(4)), "{written}");
    let many = ask("capability_request", wish("secret:/db/*", "read"))["capability"].clone();
    let said = ask("secret_read", json!({ "capability_id": many["token"] }));
    assert!(said.to_string().contains("is more than one; say which with `resource`"), "{said}");
    let id = capability["id"].as_str().unwrap();
    let _ = vault(&doorward, &["capability", "revoke", id]).succeeded();
    let found = ask("capability_validate", json!({ "capability_id": token }));
    assert_eq!((&found["valid"], &found["errors"][0]["code"]), (&json!(false), &json!("REVOKED")), "{found}");
    let other = if token.ends_with('A') { 'B' } else { 'A' };
    let broken = format!("{}{other}", &token[..token.len() - 1]);
    let found = ask("capability_validate", json!({ "capability_id": broken }));
    assert_eq!(found["errors"][0]["code"], "CAP_NOT_FOUND", "{found}");
    let lines = std::fs::read_to_string(&log).unwrap();
    assert!(!lines.contains("cap1_"), "{lines}");
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(!evidence.contains("cap1_"), "{evidence}");
    assert!(running.stop().success());
}

#[test]
fn an_unknown_type_is_repeated_where_it_can_be_no_key_and_an_id_where_it_can_be_read() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let key = format!("ghp_{}", "a".repeat(36));
    for kind in [key.as_str(), "x".repeat(128).as_str(), "sk-short"] {
        let answer = say(&running.socket, &message(kind, &json!({})));
        assert_eq!(answer["payload"], json!({ "error": "unknown message type" }), "{kind}");
    }
    for odd in [
        json!({ "version": "1.0", "type": "ping_request", "id": "7", "x": 1 }),
        json!({ "type": "ping_request", "id": "7" }),
        json!({ "version": "1.0", "type": "ping_request", "id": "7", "timestamp": 5 }),
    ] {
        let answer = say(&running.socket, &odd);
        assert_eq!(
            (&answer["type"], &answer["id"]),
            (&json!("error_response"), &json!("7")),
            "{odd}: {answer}"
        );
    }
    assert!(running.stop().success());
}

#[test]
fn an_agent_that_takes_the_connection_and_says_nothing_is_waited_for_no_longer_than_was_said() {
    let doorward = home();
    let path = doorward.folder().join("mute.sock");
    let _mute = UnixListener::bind(&path).unwrap();
    let began = Instant::now();
    let words = ["agent", "status", "--socket-path", path.to_str().unwrap(), "--wait", "1"];
    let said = vault(&doorward, &words).failed_with(1);
    assert!(said.contains("did not answer in time"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn what_stands_where_the_socket_is_to_be_is_named_and_kept() {
    let doorward = home();
    let path = doorward.folder().join("plain");
    crate::write(&path, "keep");
    let said = vault(&doorward, &["agent", "start", "--socket-path", path.to_str().unwrap()]).failed_with(1);
    assert!(said.contains("is there and no socket") && !said.contains("already"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "keep");
}

#[test]
fn what_is_granted_in_advance_is_there_when_the_agent_says_that_it_is_ready() {
    let doorward = home();
    let file = doorward.folder().join("pre.yaml");
    crate::write(&file, "x");
    let words = ["--mode", "development", "--preauthorize", file.to_str().unwrap()];
    let refused = vault(&doorward, &[&["agent", "start"][..], &words].concat()).failed_with(1);
    assert!(refused.contains("a list of requests") && !refused.contains("integration schema"), "{refused}");
    let two = "- {resource: \"secret:/a\", actions: [read]}\n- {resource: \"secret:/b\", actions: [read]}\n";
    crate::write(&file, two);
    let running = started(&doorward, &words);
    let listed = vault(&doorward, &["capability", "list", "--status", "active", "--format", "json"]).json();
    assert_eq!(listed["count"], 2, "{listed}");
    assert!(running.stop().success());
}

#[test]
fn numbers_and_flags_that_mean_nothing_are_refused_before_anything_is_asked() {
    let doorward = home();
    let request = ["capability", "request", "--resource", "secret:/a", "--action", "read"];
    for (more, says) in [
        (["--max-uses", "0"], "'--max-uses <N>': 0 is not in 1.."),
        (["--ttl", "0"], "'--ttl <SECONDS>': 0 is not in 1.."),
        (["--constraints", "{\"environment\":{},\"environment\":{}}"], "has a key twice"),
    ] {
        let said = vault(&doorward, &[&request[..], &more].concat()).failed_with(2);
        assert!(said.contains(says), "{said}");
    }
}
