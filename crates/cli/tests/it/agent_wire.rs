//! The agent against programs that speak its protocol byte by byte, well and badly; and against supervisors.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::Doorward;

use crate::agent::{REQUEST, started, vault};
use crate::home;

struct Spoken {
    stream: BufReader<UnixStream>,
}

impl Spoken {
    fn with(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(crate::HANG)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    fn message(&mut self, id: &str, kind: &str, payload: &Value) {
        let line = json!({ "version": "1.0", "type": kind, "id": id, "payload": payload });
        self.send(format!("{line}\n").as_bytes());
    }

    /// The next answer; `None` at the end.
    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).unwrap_or_default();
        (read > 0).then(|| serde_json::from_str(&line).unwrap())
    }
}

#[test]
fn a_thousand_requests_on_one_connection_are_answered_in_order() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let mut spoken = Spoken::with(&running.socket);
    for round in 0..10 {
        for n in 0..100 {
            let kind = if n % 10 == 0 { "capability_list" } else { "ping_request" };
            spoken.message(&format!("{round}-{n}"), kind, &json!({}));
        }
        for n in 0..100 {
            assert_eq!(spoken.answer().unwrap()["id"], format!("{round}-{n}"));
        }
    }
    spoken.message("s", "status_request", &json!({}));
    let status = spoken.answer().unwrap();
    assert_eq!(status["type"], "status_response");
    assert_eq!(status["payload"]["connections"], 1);
    assert_eq!(status["payload"]["authenticated"], true);
    assert_eq!(status["payload"]["socket_path"], running.socket.to_str().unwrap());
    drop(spoken);
    assert!(running.stop().success());
}

#[test]
fn what_an_agent_does_not_understand_it_says_once() {
    let doorward = home();
    let canary = doorward.plant("frame");
    let running = started(&doorward, &["--mode", "development"]);
    for bad in [
        format!("{{\"{canary}\"]\n"),
        format!("{{\"version\":\"1.0\",\"type\":\"ping_request\",\"id\":\"1\",\"extra\":\"{canary}\"}}\n"),
        "{\"version\":\"1.0\",\"type\":\"ping_request\",\"id\":\"1\",\"id\":\"2\"}\n".to_owned(),
        " null\n".to_owned(),
        "not json\n".to_owned(),
        "[]\n".to_owned(),
        "[\"1.0\",\"ping_request\",\"1\",null,null,null]\n".to_owned(),
        "\u{feff}{}\n".to_owned(),
        "1\n".to_owned(),
        "get / HTTP/1.1\n".to_owned(),
        format!("{}\n", "{".repeat(100_000)),
    ] {
        let mut spoken = Spoken::with(&running.socket);
        spoken.send(bad.as_bytes());
        spoken.message("2", "ping_request", &json!({}));
        let answer = spoken.answer().unwrap();
        assert_eq!(answer["type"], "error_response");
        let error = answer["payload"]["error"].as_str().unwrap();
        assert!(error.starts_with("invalid request format: ") && !error.contains(&canary), "{error}");
        assert!(spoken.answer().is_none());
    }
    let mut spoken = Spoken::with(&running.socket);
    spoken.message("1", "capability_steal", &json!({ "of": canary }));
    assert_eq!(
        spoken.answer().unwrap()["payload"],
        json!({ "error": "unknown message type", "type": "capability_steal" })
    );
    spoken.message(
        "2",
        "capability_request",
        &json!({ "resource": "secret:/a", "actions": ["read"], "colour": 1 }),
    );
    let error = spoken.answer().unwrap();
    assert_eq!(error["type"], "error_response");
    assert!(error["payload"]["error"].as_str().unwrap().contains("colour"), "{error}");
    for (kind, payload) in [
        ("capability_request", json!({ "resource": "secret:/a", "actions": ["read"], "ttl": canary })),
        ("capability_use", json!({ "capability_id": "cap_x", "request": canary })),
        ("capability_request", json!({ "resource": "secret:/a", "actions": ["read"], "holder": canary })),
    ] {
        spoken.message("4", kind, &payload);
        let error = spoken.answer().unwrap()["payload"]["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with("invalid payload format: ") && !error.contains(&canary), "{error}");
    }
    spoken.message("3", "ping_request", &json!({}));
    assert_eq!(spoken.answer().unwrap()["payload"]["message"], "pong");
    drop(spoken);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_frame_of_two_mebibytes_is_refused_and_the_agent_goes_on() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let mut spoken = Spoken::with(&running.socket);
    let mut writing = spoken.stream.get_ref().try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let _ = writing.write_all(b"{");
        let _ = writing.write_all(&vec![b' '; 2 << 20]);
    });
    let answer = spoken.answer().unwrap();
    assert_eq!(answer["payload"]["error"], "invalid request format: the frame is larger than 1048576 bytes");
    assert!(spoken.answer().is_none());
    drop(spoken);
    writer.join().unwrap();
    assert!(vault(&doorward, &REQUEST).status.success());
    assert!(running.stop().success());
}

#[test]
fn one_connection_too_many_is_told_so() {
    let doorward = home();
    crate::write(
        doorward.folder().join("agent.yaml"),
        "mode: development\nipc: {max_connections: 3, conn_timeout: 600}\n",
    );
    let running = started(&doorward, &["--config", "agent.yaml"]);
    let mut open: Vec<Spoken> = (0..3).map(|_| Spoken::with(&running.socket)).collect();
    for spoken in &mut open {
        spoken.message("1", "ping_request", &json!({}));
        assert_eq!(spoken.answer().unwrap()["payload"]["message"], "pong");
    }
    let mut fourth = Spoken::with(&running.socket);
    fourth.message("1", "ping_request", &json!({}));
    let answer = fourth.answer().unwrap();
    assert_eq!(answer["payload"]["code"], "rate_limited", "{answer}");
    assert!(fourth.answer().is_none());
    // Where one of the three has left, there is room again, as soon as that was seen.
    drop(open.pop());
    let until = std::time::Instant::now() + crate::HANG;
    while !vault(&doorward, &REQUEST).status.success() {
        assert!(std::time::Instant::now() < until, "there is no room");
    }
    drop(open);
    assert!(running.stop().success());
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let doorward = home();
    crate::write(doorward.folder().join("agent.yaml"), "mode: development\nipc: {conn_timeout: 1}\n");
    let running = started(&doorward, &["--config", "agent.yaml"]);
    assert!(Spoken::with(&running.socket).answer().is_none());
    assert!(running.stop().success());
}

#[test]
fn a_rate_holds_for_everybody_where_it_says_so() {
    let doorward = home();
    let config =
        "mode: development\nipc: {rate_limit: {requests_per_second: 0.001, burst: 5, everybody: true}}\n";
    crate::write(doorward.folder().join("agent.yaml"), config);
    let running = started(&doorward, &["--config", "agent.yaml"]);
    let mut spoken = Spoken::with(&running.socket);
    for n in 0..7 {
        spoken.message("1", "ping_request", &json!({}));
        let answer = spoken.answer().unwrap();
        let expected = if n < 5 { "ping_response" } else { "error_response" };
        assert_eq!(answer["type"], expected, "{n}");
    }
    drop(spoken);
    assert!(running.stop().success());
}

#[test]
fn http_is_spoken_on_the_same_socket() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development"]);
    let mut stream = UnixStream::connect(&running.socket).unwrap();
    stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("\"unsealed\""), "{text}");
    assert!(running.stop().success());
}

#[test]
fn a_supervisor_is_told_and_its_socket_is_taken() {
    let doorward = home();
    let notify = doorward.folder().join("notify");
    let listening = UnixDatagram::bind(&notify).unwrap();
    listening.set_read_timeout(Some(crate::HANG)).unwrap();
    let path = doorward.folder().join("handed.sock");
    let mut command = handing(&doorward, &path);
    // A thread takes what comes at once, as a supervisor does: a queue that is full loses what is told next.
    let (told, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok(read) = listening.recv(&mut bytes)
            && told.send(String::from_utf8_lossy(&bytes[..read]).into_owned()).is_ok()
        {}
    });
    command.env("NOTIFY_SOCKET", &notify).env("WATCHDOG_USEC", "2000000");
    let running = doorward.start(command);
    let heard = |word: &str| {
        let until = std::time::Instant::now() + crate::HANG;
        while !hears.recv_timeout(crate::HANG).unwrap().contains(word) {
            assert!(std::time::Instant::now() < until, "`{word}` was never told");
        }
    };
    heard("READY=1");
    heard("WATCHDOG=1");
    let mut spoken = Spoken::with(&path);
    spoken.message("1", "ping_request", &json!({}));
    assert_eq!(spoken.answer().unwrap()["payload"]["message"], "pong");
    running.reload();
    heard("RELOADING=1");
    heard("READY=1");
    drop(spoken);
    let stopping = std::thread::spawn(move || running.stop());
    heard("STOPPING=1");
    assert!(stopping.join().unwrap().success());
    // It belongs to whoever bound it.
    assert!(path.exists());
}

/// The agent as a supervisor starts it: the listening socket is its descriptor 3, and `LISTEN_PID` is its own number.
fn handing(doorward: &Doorward, path: &Path) -> Command {
    let ours = doorward.command_as("vault");
    let mut command = Command::new("python3");
    command.env_clear().current_dir(doorward.folder());
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["-c", SUPERVISOR]).arg(path);
    command
}

const SUPERVISOR: &str = "
import os, socket, sys
bound = socket.socket(socket.AF_UNIX)
bound.bind(sys.argv[1])
bound.listen()
os.dup2(bound.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execvp('vault', ['vault', 'agent', 'start', '--mode', 'development', '--format', 'json', '--socket-path', sys.argv[1]])
";

#[test]
fn numbers_are_shown_on_a_door_of_their_own() {
    let doorward = home();
    let running = started(&doorward, &["--mode", "development", "--metrics", "127.0.0.1:0"]);
    assert!(vault(&doorward, &REQUEST).status.success());
    let url = running.ready["metrics"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(&url).unwrap();
    stream
        .write_all(format!("GET /metrics HTTP/1.1\r\nhost: {url}\r\nconnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    for name in [
        "vault_agent_capabilities_total",
        "vault_agent_capabilities_active",
        "vault_agent_policy_evaluations_total",
        "vault_agent_audit_events_total",
        "vault_agent_ipc_connections_active",
        "vault_agent_memory_usage_bytes",
        "vault_agent_cpu_usage_percent",
        "vault_agent_capability_requests_total",
        "vault_agent_capability_grants_total",
        "vault_agent_capability_denials_total",
        "vault_agent_validation_requests_total",
        "vault_agent_validation_success_total",
        "vault_agent_validation_failures_total",
        "vault_agent_cache_hits_total",
        "vault_agent_cache_misses_total",
        "doorward_calls_total",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "no `{name}` in\n{text}");
    }
    assert!(text.contains("vault_agent_capability_grants_total 1\n"), "{text}");
    assert!(text.trim_end().ends_with("# EOF"), "{text}");
    assert!(running.stop().success());
}

#[test]
fn what_is_asked_for_in_advance_is_there_at_once() {
    let doorward = home();
    let requests = "- {resource: \"secret:/db/primary\", actions: [read], ttl: 3600}\n- {resource: \"log:/app\", actions: [write]}\n";
    crate::write(doorward.folder().join("ahead.yaml"), requests);
    let running = started(&doorward, &["--mode", "development", "--preauthorize", "ahead.yaml"]);
    let until = std::time::Instant::now() + crate::HANG;
    loop {
        let listed =
            vault(&doorward, &["capability", "list", "--status", "active", "--format", "json"]).json();
        if listed["count"] == 2 {
            break;
        }
        assert!(std::time::Instant::now() < until, "{listed}");
    }
    assert!(running.stop().success());
    crate::write(doorward.folder().join("ahead.yaml"), "- resource\n");
    let said = vault(&doorward, &["agent", "start", "--preauthorize", "ahead.yaml"]).failed_with(1);
    assert!(said.contains("ahead.yaml:1"), "{said}");
}
