//! What an agent's capabilities do not reach, and who may not keep others out.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;
use testkit::{Doorward, Upstream};

use crate::agent::{started, vault};
use crate::home;
use crate::tenant_rounds::eventually;

/// A home with the integration `echo`, its credential, and a broker that has ended.
fn with_echo(doorward: &Doorward, upstream: &Upstream) {
    doorward.watch(upstream.canary());
    let running = crate::session::with_upstream(doorward, upstream);
    let _ = doorward.run(&["secret", "put", "echo/token"], upstream.canary()).succeeded();
    assert!(running.stop().success());
}

fn asked(doorward: &Doorward, words: &[&str]) -> Value {
    let output = vault(doorward, &[words, &["--format", "json"]].concat());
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
}

#[test]
fn a_denied_execute_is_not_reached_by_a_capability_to_read() {
    let (doorward, upstream) = (home(), Upstream::start());
    with_echo(&doorward, &upstream);
    let policies = doorward.folder().join(".aether-vault/policies");
    std::fs::create_dir_all(&policies).unwrap();
    crate::write(policies.join("app.yaml"), LOOK);
    let running = started(&doorward, &[]);
    let request = |action| {
        asked(&doorward, &["capability", "request", "--resource", "secret:/echo/token", "--action", action])
    };
    assert_eq!(request("execute")["status"], "denied");
    let granted = request("read");
    let id = granted["capability"]["id"].as_str().unwrap();
    let narrowed = asked(&doorward, &["capability", "narrow", id, "--action", "execute"]);
    assert_eq!(narrowed["status"], "denied", "{narrowed}");
    let used = |words: [&str; 2]| {
        asked(&doorward, &[&["capability", "use", id, "--integration", "echo"], &words[..]].concat())
    };
    for refused in [["POST", "/echo"], ["DELETE", "/echo"], ["GET", "/nowhere"]] {
        let said = used(refused);
        assert!(said.to_string().contains("takes the action `execute`"), "{refused:?}: {said}");
    }
    assert_eq!(used(["GET", "/echo"])["http_status"], 200);
    assert!(running.stop().success());
}

const LOOK: &str = "id: app\nrules:\n  \
    - {id: look, effect: allow, resources: [\"secret:*\"], actions: [read], identities: [\"*\"], priority: 100}\n  \
    - {id: no-writes, effect: deny, resources: [\"secret:*\"], actions: [execute], identities: [\"*\"], priority: 200}\n";

#[test]
fn lines_that_are_taken_from_the_audit_log_are_missed_also_where_nothing_ran() {
    let doorward = home();
    let log = doorward.folder().join(".aether-vault/audit.log");
    let ask = |name: &str| {
        let resource = format!("secret:/{name}");
        let words = ["capability", "request", "--resource", &resource, "--action", "read"];
        let _ = vault(&doorward, &words).succeeded();
    };
    let cut = || {
        let text = std::fs::read_to_string(&log).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        crate::write(&log, &(lines[..lines.len() - 1].join("\n") + "\n"));
    };
    let verified = || doorward.run(&["evidence", "verify-audit", log.to_str().unwrap()], "");
    let running = started(&doorward, &["--mode", "development"]);
    ask("a1");
    ask("a2");
    assert!(verified().status.success());
    assert!(running.stop().success());
    cut();
    assert!(verified().failed_with(1).contains("lines are missing at its end"));
    let running = started(&doorward, &["--mode", "development"]);
    ask("a3");
    let said = verified().failed_with(1);
    assert!(said.contains(":2: lines before this one were removed or replaced"), "{said}");
    let status = asked(&doorward, &["agent", "status"]);
    assert_eq!(status["audit_system"]["status"], "Broken", "{status}");
    assert!(running.stop().success());
    // Set aside whole, as rotations do it, the next one is another file, and the former one still tells.
    std::fs::rename(&log, log.with_extension("1")).unwrap();
    let running = started(&doorward, &["--mode", "development"]);
    ask("a4");
    ask("a5");
    assert!(verified().status.success());
    cut();
    ask("a6");
    assert!(verified().failed_with(1).contains("removed or replaced"));
    assert!(running.stop().success());
}

#[test]
fn what_is_done_while_the_audit_log_takes_no_line_is_said_as_it_is_and_written_later() {
    let doorward = home();
    let log = doorward.folder().join(".aether-vault/audit.log");
    let aside = log.with_extension("aside");
    let running = started(&doorward, &["--mode", "development"]);
    let granted =
        asked(&doorward, &["capability", "request", "--resource", "secret:/db/a", "--action", "read"]);
    let id = granted["capability"]["id"].as_str().unwrap();
    // A folder in its place takes no line, as a full disk takes none.
    std::fs::rename(&log, &aside).unwrap();
    std::fs::create_dir(&log).unwrap();
    let uses = || asked(&doorward, &["capability", "list"])["capabilities"][0]["used_count"].clone();
    let used = vault(&doorward, &["capability", "use", id, "--reveal"]).failed_with(1);
    assert!(used.contains("nothing was done: the audit log"), "{used}");
    assert_eq!(uses(), 0, "a use that was refused costs none");
    let revoked = vault(&doorward, &["capability", "revoke", id, "--reason", "whenfull"]).failed_with(1);
    let wanted = format!("`{id}` is revoked, but its line is still owed: the audit log");
    assert!(revoked.contains(&wanted), "{revoked}");
    assert_eq!(asked(&doorward, &["capability", "validate", id])["valid"], false);
    std::fs::remove_dir(&log).unwrap();
    std::fs::rename(&aside, &log).unwrap();
    let _ = asked(&doorward, &["capability", "request", "--resource", "secret:/db/a", "--action", "read"]);
    let lines = std::fs::read_to_string(&log).unwrap();
    assert_eq!(lines.matches("\"type\":\"capability_revocation\"").count(), 1, "{lines}");
    assert!(doorward.run(&["evidence", "verify-audit", log.to_str().unwrap()], "").status.success());
    assert!(running.stop().success());
}

#[test]
fn a_run_whose_launcher_is_killed_leaves_no_capability() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let mut command = doorward.command();
    command.args(["run", "--resource", "secret:/db/primary", "--action", "read", "--", "sleep", "60"]);
    let mut launcher = command.spawn().unwrap();
    let listed =
        |status: &str| asked(&doorward, &["capability", "list", "--status", status])["count"].clone();
    eventually("the run is open", || listed("active") == 2);
    launcher.kill().unwrap();
    let _ = launcher.wait().unwrap();
    eventually("both are revoked", || listed("revoked") == 2);
    assert_eq!(listed("active"), 0);
    assert!(running.stop().success());
}

#[test]
fn a_client_finds_the_socket_that_the_agents_own_file_names() {
    let doorward = home();
    let folder = doorward.folder().join(".aether-vault");
    std::fs::create_dir_all(&folder).unwrap();
    let elsewhere = doorward.folder().join("elsewhere/agent.sock");
    let file = format!("mode: development\nsocket_path: {}\n", elsewhere.display());
    crate::write(folder.join("agent.yaml"), &file);
    let running = started(&doorward, &[]);
    assert_eq!(running.socket, elsewhere);
    assert_eq!(asked(&doorward, &["agent", "status"])["running"], true);
    assert_eq!(asked(&doorward, &["capability", "list"])["count"], 0);
    let _ = vault(&doorward, &["agent", "stop"]).succeeded();
    assert!(running.stop().success());
}

/// Connects from the folder that it is in as another user, says how many are heard, and holds on until its input ends.
const MANY: &str = r#"
import os, socket, sys
os.chdir(sys.argv[1]); os.setgroups([]); os.setgid(65534); os.setuid(65534)
held, heard = [], 0
for _ in range(12):
    one = socket.socket(socket.AF_UNIX); one.settimeout(30); held.append(one)
    try:
        one.connect("agent.sock")
        one.sendall(b'{"version":"1.0","type":"ping_request","id":"1"}\n')
        heard += b"pong" in one.recv(4096)
    except OSError:
        pass
print(heard, flush=True)
sys.stdin.read()
"#;

#[test]
fn one_user_of_the_sockets_group_keeps_nobody_else_out() {
    if !rustix::process::geteuid().is_root() {
        crate::skip("another-user", "only root may become another user");
        return;
    }
    let doorward = home();
    let file = "mode: development\nipc: {socket_mode: \"0660\", socket_group: 65534, max_connections: 8}\n";
    crate::write(doorward.folder().join("agent.yaml"), file);
    let folder = doorward.folder().join("shared");
    let path = folder.join("agent.sock");
    let running = started(&doorward, &["--config", "agent.yaml", "--socket-path", path.to_str().unwrap()]);
    let mut other = std::process::Command::new("python3");
    other.args(["-c", MANY]).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut other = other.spawn().unwrap();
    let mut heard = String::new();
    let _ = BufReader::new(other.stdout.take().unwrap()).read_line(&mut heard).unwrap();
    assert_eq!(heard.trim(), "4");
    let words = ["agent", "status", "--socket-path", path.to_str().unwrap()];
    // Those that were refused are there until they have been told so.
    eventually("the status answers", || asked(&doorward, &words)["running"] == true);
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    assert!(running.stop().success());
}

#[test]
fn what_is_refused_before_it_is_an_operation_has_a_line_too() {
    let doorward = home();
    let log = doorward.folder().join(".aether-vault/audit.log");
    let running = started(&doorward, &["--mode", "development"]);
    let canary = doorward.plant("line");
    for _ in 0..3 {
        let mut stream = std::os::unix::net::UnixStream::connect(&running.socket).unwrap();
        std::io::Write::write_all(&mut stream, format!("[\"{canary}\"]\n").as_bytes()).unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        assert!(answer.contains("error_response"), "{answer}");
    }
    let lines = || -> Vec<Value> {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.filter(|line: &Value| line["type"] == "request_refused").collect()
    };
    eventually("there is a line", || !lines().is_empty());
    let line = &lines()[0];
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(line["source_identity"], format!("uid:{uid}"));
    assert_eq!((&line["client"]["uid"], &line["client"]["door"]), (&uid.into(), &"socket".into()));
    assert_eq!((&line["outcome"], &line["error"]), (&"failure".into(), &"bad_request".into()));
    assert!(line["description"].as_str().unwrap().starts_with("invalid request format: "), "{line}");
    let verified = doorward.run(&["evidence", "verify-audit", log.to_str().unwrap()], "");
    assert!(verified.status.success());
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_denial_leaves_no_older_answer_and_wrong_files_are_seen_in_the_status() {
    let doorward = home();
    let policies = doorward.folder().join(".aether-vault/policies");
    let running = started(&doorward, &[]);
    let file = doorward.folder().join("answer.json");
    crate::write(&file, "{\"status\": \"granted\"}");
    let request = ["capability", "request", "--resource", "secret:/a", "--action", "read"];
    let output = ["--output", file.to_str().unwrap()];
    let _ = vault(&doorward, &[&request[..], &output].concat()).failed_with(1);
    assert!(!file.exists());
    let said = vault(&doorward, &[&request[..], &["--holder", "bogus"]].concat()).failed_with(2);
    assert!(said.contains("possible values: uid, cgroup, session"), "{said}");
    let status = || asked(&doorward, &["agent", "status"])["policy_engine"].clone();
    assert_eq!((&status()["status"], &status()["problem"]), (&"Healthy".into(), &Value::Null));
    let wrong = policies.join("wrong.json");
    crate::write(&wrong, "{\"id\": \"wrong\", \"rules\": [{\"id\": \"x\", \"effect\": \"perhaps\"}]}");
    let _ = vault(&doorward, &["agent", "reload"]).failed_with(2);
    assert_eq!(status()["status"], "Degraded");
    assert!(status()["problem"].as_str().unwrap().contains("wrong.json"));
    std::fs::remove_file(&wrong).unwrap();
    let _ = vault(&doorward, &["agent", "reload"]).succeeded();
    assert_eq!(status()["status"], "Healthy");
    assert!(running.stop().success());
}
