//! The program that puts load on a socket, and the echo: `examples/agent_load.rs`, compiled with optimisation.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::settings::Settings;
use crate::bench::process::{Server, pinned};
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// What a load saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) errors: u64,
}

impl Seen {
    pub(super) fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// One message, and what has to be in its answer.
pub(super) struct Ask {
    line: String,
    mark: &'static str,
}

impl Ask {
    /// As long as a validation.
    pub(super) fn echo() -> Self {
        Self {
            mark: "\"validation_response\"",
            ..Self::message("validation_response", &json!({ "capability_id": ID }))
        }
    }

    /// Whether a capability is valid.
    pub(super) fn validate(id: &str) -> Self {
        Self {
            mark: "\"valid\":true",
            ..Self::message("capability_validate", &json!({ "capability_id": id }))
        }
    }

    /// A capability that lasts as long as one can.
    pub(super) fn request() -> Self {
        let payload = json!({ "resource": "secret:/bench/key", "actions": ["read"], "ttl": 3600 });
        Self { mark: "\"status\":\"granted\"", ..Self::message("capability_request", &payload) }
    }

    fn message(kind: &str, payload: &serde_json::Value) -> Self {
        let envelope = json!({
            "version": "1.0",
            "type": kind,
            "id": "msg_bench",
            "timestamp": "2026-11-29T09:00:00Z",
            "payload": payload,
        });
        Self { line: envelope.to_string(), mark: "" }
    }
}

/// The compiled program.
pub(super) struct Loader {
    path: PathBuf,
}

/// A running echo.
pub(super) struct Echo {
    socket: PathBuf,
    _server: Server,
}

impl Echo {
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Loader {
    /// Compiles it.
    pub(super) fn build(root: &Path, folder: &Path) -> Outcome<Self> {
        let path = folder.join("agent_load");
        let shown = path.to_string_lossy();
        let source = "crates/xtask/examples/agent_load.rs";
        Program::new(root, "rustc", &["--edition", "2024", "-O", source, "-o", &shown]).run()?;
        Ok(Self { path })
    }

    /// Starts an echo and waits until it listens.
    pub(super) fn echo(&self, folder: &Path, settings: &Settings) -> Outcome<Echo> {
        let socket = folder.join("echo.sock");
        if socket.exists() {
            std::fs::remove_file(&socket)
                .map_err(|error| Failure::doing("remove the socket of the echo", &error))?;
        }
        let words = ["echo", &socket.to_string_lossy()];
        let server = Server::start(&self.path, &words, settings.agent_core(), &folder.join("echo.log"))?;
        let since = Instant::now();
        while !socket.exists() {
            if since.elapsed() > Duration::from_secs(10) {
                return Err(Failure::new("the echo did not start; see target/bench/echo.log"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Echo { socket, _server: server })
    }

    /// Load for the usual time.
    pub(super) fn load(
        &self,
        socket: &Path,
        ask: &Ask,
        connections: usize,
        settings: &Settings,
    ) -> Outcome<Seen> {
        self.run(socket, ask, connections, (settings.seconds * 1000, u64::MAX), settings.load_core())
    }

    /// So many requests.
    pub(super) fn count(&self, socket: &Path, ask: &Ask, connections: usize, count: u64) -> Outcome<Seen> {
        self.run(socket, ask, connections, (3_600_000, count), None)
    }

    fn run(
        &self,
        socket: &Path,
        ask: &Ask,
        connections: usize,
        (millis, count): (u64, u64),
        core: Option<usize>,
    ) -> Outcome<Seen> {
        let socket = socket.to_string_lossy();
        let [connections, millis, count] = [connections.to_string(), millis.to_string(), count.to_string()];
        let words = ["load", &socket, &ask.line, ask.mark, &connections, &millis, &count];
        let mut command = pinned(core, &self.path);
        let output = command.args(words).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| Failure::doing("put load on a socket", &error))?;
        if !output.status.success() {
            return Err(Failure::new(format!("the load on `{socket}` failed ({})", output.status)));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::doing("read what the load saw", &error))
    }
}

/// As long as the name of a capability.
const ID: &str = "cap_01JDVSZ8M0000000000000000000";
