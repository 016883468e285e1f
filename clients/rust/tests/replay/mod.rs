//! Plays the scripts of `clients/conformance`: the other end, the placeholders, the words for failures.
#![expect(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doorward_client::{
    Agent, Capability, CapabilityResponse, Error, Revoke, Settings, UseRequest, secure_use,
};
use serde_json::{Map, Value, json};

/// One of the scripts.
pub fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `clients/conformance`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

/// `scripted.py`, playing one scenario.
pub struct Scripted {
    pub path: PathBuf,
    folder: PathBuf,
    process: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Scripted {
    pub fn play(scenario: &Value) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(format!("/tmp/dw-rs-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("s");
        let mut process = Command::new("python3")
            .arg(self::folder().join("scripted.py"))
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        writeln!(input, "{scenario}").unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut scripted = Self { path, folder, process, input: Some(input), lines };
        scripted.wait("ready");
        scripted
    }

    pub fn wait(&mut self, word: &str) {
        assert_eq!(self.line(), word);
    }

    /// What it got.
    pub fn end(&mut self) -> Value {
        drop(self.input.take());
        serde_json::from_str(&self.line()).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An agent at this socket.
pub fn agent(path: &Path, seconds: f64) -> Agent {
    let timeout = Duration::from_secs_f64(seconds);
    Agent::with(Settings { socket: Some(path.to_owned()), timeout, ..Settings::default() })
}

/// Makes a call by the words of the scripts: its answer as JSON, or the failure.
pub fn outcome(agent: &Agent, name: &str, args: &Value) -> Value {
    call(agent, name, args).unwrap_or_else(|error| json!({ "error": failed(&error) }))
}

fn call(agent: &Agent, name: &str, args: &Value) -> Result<Value, Error> {
    let text = |key: &str| args[key].as_str().map(grown);
    let typed = |value: &Value| serde_json::from_value(value.clone()).unwrap_or_default();
    let object = |key: &str| args[key].as_object().cloned();
    let id = text("capability_id").unwrap_or_default();
    let resource = text("resource");
    match name {
        "ping" => agent.ping().map(|()| json!({})),
        "status" => agent.status(),
        "agent_status" => agent.agent_status(),
        "request" => {
            agent.request(&serde_json::from_value(args.clone()).unwrap()).map(|answer| response(&answer))
        }
        "validate" => agent.validate(&id).map(|answer| json!(answer)),
        "revoke" => {
            let reason = text("reason").unwrap_or_default();
            agent.revoke(&id, &reason).map(|()| json!({ "status": "revoked" }))
        }
        "list" => agent.list(&serde_json::from_value(args["filter"].clone()).unwrap()).map(|list| {
            let all: Vec<Value> = list.capabilities.iter().map(capability).collect();
            json!({ "capabilities": all, "count": list.count, "limit": list.limit })
        }),
        "narrow" => {
            agent.narrow(&id, &serde_json::from_value(args.clone()).unwrap()).map(|answer| response(&answer))
        }
        "use" => {
            let headers: BTreeMap<String, String> = typed_map(&args["headers"]);
            let request = UseRequest {
                integration: text("integration").unwrap_or_default(),
                method: text("method").unwrap_or_default(),
                path: text("path").unwrap_or_default(),
                headers,
                body: text("body").map(String::into_bytes),
                action: text("action"),
            };
            agent.use_request(&id, &request).map(|answer| used(&answer))
        }
        "use_tool" => {
            let inputs: Map<String, Value> = typed(&args["inputs"]);
            agent.use_tool(&id, &text("name").unwrap_or_default(), &inputs).map(|answer| used(&answer))
        }
        "read_secret" => agent.read_secret(&id, resource.as_deref()).map(|answer| {
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let value = answer.value.map(|secret| secret.expose(shown));
            bare(json!({ "status": answer.status, "message": answer.message, "value": value }))
        }),
        "append_log" => {
            let message = text("message").unwrap_or_default();
            let answer = agent.append_log(&id, &message, object("fields").as_ref(), resource.as_deref());
            answer.map(|answer| json!(answer))
        }
        "secure_use" => {
            let revoke = if args["revoke"] == true { Revoke::Afterwards } else { Revoke::No };
            secure_use(agent, &id, revoke, || Ok(json!({ "ran": true })))
        }
        other => panic!("the scripts know no call `{other}`"),
    }
}

fn typed_map(value: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// Without what is null.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().filter(|(_, member)| !member.is_null()).collect(),
        other => other,
    }
}

fn response(answer: &CapabilityResponse) -> Value {
    bare(json!({
        "status": answer.status, "message": answer.message, "request_id": answer.request_id,
        "capability": answer.capability.as_ref().map(capability), "policy_result": answer.policy_result,
    }))
}

fn capability(of: &Capability) -> Value {
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    bare(json!({
        "id": of.id, "expires_at": of.expires_at, "type": of.r#type, "resource": of.resource, "actions": of.actions,
        "identity": of.identity, "issuer": of.issuer, "issued_at": of.issued_at, "ttl": of.ttl,
        "max_uses": of.max_uses, "used_count": of.used_count, "parent": of.parent,
        "token": of.token.as_ref().map(|token| token.expose(shown)), "constraints": of.constraints,
    }))
}

fn used(answer: &doorward_client::UseResult) -> Value {
    bare(json!({
        "status": answer.status, "message": answer.message, "http_status": answer.http_status,
        "headers": answer.headers, "body": answer.body, "exit": answer.exit, "stdout": answer.stdout,
        "stderr": answer.stderr, "evidence": answer.evidence, "uses_left": answer.uses_left,
    }))
}

/// `<large:N>` stands for a text of N letters.
fn grown(text: &str) -> String {
    let large = text.strip_prefix("<large:").and_then(|rest| rest.strip_suffix('>'));
    large.map_or_else(|| text.to_owned(), |length| "x".repeat(length.parse().unwrap()))
}

fn failed(error: &Error) -> Value {
    let mut told = json!({ "kind": error.kind(), "contains": error.to_string() });
    if let Error::Refused { code, hint, evidence, .. } = error {
        told["code"] = json!(code);
        told["hint"] = json!(hint);
        told["evidence"] = json!(evidence);
    }
    told
}

/// Every key that is expected is there, and placeholders fit.
pub fn agrees(expected: &Value, found: &Value, place: &str) {
    match expected {
        Value::Object(members) => {
            for (key, value) in members {
                let there =
                    found.get(key).unwrap_or_else(|| panic!("{place}: `{key}` is missing in {found}"));
                if key == "contains" {
                    let (text, part) = (there.as_str().unwrap(), value.as_str().unwrap());
                    assert!(text.contains(part), "{place}: {text:?} has no {part:?}");
                } else {
                    agrees(value, there, &format!("{place}.{key}"));
                }
            }
        }
        Value::Array(entries) => {
            let list = found.as_array().unwrap_or_else(|| panic!("{place}: {found} is no list"));
            assert_eq!(list.len(), entries.len(), "{place}: {found}");
            for (at, value) in entries.iter().enumerate() {
                agrees(value, &list[at], &format!("{place}[{at}]"));
            }
        }
        Value::String(text) if text.starts_with('<') && text.ends_with('>') => {
            let shown = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            let (name, part) =
                text[1..text.len() - 1].split_once(':').unwrap_or((&text[1..text.len() - 1], ""));
            let fits = match name {
                "any" => true,
                "text" => !shown.is_empty(),
                "cap" => shown.starts_with("cap_") && shown.len() > 4,
                "token" => shown.starts_with("cap1_"),
                "time" => shown.len() == 20 && shown.ends_with('Z') && shown.as_bytes()[10] == b'T',
                "has" => shown.contains(part),
                other => panic!("no placeholder `{other}`"),
            };
            assert!(fits, "{place}: {found} is no {text}");
        }
        other => assert_eq!(found, other, "{place}"),
    }
}
