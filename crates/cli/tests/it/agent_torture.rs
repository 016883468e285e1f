//! The agent under load, killed, and told to read its policies again: nothing acknowledged is lost, nothing is made up,
//! nothing is counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Doorward;

use crate::{home, rounds};

/// A running agent; killed when dropped.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(doorward: &Doorward, mode: &str) -> Self {
        let socket = doorward.folder().join("agent.sock");
        let config = doorward.folder().join("agent.yaml");
        crate::write(&config, CONFIG);
        let log = std::fs::File::create(doorward.folder().join("agent.log")).unwrap();
        let mut command = doorward.command();
        command.args(["agent", "start", "--mode", mode]).arg("--config").arg(config);
        command.arg("--socket-path").arg(&socket).arg("--policy-dir").arg(doorward.folder().join("policies"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut agent = Self { child: command.spawn().unwrap(), socket };
        let begun = Instant::now();
        while Wire::open(&agent.socket).and_then(|mut wire| wire.say("ping_request", &json!({}))).is_err() {
            let ended = agent.child.try_wait().unwrap();
            let said = || std::fs::read_to_string(doorward.folder().join("agent.log")).unwrap_or_default();
            assert!(ended.is_none() && begun.elapsed() < LIMIT, "the agent does not answer: {}", said());
            std::thread::yield_now();
        }
        agent
    }

    fn wire(&self) -> Wire {
        Wire::open(&self.socket).unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        let _ = self.child.wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection that speaks the line protocol.
struct Wire(BufReader<UnixStream>);

impl Wire {
    fn open(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The payload of the answer.
    fn say(&mut self, kind: &str, payload: &Value) -> std::io::Result<Value> {
        let message = json!({ "version": "1.0", "type": kind, "id": "m", "payload": payload });
        self.0.get_mut().write_all(format!("{message}\n").as_bytes())?;
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut answer: Value = serde_json::from_str(&line)?;
        Ok(answer["payload"].take())
    }

    fn request(&mut self, resource: &str, action: &str, more: &Value) -> std::io::Result<Value> {
        let mut payload = json!({ "resource": resource, "actions": [action], "ttl": 3600 });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.say("capability_request", &payload)
    }
}

fn id(answer: &Value) -> String {
    answer["capability"]["id"].as_str().unwrap_or_else(|| panic!("no capability in {answer}")).to_owned()
}

#[test]
fn torture_uses_fifty_at_once_of_a_capability_for_ten_are_exactly_ten() {
    let doorward = home();
    let agent = Agent::start(&doorward, "development");
    for round in 0..rounds(10) {
        let granted = agent.wire().request("log:/deploy", "write", &json!({ "max_uses": 10 })).unwrap();
        let name = id(&granted);
        let (at_once, done) = (Barrier::new(50), AtomicU64::new(0));
        std::thread::scope(|threads| {
            for writer in 0..50 {
                let (name, at_once, done, mut wire) = (&name, &at_once, &done, agent.wire());
                threads.spawn(move || {
                    at_once.wait();
                    let message = format!("round {round}, writer {writer}");
                    let answer = wire
                        .say("log_append", &json!({ "capability_id": name, "message": message }))
                        .unwrap();
                    if answer["status"] == "ok" || answer["status"] == "appended" {
                        done.fetch_add(1, Ordering::SeqCst);
                    } else {
                        assert!(answer.to_string().contains("USAGE_LIMIT_EXCEEDED"), "{answer}");
                    }
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 10, "round {round}");
        let checked = agent.wire().say("capability_validate", &json!({ "capability_id": name })).unwrap();
        assert_eq!(checked["valid"], false, "{checked}");
        assert_eq!(checked["errors"][0]["code"], "USAGE_LIMIT_EXCEEDED", "{checked}");
    }
}

/// What was tried and what was acknowledged.
#[derive(Default)]
struct Ledger {
    serial: AtomicU64,
    granted: Mutex<BTreeMap<String, u64>>,
    revoked: Mutex<BTreeSet<String>>,
}

#[test]
fn torture_grants_of_a_killed_agent_are_neither_lost_nor_made_up() {
    let (all, mut done, mut acknowledged) = (rounds(12), 0, 0);
    while done < all {
        let doorward = home();
        let ledger = Ledger::default();
        let share = ROUNDS_OF_A_HOME.min(all - done);
        let mut agent = Agent::start(&doorward, "development");
        for round in 0..share {
            grant_and_kill(&mut agent, &ledger, done + round);
            agent = Agent::start(&doorward, "development");
            look(&agent, &ledger);
        }
        acknowledged += ledger.granted.lock().unwrap().len() as u64;
        done += share;
    }
    println!("grants: {done} rounds, {acknowledged} acknowledged grants, none lost and none made up");
    assert!(acknowledged >= all, "{acknowledged} grants in {all} rounds");
}

fn grant_and_kill(agent: &mut Agent, ledger: &Ledger, round: u64) {
    let pause = Duration::from_micros(RandomState::new().hash_one(round) % 150_000);
    let socket = agent.socket.clone();
    let known = ledger.granted.lock().unwrap().len();
    std::thread::scope(|threads| {
        for _ in 0..WRITERS {
            let socket = &socket;
            threads.spawn(move || {
                let Ok(mut wire) = Wire::open(socket) else { return };
                loop {
                    let serial = ledger.serial.fetch_add(1, Ordering::SeqCst);
                    let more = json!({ "purpose": format!("serial {serial}") });
                    let Ok(answer) = wire.request("secret:/torture/key", "read", &more) else { return };
                    let name = id(&answer);
                    ledger.granted.lock().unwrap().insert(name.clone(), serial);
                    if serial.is_multiple_of(7) {
                        let Ok(answer) = wire.say("capability_revoke", &json!({ "capability_id": name }))
                        else {
                            return;
                        };
                        assert_eq!(answer["status"], "revoked", "{answer}");
                        ledger.revoked.lock().unwrap().insert(name);
                    }
                }
            });
        }
        // Behind the first acknowledged grant the moment of the kill is what is tortured, so it is a time.
        let begun = Instant::now();
        while ledger.granted.lock().unwrap().len() == known && begun.elapsed() < LIMIT {
            std::thread::yield_now();
        }
        std::thread::park_timeout(pause);
        agent.kill();
    });
}

/// Every grant that was acknowledged is there, as it was left; and every one that is there was asked for.
fn look(agent: &Agent, ledger: &Ledger) {
    let (granted, revoked) = (ledger.granted.lock().unwrap(), ledger.revoked.lock().unwrap());
    let mut wire = agent.wire();
    for name in granted.keys() {
        let checked = wire.say("capability_validate", &json!({ "capability_id": name })).unwrap();
        if revoked.contains(name) {
            assert_eq!(checked["valid"], false, "{name} was revoked: {checked}");
        } else if granted[name] % 7 != 0 {
            // Those with a revocation that was not acknowledged may be either.
            assert_eq!(checked["valid"], true, "{name} was granted: {checked}");
        }
    }
    let (tried, mut seen) = (ledger.serial.load(Ordering::SeqCst), BTreeSet::new());
    for offset in (0..).step_by(PAGE) {
        let answer =
            wire.say("capability_list", &json!({ "filter": { "limit": PAGE, "offset": offset } })).unwrap();
        let page = answer["capabilities"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        for capability in &page {
            let purpose = capability["purpose"].as_str().unwrap_or_default();
            let serial: u64 =
                purpose.strip_prefix("serial ").unwrap_or_else(|| panic!("{capability}")).parse().unwrap();
            assert!(serial < tried, "nobody asked for {capability}");
            assert!(seen.insert(serial), "asked for once, granted twice: {capability}");
        }
        if page.len() < PAGE {
            break;
        }
    }
    for (name, serial) in granted.iter() {
        assert!(seen.contains(serial), "{name} is not on the list");
    }
}

#[test]
fn torture_reload_never_shows_half_a_set_of_policies() {
    let doorward = home();
    let policies = doorward.folder().join("policies");
    std::fs::create_dir(&policies).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&policies, std::fs::Permissions::from_mode(0o700)).unwrap();
    put(&policies, "one");
    let agent = Agent::start(&doorward, "standard");
    let (over, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let (over, asked, mut wire) = (&over, &asked, agent.wire());
            threads.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let both = wire.request("secret:/both", "read", &json!({})).unwrap();
                    assert_eq!(both["status"], "granted", "{both}");
                    let policy = both["policy_result"]["applied_policies"][0].as_str().unwrap().to_owned();
                    assert!(policy == "one" || policy == "two", "{both}");
                    let none = wire.request("secret:/none", "read", &json!({})).unwrap();
                    assert_eq!(none["status"], "denied", "{none}");
                    // Each set denies one half in one file, and allows the other in another file.
                    let pair = wire.request("secret:/pair", "read", &json!({})).unwrap();
                    assert_eq!(pair["status"], "denied", "{pair}");
                    asked.fetch_add(3, Ordering::SeqCst);
                }
            });
        }
        let mut wire = agent.wire();
        for round in 0..rounds(40) {
            let before = asked.load(Ordering::SeqCst);
            let (name, good) =
                [("two", true), ("broken", false), ("one", true), ("broken", false)][(round % 4) as usize];
            put(&policies, name);
            let answer = wire.say("agent_reload", &json!({})).unwrap();
            let reloaded =
                answer["status"] == "ok" || answer["status"] == "reloaded" || answer["status"] == "success";
            assert_eq!(reloaded, good, "{name}: {answer}");
            // At least one whole turn is asked under each set.
            let begun = Instant::now();
            while asked.load(Ordering::SeqCst) < before + 3 && begun.elapsed() < LIMIT {
                std::thread::yield_now();
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    println!("reload: {} requests", asked.load(Ordering::SeqCst));
}

/// Writes the two files of a set. The pair is allowed by one file and denied by the other, at a higher priority.
fn put(folder: &Path, name: &str) {
    let rule = |id: &str, effect: &str, resource: &str, priority: u32| json!({ "id": id, "effect": effect, "resources": [resource], "actions": ["read"], "identities": ["*"], "priority": priority });
    let allow = json!({ "id": name, "rules": [rule("both", "allow", "secret:/both", 1), rule("pair", "allow", "secret:/pair", 1)] });
    let deny = json!({ "id": "deny", "rules": [rule("pair", "deny", "secret:/pair", 2)] });
    let allow = if name == "broken" { format!("{allow},") } else { allow.to_string() };
    crate::write(folder.join("deny.json"), &deny.to_string());
    crate::write(folder.join("allow.json"), &allow);
}

const CONFIG: &str = "\
version: \"1.0\"
ipc:
  max_connections: 100
  rate_limit: {requests_per_second: 1000000, burst: 1000000}
health:
  enable_metrics: false
";
const WRITERS: usize = 16;
const ROUNDS_OF_A_HOME: u64 = 50;
const PAGE: usize = 500;
const LIMIT: Duration = Duration::from_secs(60);
