//! Policies and configurations of an agent, and the programs of the seed that ask it.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Doorward;

use crate::agent::{REQUEST, socket, started, vault};
use crate::home;

#[test]
fn policies_are_read_again_and_wrong_ones_change_nothing() {
    let doorward = home();
    let policies = doorward.folder().join(".aether-vault/policies");
    let running = started(&doorward, &[]);
    assert!(policies.is_dir());
    let granted = |doorward: &Doorward| {
        vault(doorward, &[&REQUEST[..], &["--format", "json"]].concat()).json()["status"] == "granted"
    };
    assert!(!granted(&doorward));
    crate::write(policies.join("default.json"), POLICY);
    let told = vault(&doorward, &["agent", "reload"]).succeeded();
    assert!(told.starts_with("Reloading Aether Vault Agent...\nConfiguration reloaded from "), "{told}");
    assert!(told.contains("Policy engine restarted with 1 policies\n"), "{told}");
    assert!(told.ends_with("Agent reloaded successfully\n"), "{told}");
    assert!(granted(&doorward));
    crate::write(
        policies.join("wrong.json"),
        "{\"id\":\"wrong\",\"rules\":[{\"id\":\"x\",\"effect\":\"perhaps\"}]}",
    );
    let said = vault(&doorward, &["agent", "reload"]).failed_with(2);
    assert!(said.contains("wrong.json"), "{said}");
    assert!(granted(&doorward));
    std::fs::remove_file(policies.join("wrong.json")).unwrap();
    std::fs::remove_file(policies.join("default.json")).unwrap();
    running.reload();
    let until = std::time::Instant::now() + crate::HANG;
    while granted(&doorward) {
        assert!(std::time::Instant::now() < until, "SIGHUP reads them again");
    }
    assert!(running.stop().success());
}

#[test]
fn the_audit_log_that_is_named_is_the_one_that_is_written_and_nothing_is_warned_of() {
    let doorward = home();
    let log = doorward.folder().join("audit.log");
    let mut command = doorward.command_as("vault");
    command.args(["agent", "start", "--format", "json", "--mode", "development"]);
    command.env("VAULT_AGENT_AUDIT_FILE", &log);
    let running = doorward.start(command);
    let _ = vault(&doorward, &REQUEST).succeeded();
    let aside = doorward.folder().join("aside.log");
    std::fs::rename(&log, &aside).unwrap();
    let _ = vault(&doorward, &REQUEST).succeeded();
    for file in [&log, &aside] {
        let lines = std::fs::read_to_string(file).unwrap();
        assert_eq!(lines.lines().count(), 1, "{}: {lines}", file.display());
    }
    assert!(running.stop().success());
    let printed = String::from_utf8(doorward.printed()).unwrap();
    assert!(!printed.contains("audit log is written"), "{printed}");
}

#[test]
fn what_start_refuses_is_not_valid_and_the_hint_is_about_this_file() {
    let doorward = home();
    let config = doorward.folder().join("agent.yaml");
    let checked = || vault(&doorward, &["agent", "config", "--validate", "--config", "agent.yaml"]);
    for name in ["uid:0", "run:abc"] {
        crate::write(&config, &format!("identities:\n  - {{name: \"{name}\", uid: 1}}\n"));
        let started = vault(&doorward, &["agent", "start", "--config", "agent.yaml"]);
        assert!(!started.status.success() && !checked().status.success(), "{name}");
    }
    crate::write(&config, "mode: standard\nmodes: x\n");
    let said = vault(&doorward, &["agent", "start", "--config", "agent.yaml"]).failed_with(1);
    assert!(said.contains("hint: `vault agent config --generate`") && !said.contains("schema"), "{said}");
    assert!(!said.contains("invalid YAML"), "{said}");
    crate::write(&config, "mode: [standard\n");
    let said = vault(&doorward, &["agent", "start", "--config", "agent.yaml"]).failed_with(1);
    assert!(said.starts_with("Error: Failed to load configuration: invalid YAML"), "{said}");
}

#[test]
fn the_configuration_that_is_shown_is_that_of_the_agent_that_runs() {
    let doorward = home();
    crate::write(doorward.folder().join("hard.yaml"), "mode: hardened\n");
    crate::write(doorward.folder().join("agent.yaml"), "mode: standard\n");
    let shown = || vault(&doorward, &["agent", "config", "--format", "json"]);
    let before = shown();
    assert!(before.stderr.contains("No agent answers here"), "{}", before.stderr);
    assert_eq!(before.json()["mode"], "standard");
    let running = started(&doorward, &["--config", "hard.yaml"]);
    let after = shown().json();
    assert_eq!(after["mode"], "hardened");
    assert!(after["audit"]["log_file"].as_str().unwrap().ends_with("/.aether-vault/audit.log"));
    let named = vault(&doorward, &["agent", "config", "--format", "json", "--config", "agent.yaml"]);
    assert_eq!(named.json()["mode"], "standard");
    assert!(running.stop().success());
}

#[test]
fn a_second_revocation_tells_the_first_and_hints_are_commands_of_the_link() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let granted = vault(&doorward, &[&REQUEST[..], &["--format", "json"]].concat()).json();
    let id = granted["capability"]["id"].as_str().unwrap().to_owned();
    let revoke =
        |reason: &str| vault(&doorward, &["capability", "revoke", &id, "--reason", reason]).succeeded();
    assert!(revoke("first").ends_with("revoked successfully\nReason: first\n"));
    let again = revoke("second");
    assert!(again.contains("was revoked already, by ") && again.ends_with("\nReason: first\n"), "{again}");
    let unknown = "cap_01jdx0c3f0abcdefghjkmnpqrs";
    let said = vault(&doorward, &["capability", "validate", unknown]).stderr;
    assert!(!said.contains("`doorward capability"), "{said}");
    let said = vault(&doorward, &["capability", "revoke", unknown, "--reason", "x"]).stderr;
    assert!(said.contains("hint: `vault capability list`"), "{said}");
    let said = vault(&doorward, &["capability", "list", "--status", "revoke"]).stderr;
    assert!(said.contains("`--status` is one of") && said.contains("did you mean `revoked`?"), "{said}");
    assert!(running.stop().success());
}

/// The default policy of the seed's documents.
const POLICY: &str = r#"{"id":"default","name":"Default Policy","description":"","version":"1.0","status":"active",
 "rules":[{"id":"allow-local","name":"Allow local","description":"","effect":"allow","resources":["secret:*"],
           "actions":["*"],"identities":["*"],"conditions":[],"priority":100,"metadata":{}}],"metadata":{}}"#;

#[test]
fn a_configuration_is_written_checked_and_shown() {
    let doorward = home();
    let generated = vault(&doorward, &["agent", "config", "--generate", "--output", "new.yaml"]);
    assert!(generated.status.success() && generated.stdout.is_empty());
    let told = vault(&doorward, &["agent", "config", "--validate", "--config", "new.yaml"]).succeeded();
    assert!(told.starts_with("Validating configuration: new.yaml\n"), "{told}");
    assert_eq!(told.lines().filter(|line| line.starts_with("✓ ")).count(), 6);
    assert!(told.ends_with("Configuration is valid\n"), "{told}");
    crate::write(doorward.folder().join("old.yaml"), "capability_engine: {signing_algorithm: ed25519}\n");
    let told = vault(&doorward, &["agent", "config", "--validate", "--config", "old.yaml"]).succeeded();
    assert!(told.contains("`capability_engine.signing_algorithm` has no effect"), "{told}");
    crate::write(doorward.folder().join("bad.yaml"), "mode: standard\nmodes: x\n");
    let said = vault(&doorward, &["agent", "start", "--config", "bad.yaml"]).failed_with(1);
    assert!(
        said.starts_with("Error: Failed to load configuration: ") && said.contains("bad.yaml:2"),
        "{said}"
    );
    let shown = vault(&doorward, &["agent", "config"]).succeeded();
    assert!(shown.starts_with("Agent Configuration:\n") && shown.contains("  Max TTL: 3600\n"), "{shown}");
    let document = vault(&doorward, &["agent", "config", "--format", "json"]).json();
    assert_eq!(document["socket_path"], socket(&doorward).to_str().unwrap());
}

#[test]
fn the_programs_of_the_seed_run_as_they_are() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    for (program, file) in [("python3", "app.py"), ("node", "app.js")] {
        let mut command = on_path(&doorward, program);
        command.arg(fixture(file)).env("APP_ID", "app123");
        let told = doorward.run_command(command, "").succeeded();
        for line in ["valid true", "identity app123", "Using capability cap_", "revoked true", "valid false"]
        {
            assert!(told.to_lowercase().contains(&line.to_lowercase()), "{program}: no `{line}` in\n{told}");
        }
        if program == "python3" {
            assert!(told.contains("cached True"), "{told}");
            assert!(
                told.contains(
                    "Capability denied: Invalid request: TTL exceeds maximum allowed: 3600 seconds"
                ),
                "{told}"
            );
        } else {
            assert!(told.contains("requests 1\nrequests 2 true\n"), "{told}");
        }
    }
    assert!(running.stop().success());
}

#[test]
fn the_integration_test_of_the_seed_leaves_nothing_behind() {
    let doorward = home();
    let path = doorward.folder().join("run/test-vault.sock");
    let mut command = on_path(&doorward, "sh");
    command.arg(fixture("integration-test.sh")).env("SOCKET", &path);
    command.args(["vault", "--socket-path"]).arg(&path).args(REQUEST);
    let output = doorward.run_command(command, "");
    let told = output.succeeded();
    assert!(told.contains("Status: granted") && told.contains("agent ended with 0"), "{told}");
    assert!(!told.contains("left behind"), "{told}");
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agent").join(name)
}

/// Another program, for which `vault` is the binary under test.
fn on_path(doorward: &Doorward, program: &str) -> Command {
    let ours = doorward.command_as("vault");
    let mut command = Command::new(program);
    command.env_clear().current_dir(doorward.folder());
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}
