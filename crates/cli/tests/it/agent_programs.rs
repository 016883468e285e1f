//! The program that a caller runs: it takes away, and gives nothing.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::agent::{socket, started, vault};
use crate::home;

/// Asks for capabilities as Python, and says what became of each.
const ASKS: &str = r#"
import json, socket, sys
out = []
for resource in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
    payload = {"resource": resource, "actions": ["read"], "identity": None}
    payload = {k: v for k, v in payload.items() if v}
    s.sendall((json.dumps({"version": "1.0", "type": "capability_request", "id": "1", "payload": payload}) + "\n").encode())
    answer = json.loads(s.makefile().readline())["payload"]
    out.append([answer["status"], (answer.get("capability") or {}).get("identity")])
print(json.dumps(out))
"#;

/// The file that Python runs, and its hash.
fn python() -> (String, String) {
    let script = "import os; print(os.path.realpath('/proc/self/exe'))";
    let output = Command::new("python3").args(["-c", script]).output().expect("python3 is there");
    let path = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let hash = crypto::to_hex(&crypto::sha256(&[&std::fs::read(&path).unwrap()]));
    (path, hash)
}

fn allow(id: &str, who: &str, conditions: &Value) -> Value {
    json!({
        "id": id, "effect": "allow", "resources": [format!("secret:/{id}")], "actions": ["read"],
        "identities": [who], "conditions": conditions,
    })
}

fn fact(key: &str, value: &str) -> Value {
    json!({ "type": "identity", "key": key, "operator": "eq", "value": value })
}

#[test]
fn the_program_that_asks_narrows_a_rule_and_a_name() {
    let doorward = home();
    let (path, hash) = python();
    let uid = rustix::process::getuid().as_raw().to_string();
    let own = format!("uid:{uid}");
    let policies = doorward.folder().join(".aether-vault/policies");
    std::fs::create_dir_all(&policies).unwrap();
    let other = "00".repeat(32);
    let rules = [
        allow("by-path", "*", &json!([fact("exe", &path), fact("uid", &uid)])),
        allow("by-hash", &own, &json!([fact("sha256", &hash.to_uppercase())])),
        allow("by-another-hash", &own, &json!([fact("exe", &path), fact("sha256", &other)])),
        allow("by-name", "snake", &json!([])),
    ];
    crate::write(policies.join("programs.json"), &json!({ "id": "programs", "rules": rules }).to_string());
    let identities =
        json!([{ "name": "snake", "uid": uid.parse::<u32>().unwrap(), "exe": path, "sha256": hash }]);
    let settings = format!("version: \"1.0\"\nidentities: {identities}\n");
    crate::write(doorward.folder().join(".aether-vault/agent.yaml"), &settings);
    let running = started(&doorward, &[]);
    let asked = |resources: &[&str]| -> Value {
        let mut command = Command::new("python3");
        command.args(["-c", ASKS]).arg(socket(&doorward)).args(resources).stdin(Stdio::null());
        let output = command.output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    let resources = ["secret:/by-path", "secret:/by-hash", "secret:/by-another-hash", "secret:/by-name"];
    // Known as `snake`, which is not the name of the rules for the user.
    let granted = json!([["granted", "snake"], ["denied", null], ["denied", null], ["granted", "snake"]]);
    assert_eq!(asked(&resources), granted);
    for resource in resources {
        let words = ["capability", "request", "--resource", resource, "--action", "read", "--format", "json"];
        assert_eq!(vault(&doorward, &words).json()["status"], "denied", "{resource}");
    }
    crate::write(doorward.folder().join(".aether-vault/agent.yaml"), "version: \"1.0\"\n");
    vault(&doorward, &["agent", "reload"]).succeeded();
    let granted = json!([["granted", own], ["granted", own], ["denied", null], ["denied", null]]);
    assert_eq!(asked(&resources), granted);
    // By itself it would be anybody's.
    let alone = json!({ "id": "alone", "rules": [allow("x", "*", &json!([fact("exe", &path)]))] });
    crate::write(policies.join("alone.json"), &alone.to_string());
    let said = vault(&doorward, &["agent", "reload"]).failed_with(2);
    assert!(said.contains("alone.json") && said.contains("only narrow"), "{said}");
    assert!(running.stop().success());
}
