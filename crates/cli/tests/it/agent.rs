//! The agent as its users start, ask and stop it, under its own name and under that of the seed.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Doorward, Output, Running};

use crate::home;

/// An agent that was started through the link `vault`, ready.
pub(crate) fn started(doorward: &Doorward, flags: &[&str]) -> Running {
    let mut command = doorward.command_as("vault");
    command.args(["agent", "start", "--format", "json"]).args(flags);
    doorward.start(command)
}

/// One command through the link.
pub(crate) fn vault(doorward: &Doorward, words: &[&str]) -> Output {
    let mut command = doorward.command_as("vault");
    command.args(words);
    doorward.run_command(command, "")
}

/// Where an agent of the seed has its socket.
pub(crate) fn socket(doorward: &Doorward) -> PathBuf {
    doorward.folder().join(".aether-vault/agent.sock")
}

pub(crate) const REQUEST: [&str; 6] =
    ["capability", "request", "--resource", "secret:/db/primary", "--action", "read"];

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_pipelines_of_the_seed_run_in_an_empty_home() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    assert_eq!(running.socket, socket(&doorward));
    let status = vault(&doorward, &["agent", "status", "--wait", "10"]).succeeded();
    assert!(status.contains("  Running: true\n") && status.contains("IPC Server:"), "{status}");
    let words = [
        "capability",
        "request",
        "--resource",
        "secret:/deploy/production",
        "--action",
        "execute",
        "--ttl",
        "600",
        "--identity",
        "github-actions",
        "--purpose",
        "Production deployment",
        "--output",
        "capability.json",
    ];
    let told = vault(&doorward, &words).succeeded();
    assert!(told.starts_with("Capability Request Result:\n  Status: granted\n"), "{told}");
    assert!(!told.contains("cap1_"), "{told}");
    let file = doorward.folder().join("capability.json");
    assert_eq!(mode(&file), 0o600);
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written["status"], "granted");
    assert_eq!(written["capability"]["identity"], "github-actions");
    assert_eq!(written["capability"]["ttl"], 600);
    assert!(written["capability"]["token"].as_str().unwrap().starts_with("cap1_"), "{written}");
    let words = [
        "capability",
        "request",
        "--resource",
        "secret:/build/main",
        "--action",
        "read,write",
        "--ttl",
        "1800",
    ];
    assert!(vault(&doorward, &[&words[..], &["--identity", "jenkins"]].concat()).status.success());

    let told = vault(&doorward, &["agent", "stop"]).succeeded();
    assert!(
        told.starts_with("Stopping Aether Vault Agent...\nIPC server stopped accepting new connections\n"),
        "{told}"
    );
    assert!(told.ends_with("Agent stopped successfully\n"), "{told}");
    assert!(!socket(&doorward).exists());
    let said = vault(&doorward, &["agent", "stop"]).failed_with(1);
    assert!(
        said.starts_with(
            "Error: Failed to connect to agent: connection refused\nAgent is not running or not accessible\n"
        ),
        "{said}"
    );
    assert!(running.stop().success());
}

#[test]
fn a_first_start_keeps_the_recovery_key_beside_the_home_and_says_so() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let recovery = doorward.data().join("recovery");
    assert_eq!((mode(&recovery), mode(&doorward.data().join("key"))), (0o600, 0o600));
    let printed = String::from_utf8(doorward.printed()).unwrap();
    assert!(printed.contains("The recovery key is in"), "{printed}");
    assert!(running.stop().success());
    let key = std::fs::read_to_string(&recovery).unwrap();
    assert!(!String::from_utf8(doorward.printed()).unwrap().contains(key.trim()));
    assert_eq!(doorward.run(&["recovery", "drill", "--json"], &key).json()["status"], "proven");
}

#[test]
fn the_socket_is_told_by_flag_or_variable_and_the_flag_wins() {
    let doorward = home();
    let elsewhere = doorward.folder().join("run/a.sock");
    let elsewhere = elsewhere.to_str().unwrap();
    let running = started(&doorward, &["--mode", "development", "--socket-path", elsewhere]);
    let last = [&REQUEST[..], &["--socket-path", elsewhere]].concat();
    assert!(vault(&doorward, &last).status.success());
    let with = |variable: &str, words: &[&str]| {
        let mut command = doorward.command_as("vault");
        command.env("VAULT_AGENT_SOCKET_PATH", variable).args(words);
        doorward.run_command(command, "")
    };
    assert!(with(elsewhere, &REQUEST).status.success());
    assert!(with("/nowhere", &last).status.success());
    let said = with("/nowhere", &REQUEST).failed_with(1);
    assert!(said.contains("connection refused") && said.contains("/nowhere"), "{said}");
    // Its home's own socket is open as well, so that other commands find it.
    let own = doorward.run(&["capability", "status"], "").succeeded();
    assert!(own.starts_with("Aether Vault Agent Status:\n  Version: "), "{own}");
    assert!(own.ends_with("  - ipc-server\n"), "{own}");
    assert!(running.stop().success());
}

#[test]
fn a_denial_is_an_answer_for_programs_and_a_stop_for_scripts() {
    let doorward = home();
    let running = started(&doorward, &[]);
    crate::tenant_rounds::eventually("the warning is printed", || {
        let printed = String::from_utf8_lossy(&doorward.printed()).into_owned();
        printed.contains("Warning: No policies loaded - all requests will be denied")
    });
    let told = vault(&doorward, &[&REQUEST[..], &["--format", "json"]].concat()).json();
    assert_eq!(told["status"], "denied");
    assert!(!told["message"].as_str().unwrap().is_empty());
    let table = vault(&doorward, &REQUEST);
    assert_eq!(table.status.code(), Some(1));
    assert!(table.stdout.contains("  Status: denied\n"), "{}", table.stdout);
    for format in ["json", "table"] {
        let words = [&REQUEST[..], &["--output", "denied.json", "--format", format]].concat();
        assert_eq!(vault(&doorward, &words).status.code(), Some(1));
        assert!(!doorward.folder().join("denied.json").exists());
    }
    assert!(running.stop().success());
}

#[test]
fn nobody_there_is_said_where_programs_look() {
    let doorward = home();
    for format in ["json", "table", "yaml"] {
        let output = vault(&doorward, &[&REQUEST[..], &["--format", format]].concat());
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(output.stderr.contains("connection refused"), "{}", output.stderr);
    }
    let output = doorward.run(&["agent", "status", "--json"], "");
    assert!(output.stderr.contains("connection refused"), "{}", output.stderr);
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["status"], "failed");
}

#[test]
fn times_end_as_they_should_and_the_longest_is_an_hour() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let told = vault(&doorward, &[&REQUEST[..], &["--ttl", "3600", "--format", "json"]].concat()).json();
    assert_eq!(told["status"], "granted");
    let expires = told["capability"]["expires_at"].as_str().unwrap();
    let form = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$").unwrap();
    assert!(form.is_match(expires), "{expires}");
    let told = vault(&doorward, &[&REQUEST[..], &["--ttl", "3601", "--format", "json"]].concat()).json();
    assert_eq!(told["status"], "denied");
    assert_eq!(told["message"], "Invalid request: TTL exceeds maximum allowed: 3600 seconds");
    let both = ["read,write", "write,read"].map(|actions| {
        let words =
            ["capability", "request", "--resource", "secret:/a", "--action", actions, "--format", "json"];
        vault(&doorward, &words).json()["capability"]["actions"].clone()
    });
    let apart = ["--resource", "secret:/a", "--action", "read", "--action", "write", "--format", "json"];
    let apart = vault(&doorward, &[&["capability", "request"], &apart[..]].concat()).json();
    assert_eq!(both[0], apart["capability"]["actions"]);
    assert_eq!(both[0], both[1]);
    assert!(running.stop().success());
}

#[test]
fn a_capability_is_listed_validated_and_revoked() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let told = vault(&doorward, &[&REQUEST[..], &["--format", "json"]].concat()).json();
    let id = told["capability"]["id"].as_str().unwrap();
    let listed = vault(&doorward, &["capability", "list", "--status", "active"]).succeeded();
    assert!(listed.starts_with("Found 1 capabilities:\n\nID  ") && listed.contains(id), "{listed}");
    let document = vault(&doorward, &["capability", "list", "--format", "json"]).json();
    assert_eq!(
        (&document["count"], &document["limit"], &document["offset"]),
        (&1.into(), &50.into(), &0.into())
    );
    assert_eq!(document["capabilities"][0]["id"], id);
    let valid = vault(&doorward, &["capability", "validate", id]).succeeded();
    assert!(valid.starts_with("Capability Validation Result:\n  Valid: true\n"), "{valid}");
    let revoked = vault(&doorward, &["capability", "revoke", id, "--reason", "Done"]).succeeded();
    assert_eq!(revoked, format!("Capability {id} revoked successfully\nReason: Done\n"));
    let document = vault(&doorward, &["capability", "validate", id, "--format", "json"]).json();
    assert_eq!(document["valid"], false);
    assert_eq!(vault(&doorward, &["capability", "validate", id]).status.code(), Some(1));
    let none = vault(&doorward, &["capability", "list", "--status", "active"]).succeeded();
    assert_eq!(none, "No capabilities found\n");
    assert!(running.stop().success());
}

#[test]
fn both_command_lines_ask_the_same_agent() {
    let doorward = home();
    let mut command = doorward.command();
    command.args(["agent", "start", "--mode", "development", "--json"]);
    let running = doorward.start(command);
    assert_eq!(running.socket, doorward.data().join("socket"));
    let told = doorward.run(&[&REQUEST[..], &["--json"]].concat(), "").json();
    let id = told["capability"]["id"].as_str().unwrap();
    assert_eq!(doorward.run(&["capability", "validate", id, "--json"], "").json()["valid"], true);
    let narrowed =
        doorward.run(&["capability", "list", "--status", "active", "--format", "yaml"], "").succeeded();
    assert!(narrowed.starts_with("---\n") && narrowed.contains(&format!("id: {id}\n")), "{narrowed}");
    // The other form, for the gateway, is still there.
    let own = doorward.run(&["capability", "request", "--for", "ada", "--json"], "").json();
    assert_eq!(own["status"], "granted");
    assert!(own["token"].as_str().unwrap().starts_with("cap1_"));
    for words in [
        &["capability", "request"][..],
        &["capability", "request", "--for", "ada", "--resource", "secret:/a"],
        &["capability", "request", "--resource", "secret:/a"],
        &["capability", "request", "--resource", "secret:/a", "--action", "read", "--uses", "1"],
        &["capability", "request", "--for", "ada", "--ttl", "5"],
        &["capability", "use", "cap_1"],
    ] {
        assert_eq!(doorward.run(words, "").status.code(), Some(2), "{words:?}");
    }
    assert!(running.stop().success());
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let path = socket(&doorward);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let mut second = doorward.command_as("vault");
    second.args(["agent", "start", "--mode", "development", "--home", "other"]);
    let said = doorward.run_command(second, "").failed_with(1);
    assert!(said.starts_with("Error: Failed to start agent: address already in use\n"), "{said}");
    assert!(vault(&doorward, &REQUEST).status.success());
    let _ = running.kill9();
    assert!(std::fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    let running = started(&doorward, &["--mode", "development"]);
    assert!(vault(&doorward, &REQUEST).status.success());
    assert!(running.stop().success());
    assert!(!path.exists() && !doorward.folder().join(".aether-vault/agent.pid").exists());
}

#[test]
fn what_cannot_be_a_socket_is_refused_before_anything_is_made() {
    let doorward = home();
    let long = format!("/tmp/{}/agent.sock", "x".repeat(100));
    let said = vault(&doorward, &["agent", "start", "--socket-path", &long]).failed_with(2);
    assert!(said.contains("Failed to create socket: its path is too long"), "{said}");
    assert!(!doorward.data().exists());
    let open = doorward.folder().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let path = open.join("agent.sock");
    let said = vault(&doorward, &["agent", "start", "--socket-path", path.to_str().unwrap()]).failed_with(1);
    assert!(said.contains("everybody may replace"), "{said}");
}

#[test]
fn a_folder_that_everybody_may_write_is_taken_only_where_that_was_said() {
    let doorward = home();
    let open = doorward.folder().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let path = open.join("agent.sock");
    let told = |word: &str| {
        let mut command = doorward.command_as("vault");
        command.args(["agent", "start", "--format", "json", "--socket-path"]).arg(&path);
        command.env("VAULT_AGENT_DANGEROUS_SHARED_FOLDER", word);
        command
    };
    let said = doorward.run_command(told("yes"), "").failed_with(2);
    assert!(said.contains("neither `true` nor `false`"), "{said}");
    assert!(doorward.run_command(told("false"), "").failed_with(1).contains("everybody may replace"));
    let running = doorward.start(told("true"));
    assert_eq!(running.socket, path);
    assert!(running.stop().success());
}

#[test]
fn an_image_starts_the_agent_however_its_files_name_it() {
    let doorward = home();
    let path = doorward.folder().join("run/agent.sock");
    for words in [&["start"][..], &["agent", "start"], &["vault", "agent", "start"]] {
        let mut command = doorward.command_as("vault-agent");
        command.args(words).args(["--mode", "standard", "--format", "json", "--socket-path"]).arg(&path);
        let running = doorward.start(command);
        assert_eq!(running.socket, path);
        assert!(running.stop().success());
    }
}

#[test]
fn a_group_may_be_let_in_and_nobody_else() {
    let doorward = home();
    let folder = doorward.folder().join("shared");
    let path = folder.join("agent.sock");
    crate::write(doorward.folder().join("agent.yaml"), "mode: development\nipc: {socket_mode: \"0660\"}\n");
    let running = started(&doorward, &["--config", "agent.yaml", "--socket-path", path.to_str().unwrap()]);
    assert_eq!((mode(&path), mode(&folder)), (0o660, 0o750));
    assert!(running.stop().success());
}

#[test]
fn a_daemon_says_that_it_is_ready_and_leaves_its_terminal() {
    let doorward = home();
    let words = ["agent", "start", "--daemon", "--mode", "development", "--metrics", "127.0.0.1:0"];
    let told = vault(&doorward, &words).succeeded();
    for line in
        ["Starting Aether Vault Agent...", "IPC server listening on ", "Agent started successfully (PID: "]
    {
        assert!(told.contains(line), "{told}");
    }
    let pid = std::fs::read_to_string(doorward.folder().join(".aether-vault/agent.pid")).unwrap();
    assert!(told.contains(&format!("(PID: {})", pid.trim())), "{told} {pid}");
    assert!(vault(&doorward, &REQUEST).status.success());
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    assert_eq!(fields[3], pid.trim(), "it leads a session of its own");
    // The terminal of whoever started it is not held: this very run ended.
    assert!(vault(&doorward, &["agent", "stop"]).status.success());
    // Two agents over one home: the second one says why it can't.
    let running = started(&doorward, &["--mode", "development"]);
    let said = vault(&doorward, &["agent", "start", "--daemon"]).failed_with(1);
    assert!(said.contains("address already in use"), "{said}");
    assert!(running.stop().success());
}
