//! A home with an agent over it. Everything that the bench knows of the command line and the configuration is here.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::settings::Settings;
use crate::bench::process::{Server, resident};
use crate::failure::{Failure, Outcome};

/// A home that is removed when dropped, after its agent has ended.
pub(super) struct Place<'a> {
    server: Option<Server>,
    program: &'a Path,
    home: PathBuf,
    socket: PathBuf,
    log: PathBuf,
}

impl<'a> Place<'a> {
    /// A home with keys, in which nothing was done yet.
    pub(super) fn make(program: &'a Path, folder: &Path, settings: &Settings) -> Outcome<Self> {
        let name = format!("agent-home-{}", std::process::id());
        let home = if settings.memory { Path::new("/dev/shm").join(name) } else { folder.join(name) };
        let failed =
            |error: std::io::Error| Failure::doing(&format!("make the home `{}`", home.display()), &error);
        if home.exists() {
            std::fs::remove_dir_all(&home).map_err(failed)?;
        }
        let place = Self {
            server: None,
            program,
            socket: folder.join("agent.sock"),
            log: folder.join("agent.log"),
            home: home.clone(),
        };
        let words = ["init"];
        let output = place.doorward(&words).output().map_err(failed)?;
        if !output.status.success() {
            return Err(Failure::new(format!(
                "`doorward init` failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )));
        }
        std::fs::write(place.home.join("agent.yaml"), CONFIG).map_err(failed)?;
        Ok(place)
    }

    /// Starts the agent, and says after how many milliseconds it answered.
    pub(super) fn start(&mut self, core: Option<usize>) -> Outcome<f64> {
        let [home, config, socket] = [&self.home, &self.home.join("agent.yaml"), &self.socket]
            .map(|path| path.to_string_lossy().into_owned());
        let words = ["--home", &home, "agent", "start", "--config", &config, "--socket-path", &socket];
        let since = Instant::now();
        self.server = Some(Server::start(self.program, &words, core, &self.log)?);
        while since.elapsed() < Duration::from_secs(60) {
            if self.say("ping_request", &json!({})).is_ok() {
                return Ok(since.elapsed().as_secs_f64() * 1e3);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Err(Failure::new("the agent did not answer within a minute; see target/bench/agent.log"))
    }

    /// Ends the agent.
    pub(super) fn stop(&mut self) -> Outcome {
        drop(self.server.take());
        Ok(())
    }

    /// Lets the agent use every core.
    pub(super) fn everywhere(&self) -> Outcome {
        let id = self.server.as_ref().map_or(0, Server::id).to_string();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let all = format!("0-{}", cores - 1);
        let done = Command::new("taskset").args(["-acp", &all, &id]).stdout(Stdio::null()).status();
        match done {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Failure::new("could not give the agent every core")),
        }
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its memory once it has come to rest, in MiB: what only the start needed is given back a second after it.
    pub(super) fn idle(&self) -> Outcome<f64> {
        std::thread::sleep(AT_REST);
        Ok(self.resident())
    }

    /// Its memory, in MiB.
    pub(super) fn resident(&self) -> f64 {
        self.server.as_ref().map_or(0.0, |server| resident(server.id()) as f64 / 1024.0)
    }

    /// A capability of its own.
    pub(super) fn capability(&self) -> Outcome<String> {
        let payload = json!({ "resource": "secret:/bench/key", "actions": ["read"], "ttl": 3600 });
        let answer = self.say("capability_request", &payload)?;
        let id = answer.pointer("/payload/capability/id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| Failure::new(format!("the agent gave no capability: {answer}")))
    }

    /// How many milliseconds `capability request` takes as a process.
    pub(super) fn command(&self) -> Outcome<f64> {
        let socket = self.socket.to_string_lossy();
        let words = [
            "capability",
            "request",
            "--resource",
            "secret:/bench/key",
            "--action",
            "read",
            "--format",
            "json",
            "--socket-path",
            &socket,
        ];
        let mut command = self.doorward(&words);
        let since = Instant::now();
        let output = command.output().map_err(|error| Failure::doing("run `capability request`", &error))?;
        let took = since.elapsed().as_secs_f64() * 1e3;
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && said.contains("\"granted\"") {
            return Ok(took);
        }
        Err(Failure::new(format!(
            "`capability request` failed: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        )))
    }

    /// One message on a connection of its own.
    fn say(&self, kind: &str, payload: &Value) -> Outcome<Value> {
        let failed = |error: std::io::Error| Failure::doing("ask the agent", &error);
        let mut stream = UnixStream::connect(&self.socket).map_err(failed)?;
        let message = json!({ "version": "1.0", "type": kind, "id": "1", "timestamp": "2026-11-29T09:00:00Z", "payload": payload });
        writeln!(stream, "{message}").map_err(failed)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).map_err(failed)?;
        serde_json::from_str(&line).map_err(|error| Failure::doing("read what the agent said", &error))
    }

    fn doorward(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.arg("--home").arg(&self.home).args(words).env_clear().stdin(Stdio::null());
        command.env("HOME", &self.home).env("PATH", "/usr/bin:/bin");
        command
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        drop(self.server.take());
        if let Err(error) = std::fs::remove_dir_all(&self.home) {
            println!("note: could not remove `{}`: {error}", self.home.display());
        }
    }
}

/// How long an idle agent is left alone before its memory is read.
const AT_REST: Duration = Duration::from_secs(4);
/// What one caller may ask for is not what is measured.
const CONFIG: &str = "\
version: \"1.0\"
mode: development
ipc:
  max_connections: 100
  rate_limit: {requests_per_second: 1000000, burst: 1000000}
health:
  enable_metrics: false
";
