//! `--daemon`: the agent in a session of its own, after it has said that it is ready.
//!
//! The process is started anew, because a fork of one that has threads keeps only one of them. Whoever typed the command
//! waits on the other one's stdout, which it closes when its doors are open or when it fails, and ends as it says.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::print::Printer;

/// Starts the agent again, detached, and waits until it is ready.
pub(crate) fn start() -> Outcome {
    let doing = |error: std::io::Error| {
        Failure::doing("Failed to start agent: could not start it in the background", &error)
    };
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    let program = std::env::current_exe().map_err(doing)?;
    let mut command = Command::new(program);
    command.arg0(name).args(words.filter(|word| word != "--daemon")).arg(DETACHED);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(doing)?;
    let mut said = child.stdout.take();
    let mut piece = [0; 4096];
    while let Some(read) = said.as_mut().and_then(|said| said.read(&mut piece).ok()).filter(|read| *read > 0)
    {
        Printer::raw(piece.get(..read).unwrap_or_default())?;
    }
    // Its stdout is closed: it serves, or is about to end.
    for _ in 0..LAST_WORDS {
        if let Some(status) = child.try_wait().map_err(doing)? {
            return if status.success() { Ok(()) } else { Err(Failure::silent()) };
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Ok(())
}

/// Leaves the session of whoever started us.
pub(crate) fn detach() {
    // It is the leader of a group only where a shell made it one; then it has its own session soon enough.
    let _ = rustix::process::setsid();
}

/// Lets go of the terminal: whatever is said from now on goes into this file.
pub(crate) fn let_go(log: &Path) -> Outcome {
    let doing = |error: std::io::Error| {
        Failure::doing("Failed to start agent: could not let go of the terminal", &error)
    };
    let nothing = File::options().read(true).write(true).open("/dev/null").map_err(doing)?;
    let log =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(log).map_err(doing)?;
    rustix::stdio::dup2_stderr(&log).map_err(|error| doing(error.into()))?;
    rustix::stdio::dup2_stdin(&nothing).map_err(|error| doing(error.into()))?;
    rustix::stdio::dup2_stdout(&nothing).map_err(|error| doing(error.into()))?;
    Ok(())
}

/// By what the second process knows that it is the second.
pub(crate) const DETACHED: &str = "--detached";
/// Rounds of five milliseconds in which a failing one ends.
const LAST_WORDS: u32 = 10;
