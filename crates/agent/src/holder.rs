//! Facts about the process at the other end of the socket.
//!
//! The user is what the kernel noted when the connection was made. The control group has to be looked up under the number
//! of the process, which may be another process's by then: it is stated only where the same process was there before and
//! after the look, belongs to the user that the kernel named, and the request is the connection's first.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::Holder;
use net::{Peer, Process};

/// What is known of whoever is at the other end.
pub(crate) fn of(peer: &Peer, connection: Connection) -> Holder {
    let Some(process) = peer.process else { return Holder::default() };
    let cgroup = match connection {
        Connection::Fresh => control_group(Path::new("/proc"), process),
        Connection::Shared => None,
    };
    Holder { uid: Some(process.uid), cgroup, key: None }
}

/// Whether a connection carries one request only, so that it cannot be kept until its maker is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    /// This is its one request.
    Fresh,
    /// It carries several.
    Shared,
}

/// The control group (v2) of a process, where it is certain.
fn control_group(proc: &Path, process: Process) -> Option<String> {
    let pid = process.pid.filter(|pid| *pid > 0)?;
    let folder = proc.join(pid.to_string());
    let before = birth(&folder, process.uid)?;
    let text = bounded(folder.join("cgroup")).ok()?;
    let after = birth(&folder, process.uid)?;
    if before != after {
        return None;
    }
    unified(&text).map(str::to_owned)
}

/// When the process started, in ticks since the machine did; `None` where it is not that user's.
fn birth(folder: &Path, uid: u32) -> Option<u64> {
    // A process that must not be dumped shows root as its owner here; then nothing is certain.
    if std::fs::metadata(folder).ok()?.uid() != uid {
        return None;
    }
    started(&bounded(folder.join("stat")).ok()?)
}

/// Field 22 of `/proc/PID/stat`. The name in field 2 may hold anything, so fields are counted behind its last bracket.
fn started(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

/// The path of the unified hierarchy: the line `0::/path`, once.
fn unified(text: &str) -> Option<&str> {
    let mut paths = text.lines().filter_map(|line| line.strip_prefix("0::"));
    match (paths.next(), paths.next()) {
        // The kernel says so of a group that is gone; its name may be given to another one.
        (Some(path), None) if path.starts_with('/') && !path.ends_with(" (deleted)") => Some(path),
        _ => None,
    }
}

fn bounded(path: PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

/// Most bytes that are read of a file that the kernel writes for us.
const MOST: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
