//! The broker of the demo: this same program, as a child.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// This program, in a home, with nothing in its environment.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    home: PathBuf,
}

/// What a child printed.
pub(super) struct Printed {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// A running broker. Ended by [`Broker::end`]; killed where that was forgotten or a step failed.
pub(super) struct Broker {
    child: Child,
    /// Kept open: a broker whose stdout is gone could not say that it stops.
    _stdout: BufReader<ChildStdout>,
    pub(super) gateway: String,
}

impl Program {
    /// This program over `home`.
    pub(super) fn over(home: &Path) -> Outcome<Self> {
        let path = std::env::current_exe()
            .map_err(|error| Failure::doing("could not find this program to start it again", &error))?;
        Ok(Self { path, home: home.to_owned() })
    }

    /// The home.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().args(arguments);
        command
    }

    /// Runs it over the home to its end.
    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Outcome<Printed> {
        let mut all = vec!["--home".as_ref(), self.home.as_os_str()];
        all.extend(arguments.iter().map(AsRef::<OsStr>::as_ref));
        finish(self.command(&all), input)
    }

    /// Runs it to its end where there is no home at all.
    pub(super) fn offline(&self, arguments: &[&str]) -> Outcome<Printed> {
        finish(self.command(arguments), b"")
    }

    /// Runs it over the home, and takes its word for JSON.
    pub(super) fn json(&self, arguments: &[&str], input: &[u8]) -> Outcome<Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        let printed = self.run(&all, input)?.held(arguments)?;
        serde_json::from_slice(&printed.stdout).map_err(|error| {
            Failure::doing(format!("could not read what `{}` printed", arguments.join(" ")), &error)
        })
    }

    /// Starts the broker and waits until its doors are open.
    pub(super) fn start(&self) -> Outcome<Broker> {
        let home = self.home.as_os_str();
        let arguments =
            ["--home".as_ref(), home, "up".as_ref(), "--gateway".as_ref(), "127.0.0.1:0".as_ref()];
        let mut command = self.command(&arguments);
        command.args(["--threads", "1", "--json"]);
        // Not shown: it is a throw-away home, and the demo is not the place to write a recovery key down.
        command.arg("--recovery-out").arg(self.home.join("recovery.txt"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command
            .spawn()
            .map_err(|error| Failure::doing("could not start the broker of the demo", &error))?;
        let Some(stdout) = child.stdout.take() else {
            return Err(Failure::new("the broker of the demo has no stdout"));
        };
        let mut stdout = BufReader::new(stdout);
        loop {
            let mut line = String::new();
            let count = stdout
                .read_line(&mut line)
                .map_err(|error| Failure::doing("could not hear the broker", &error))?;
            if count == 0 {
                let _ = child.wait();
                return Err(
                    Failure::new("the broker of the demo did not start").hint("`doorward up` says why")
                );
            }
            let said: Value = serde_json::from_str(&line)
                .map_err(|error| Failure::doing("could not understand the broker of the demo", &error))?;
            if said.get("event").and_then(Value::as_str) == Some("ready") {
                let gateway = said.get("gateway").and_then(Value::as_str).unwrap_or_default().to_owned();
                return Ok(Broker { child, _stdout: stdout, gateway });
            }
        }
    }
}

impl Broker {
    /// Tells it to stop and waits; it ends in good order.
    pub(super) fn end(mut self) -> Outcome {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself; waiting says so.
            let _ = kill_process(pid, Signal::TERM);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(Failure::new(format!("the broker of the demo ended with {status}")));
                }
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
                Ok(None) => return Err(Failure::new("the broker of the demo did not stop in time")),
                Err(error) => return Err(Failure::doing("could not wait for the broker", &error)),
            }
        }
    }
}

impl Drop for Broker {
    /// Only where a step failed: nothing of the demo stays behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Printed {
    /// The same where it succeeded; else what it said about that.
    pub(super) fn held(self, arguments: &[&str]) -> Outcome<Self> {
        if self.status.success() {
            return Ok(self);
        }
        let said = if self.stderr.is_empty() { &self.stdout } else { &self.stderr };
        let said = String::from_utf8_lossy(said);
        Err(Failure::new(format!("`doorward {}` failed: {}", arguments.join(" "), said.trim())))
    }
}

/// Runs a child to its end with this input.
pub(super) fn finish(mut command: Command, input: &[u8]) -> Outcome<Printed> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| Failure::doing(format!("could not run `{program}`"), &error);
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input) {
            // A child that does not want it has closed its end.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(failed(error)),
            _ => {}
        }
    }
    let mut stderr = child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stderr) = &mut stderr {
            // What can't be read can't be shown; the status tells.
            let _ = stderr.take(MOST).read_to_end(&mut bytes);
        }
        bytes
    });
    let mut stdout = Vec::new();
    if let Some(out) = child.stdout.take() {
        out.take(MOST).read_to_end(&mut stdout).map_err(failed)?;
    }
    let stderr = errors.join().unwrap_or_default();
    let status = child.wait().map_err(failed)?;
    Ok(Printed { status, stdout, stderr })
}

const PATIENCE: Duration = Duration::from_secs(25);
const MOST: u64 = 16 << 20;
