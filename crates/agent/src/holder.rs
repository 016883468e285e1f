//! Facts about the process at the other end of the socket.
//!
//! The user is what the kernel noted when the connection was made. Everything else is looked up under the number of the process,
//! which the kernel may give to another one: it is stated only where the same process was there before and after the look. A
//! handle (`SO_PEERPIDFD`) says that exactly; without one, the time at which the process started does.
//!
//! # Invariants
//!
//! - A fact that is not certain is not stated.
//! - What was stated is looked at again after the work and before the answer ([`Proven::still`]): a process that has ended, or
//!   has another control group by then, gets nothing.

mod group;
mod program;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use model::{Code, Holder, Needs, Refusal, Sight};
use net::{Peer, Process};

/// What is known of whoever is at the other end, and what it takes to look again.
#[derive(Debug)]
pub(crate) struct Proven {
    holder: Holder,
    seen: Option<Seen>,
}

/// Proof that the facts of a caller still hold. Only [`Proven::still`] makes one; an answer wants it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Still(());

impl Proven {
    /// Finds out what is known of a peer.
    ///
    /// # Errors
    /// `unauthenticated` when the process is gone already.
    pub(crate) fn of(peer: &Peer, needs: Needs) -> Result<Self, Refusal> {
        Self::within(Path::new("/proc"), peer, needs)
    }

    fn within(proc: &Path, peer: &Peer, needs: Needs) -> Result<Self, Refusal> {
        let Some(process) = &peer.process else { return Ok(Self { holder: Holder::default(), seen: None }) };
        let mut holder = Holder { uid: Some(process.uid), gid: Some(process.gid), ..Holder::default() };
        let Some(pid) = process.pid.filter(|pid| *pid > 0) else {
            holder.sight = Sight::ForeignProcesses;
            return Ok(Self { holder, seen: Some(Seen::by_handle(process)) });
        };
        let mut seen = Seen::of(proc, process, pid);
        holder.sight = sight(proc, &seen.folder, process.uid);
        holder.cgroup = seen.group();
        if let Some(path) = &holder.cgroup {
            holder.unit = group::unit(path);
            holder.container = group::container(path).map(Box::new);
        }
        if needs.exe && holder.sight == Sight::Near {
            seen.program = program::of(&seen.folder);
            holder.exe = seen.program.as_ref().map(|program| Box::new(program.fact()));
        }
        let proven = Self { holder, seen: Some(seen) };
        let Still { .. } = proven.still()?;
        Ok(proven)
    }

    /// The same with the hash of the program, where that is needed and can be found out.
    ///
    /// # Errors
    /// `unauthenticated` when the process is gone, or runs another program, by the time it is known.
    pub(crate) async fn with_hash(mut self, needs: Needs) -> Result<Self, Refusal> {
        let seen = self.seen.as_ref().filter(|_| needs.sha256);
        let Some((folder, program)) = seen.and_then(|seen| Some((&seen.folder, seen.program.as_ref()?)))
        else {
            return Ok(self);
        };
        let hash = program.sha256(folder).await;
        if let Some(exe) = &mut self.holder.exe {
            exe.sha256 = hash;
        }
        let Still { .. } = self.still()?;
        Ok(self)
    }

    /// The facts.
    pub(crate) const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The number of the process, where it has one here.
    pub(crate) fn pid(&self) -> Option<i32> {
        self.seen.as_ref()?.process.pid.filter(|pid| *pid > 0)
    }

    /// Looks again: whether the process lives, in the control group that was stated, running the program that was stated.
    ///
    /// # Errors
    /// `unauthenticated` when a fact does not hold any more, or can't be looked at any more.
    pub(crate) fn still(&self) -> Result<Still, Refusal> {
        let Some(seen) = &self.seen else { return Ok(Still(())) };
        if seen.has_ended() {
            return Err(gone("the process that asked has ended"));
        }
        if self.holder.cgroup.is_some() && seen.group() != self.holder.cgroup {
            return Err(gone("the process that asked has moved to another control group"));
        }
        if let Some(program) = &seen.program
            && !program.runs_still(&seen.folder)
        {
            return Err(gone("the process that asked runs another program now"));
        }
        Ok(Still(()))
    }
}

/// Where a process is looked at.
#[derive(Debug)]
struct Seen {
    process: Process,
    folder: PathBuf,
    /// When it started, where there is no handle.
    birth: Option<u64>,
    /// Its `cgroup` file: belongs to this process and to no later one of the same number.
    cgroup: Option<File>,
    program: Option<program::Program>,
}

impl Seen {
    fn by_handle(process: &Process) -> Self {
        Self { process: process.clone(), folder: PathBuf::new(), birth: None, cgroup: None, program: None }
    }

    fn of(proc: &Path, process: &Process, pid: i32) -> Self {
        let folder = proc.join(pid.to_string());
        let mut seen = Self { folder, ..Self::by_handle(process) };
        if process.handle.is_none() {
            seen.birth = birth(&seen.folder, process.uid);
            if seen.birth.is_none() {
                return seen;
            }
        }
        seen.cgroup = File::open(seen.folder.join("cgroup")).ok();
        seen
    }

    /// Whether the process ended; without a handle and without a certain beginning, nothing was stated that could end.
    fn has_ended(&self) -> bool {
        match (&self.process.handle, self.birth) {
            (Some(handle), _) => handle.alive().is_err(),
            (None, Some(_)) => birth(&self.folder, self.process.uid) != self.birth,
            (None, None) => false,
        }
    }

    /// The control group (v2) as it is now.
    fn group(&self) -> Option<String> {
        let file = self.cgroup.as_ref()?;
        let mut text = vec![0; MOST];
        let mut length = 0;
        loop {
            let read = file.read_at(text.get_mut(length..)?, u64::try_from(length).ok()?).ok()?;
            length += read;
            if read == 0 {
                break;
            }
        }
        text.truncate(length);
        group::unified(std::str::from_utf8(&text).ok()?).map(str::to_owned)
    }
}

/// From where a process is seen. What can't be looked at is decided by its user id alone.
fn sight(proc: &Path, folder: &Path, uid: u32) -> Sight {
    let own = std::fs::read_link(proc.join("self/ns/user"));
    let theirs = std::fs::read_link(folder.join("ns/user"));
    let apart = matches!((own, theirs), (Ok(own), Ok(theirs)) if own != theirs);
    // The number that the kernel shows for a user whom this namespace does not have, unless somebody really is that one.
    let overflow =
        bounded(proc.join("sys/kernel/overflowuid")).ok().and_then(|text| text.trim().parse().ok());
    let whole = bounded(proc.join("self/uid_map")).is_ok_and(|map| is_whole(&map));
    if apart || (!whole && uid == overflow.unwrap_or(OVERFLOW)) { Sight::ForeignUsers } else { Sight::Near }
}

/// Whether a map of user ids leaves none out: then no number stands for somebody else.
fn is_whole(map: &str) -> bool {
    map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
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

fn bounded(path: PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST as u64).read_to_string(&mut text)?;
    Ok(text)
}

fn gone(message: &str) -> Refusal {
    Refusal::new(Code::Unauthenticated, message).hint("ask again from a process that waits for its answer")
}

/// Most bytes that are read of a file that the kernel writes for us.
const MOST: usize = 8 * 1024;
/// What the kernel shows for a user whom a namespace does not have, unless it was told otherwise.
const OVERFLOW: u32 = 65534;

#[cfg(test)]
mod tests;
