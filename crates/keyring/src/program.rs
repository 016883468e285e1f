//! Runs a program that keeps secrets: what it needs goes through its standard input, what it says is wiped.
//!
//! # Invariants
//!
//! - No secret is ever an argument. Variables that hold secrets of ours or credentials of AWS are not inherited.
//! - A program with a time limit is in a process group of its own, and the whole group is ended when the time is over.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::settings::Programs;
use crate::{Error, Kind};

/// A program that was found.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    kind: Kind,
    path: PathBuf,
    settings: Programs,
}

/// How it is run once.
#[derive(Default)]
pub(crate) struct Call<'a> {
    pub(crate) arguments: Vec<OsString>,
    /// Variables for this call.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Variables that it must not inherit, besides those that none inherits.
    pub(crate) without: &'static [&'static str],
    /// What it reads.
    pub(crate) input: Option<&'a [u8]>,
    /// Longest time; `None` where a person may have to type a passphrase.
    pub(crate) within: Option<Duration>,
}

/// What it said.
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) output: Zeroizing<Vec<u8>>,
    pub(crate) complaint: String,
}

impl Program {
    /// Looks for a program: at `chosen`, or under `usual` in the search path.
    pub(crate) fn find(
        kind: Kind,
        chosen: Option<&Path>,
        usual: &str,
        settings: &Programs,
    ) -> Result<Self, Error> {
        let wanted = chosen.unwrap_or(Path::new(usual));
        let found = if wanted.components().count() > 1 {
            is_program(wanted).then(|| wanted.to_owned())
        } else {
            std::env::split_paths(&settings.path)
                .map(|folder| folder.join(wanted))
                .find(|path| path.is_absolute() && is_program(path))
        };
        let path = found.ok_or_else(|| {
            Error::unavailable(kind, format!("the program `{}` is not installed", wanted.display()))
        })?;
        Ok(Self { kind, path, settings: settings.clone() })
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, call: &Call<'_>) -> Result<Ran, Error> {
        let failed = |what| {
            move |source| Error::Unavailable {
                kind: self.kind,
                why: format!("`{}` {what}", self.path.display()),
                source: Some(Box::new(source)),
            }
        };
        let mut child = self.command(call).spawn().map_err(failed("did not start"))?;
        let (input, output, complaint) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (status, output, complaint) = std::thread::scope(|scope| {
            let writer = scope.spawn(move || match (input, call.input) {
                // A program that doesn't read all of it says so with its status.
                (Some(mut pipe), Some(bytes)) => drop(pipe.write_all(bytes)),
                (pipe, _) => drop(pipe),
            });
            let output = scope.spawn(move || output.map_or_else(Default::default, read_all));
            let complaint = scope.spawn(move || complaint.map_or_else(Default::default, read_all));
            let status = wait(&mut child, call.within);
            let _ = writer.join();
            (status, output.join().unwrap_or_default(), complaint.join().unwrap_or_default())
        });
        let Some(status) = status.map_err(failed("could not be waited for"))? else {
            return Err(Error::unavailable(
                self.kind,
                format!("`{}` did not answer in time", self.path.display()),
            ));
        };
        if output.len() > MOST {
            return Err(Error::unavailable(self.kind, format!("`{}` says too much", self.path.display())));
        }
        Ok(Ran { status, output, complaint: String::from_utf8_lossy(&complaint).into_owned() })
    }

    fn command(&self, call: &Call<'_>) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&call.arguments);
        for name in SECRET.iter().chain(call.without) {
            command.env_remove(name);
        }
        if !self.settings.path.is_empty() {
            command.env("PATH", &self.settings.path);
        }
        let more = self.settings.environment.iter().map(|(name, value)| (name.as_os_str(), value));
        command.envs(more);
        command.envs(call.environment.iter().map(|(name, value)| (OsStr::new(name), value)));
        command.stdin(if call.input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if call.within.is_some() {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        command
    }
}

impl Ran {
    /// What it said, where it ended well; else the error with its complaint.
    pub(crate) fn succeeded(self, kind: Kind, what: &'static str) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.status.success() { Ok(self.output) } else { Err(Error::refused(kind, what, &self.complaint)) }
    }
}

/// Waits for the end; `None` when the time was over and it had to be ended.
fn wait(child: &mut Child, within: Option<Duration>) -> std::io::Result<Option<ExitStatus>> {
    let Some(within) = within else { return child.wait().map(Some) };
    let end = Instant::now() + within;
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Reads to the end, but no more than [`MOST`] bytes and a bit; buffers that are outgrown are wiped.
fn read_all(mut from: impl Read) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let mut piece = Zeroizing::new([0; 16 * 1024]);
    loop {
        let read = match from.read(&mut *piece) {
            Ok(0) => return all,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return all,
        };
        if all.len() > MOST {
            // Still read to its end, so that the program is not stopped by a full pipe.
            continue;
        }
        if all.len() + read > all.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(all.capacity() * 2));
            larger.extend_from_slice(&all);
            all = larger;
        }
        all.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|seen| seen.is_file() && seen.permissions().mode() & 0o111 != 0)
}

/// The most that a program may say.
const MOST: usize = 16 * 1024 * 1024;

/// Variables that no program inherits: our own secrets, and credentials that are none of its business.
const SECRET: [&str; 10] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_VAULT_FILE_PASSPHRASE",
    "AWS_VAULT_OP_CONNECT_TOKEN",
    "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN",
    "OP_CONNECT_TOKEN",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "PROTON_PASS_PERSONAL_ACCESS_TOKEN",
    "DOORWARD_PASSPHRASE",
];

#[cfg(test)]
mod tests;
