//! One connection to an agent.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::{Code, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::context;
use crate::failure::{Failure, Outcome};

/// A connection to an agent.
pub(crate) struct Connection {
    stream: BufReader<UnixStream>,
    asked: u64,
}

/// An answer: its type, and what it says.
#[derive(Deserialize)]
struct Told {
    version: String,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default)]
    payload: Value,
}

impl Connection {
    /// Connects to the first of these places where somebody answers.
    ///
    /// # Errors
    /// `Failed to connect to agent: connection refused` where nobody does.
    pub(crate) fn connect(places: &[PathBuf]) -> Outcome<Self> {
        Self::connect_within(places, PATIENCE)
    }

    /// The same, with so much time for each step.
    fn connect_within(places: &[PathBuf], patience: Duration) -> Outcome<Self> {
        let mut last = None;
        for place in places {
            match Self::at(place, patience) {
                Ok(client) => return Ok(client),
                Err(error) if is_nobody(&error) => last = last.or(Some((place, error))),
                Err(error) => return Err(unreachable(place, &error)),
            }
        }
        let (place, error) = last.ok_or_else(|| Failure::new("no place is known where an agent could be"))?;
        Err(unreachable(place, &error))
    }

    /// Asks for one thing, tried again until somebody answers or the time is over: also one who takes the connection and then says nothing
    /// has no more of it.
    ///
    /// # Errors
    /// That of the last attempt.
    pub(crate) fn ask_within(places: &[PathBuf], within: Duration, kind: &str) -> Outcome<Value> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(PAUSE);
            match Self::connect_within(places, left.min(PATIENCE)) {
                Err(failure) if Instant::now() >= until => return Err(failure),
                Err(_) => std::thread::sleep(PAUSE),
                Ok(mut client) => {
                    let left = until.saturating_duration_since(Instant::now()).max(LEAST);
                    client.patient(left.min(PATIENCE)).map_err(|error| broken(&error))?;
                    return client.ask(kind, &json!({}));
                }
            }
        }
    }

    fn at(place: &Path, patience: Duration) -> std::io::Result<Self> {
        use rustix::net::{
            AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt,
        };
        // The time is said before it connects: where the queue of a socket is full, that waits as well.
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
        connect(&socket, &SocketAddrUnix::new(place).map_err(|_| ErrorKind::InvalidInput)?)?;
        let client = Self { stream: BufReader::new(UnixStream::from(socket)), asked: 0 };
        client.patient(patience)?;
        Ok(client)
    }

    /// How long each step may take from now on.
    fn patient(&self, patience: Duration) -> std::io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(patience))?;
        self.stream.get_ref().set_write_timeout(Some(patience))
    }

    /// The process at the other end, as a descriptor that becomes readable when it ends. `None` where it can't be seen.
    pub(crate) fn process(&self) -> Option<OwnedFd> {
        let held = rustix::net::sockopt::socket_peercred(self.stream.get_ref()).ok()?;
        rustix::process::pidfd_open(held.pid, rustix::process::PidfdFlags::empty()).ok()
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// What the agent's `error_response` says, or what kept it from being asked.
    pub(crate) fn ask(&mut self, kind: &str, payload: &Value) -> Outcome<Value> {
        self.asked += 1;
        let id = format!("msg_{}_{}", context::now().millis(), self.asked);
        let message = json!({ "version": "1.0", "type": kind, "id": id, "timestamp": context::now(), "payload": payload });
        let mut line = Zeroizing::new(message.to_string().into_bytes());
        line.push(b'\n');
        // Where it was closed while we wrote, the reason may still be there to be read.
        let written = self.stream.get_mut().write_all(&line);
        let told = match (self.read(), written) {
            (Ok(told), _) => told,
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(broken(&error)),
        };
        if told.kind == "error_response" {
            return Err(refused(&told.payload));
        }
        if told.id != id || told.version != "1.0" {
            return Err(Failure::new("the agent answered something else than it was asked").hint(VERSIONS));
        }
        Ok(told.payload)
    }

    fn read(&mut self) -> std::io::Result<Told> {
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let read = (&mut self.stream).take(LARGEST).read_until(b'\n', &mut line)?;
        if read == 0 || line.last() != Some(&b'\n') {
            return Err(std::io::Error::new(
                ErrorKind::UnexpectedEof,
                "the connection was closed without an answer",
            ));
        }
        serde_json::from_slice(&line).map_err(std::io::Error::from)
    }
}

/// Whether nobody is there, so that another place may be tried.
fn is_nobody(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory)
}

fn unreachable(place: &Path, error: &std::io::Error) -> Failure {
    let (said, hint) = match error.kind() {
        ErrorKind::PermissionDenied => (
            "permission denied",
            "the agent's `ipc.socket_group` says who may connect; `--socket-path` chooses another agent",
        ),
        ErrorKind::InvalidInput => {
            ("the path of the socket is too long: at most 107 bytes", "choose a shorter one")
        }
        kind if is_nobody(&std::io::Error::from(kind)) => {
            ("connection refused", "`agent start` starts one, `--socket-path` says where it is")
        }
        _ => ("the socket does not answer", "`agent status --wait` waits for it"),
    };
    let mut failure = Failure::new(format!("Failed to connect to agent: {said}"));
    failure.causes.push("Agent is not running or not accessible".to_owned());
    failure.causes.push(format!("no agent answers at `{}`", place.display()));
    failure.hint(hint)
}

fn broken(error: &std::io::Error) -> Failure {
    let said = match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "timeout: the agent did not answer in time",
        ErrorKind::InvalidData | ErrorKind::Other => "the agent's answer can't be understood",
        _ => "the agent closed the connection before it answered",
    };
    Failure::doing(said, error)
}

/// An `error_response` as a refusal, where it has a code of ours.
fn refused(payload: &Value) -> Failure {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let message = text("error").unwrap_or("the agent refused without a word");
    match text("code").and_then(Code::from_word) {
        Some(code) => {
            let mut refusal = Refusal::new(code, message.to_owned());
            refusal.hint = text("hint").map(str::to_owned);
            refusal.evidence = text("evidence").and_then(|id| id.parse().ok());
            refusal.into()
        }
        None => Failure::new(message),
    }
}

const VERSIONS: &str = "is the agent of another version? `agent status` says which";
/// Somewhat more than the agent's own limit.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(10);
/// What somebody who took the connection has for an answer in any case.
const LEAST: Duration = Duration::from_millis(100);
const LARGEST: u64 = 64 << 20;
