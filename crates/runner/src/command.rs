//! A command that is finished, and what came of it.

use std::path::PathBuf;
use std::time::Duration;

use model::Authority;
use net::Private;
use zeroize::Zeroizing;

use crate::{Captured, Kind, Program};

/// A finished command.
pub struct Command {
    /// The program.
    pub program: Program,
    /// Its arguments, as they are.
    pub args: Vec<String>,
    /// The variables that it has besides `PATH`, `HOME`, `TMPDIR` and those of the relay. A stored secret is never one of them.
    pub environment: Vec<(String, Zeroizing<String>)>,
    /// What it reads.
    pub stdin: Option<Zeroizing<Vec<u8>>>,
    /// A folder outside that it works in; its home where there is none.
    pub folder: Option<PathBuf>,
    /// Whether it may change that folder.
    pub changes: bool,
    /// Whether it may have Unix sockets. See [`Sandbox::shuts_in_sockets`](crate::Sandbox::shuts_in_sockets).
    pub sockets: bool,
    /// How long and how much.
    pub limits: Limits,
    /// The hosts that it may reach.
    pub hosts: Vec<Authority>,
    /// Whether private addresses are among them.
    pub private: Private,
}

/// How long a program may run, and how much it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time from its start to its end.
    pub time: Duration,
    /// Most bytes of memory of one of its processes (`RLIMIT_DATA`).
    pub memory: u64,
    /// Most bytes that it may write to files, which are in memory.
    pub files: u64,
    /// Most bytes of its output that are kept.
    pub stdout: usize,
    /// Most bytes of what it says beside that.
    pub stderr: usize,
    /// Most processes at a time, where the user is not root.
    pub processes: u64,
}

impl Default for Limits {
    /// A minute, a gigabyte of memory, 64 MiB of files, 4 MiB of output, 64 KiB beside it.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory: 1 << 30,
            files: 64 << 20,
            stdout: 4 << 20,
            stderr: 64 << 10,
            processes: 256,
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status; 128 and its number for a signal.
    Status(u8),
    /// It was ended because its time was over.
    TimedOut,
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub exit: Exit,
    /// Its output.
    pub stdout: Captured,
    /// What it said beside that.
    pub stderr: Captured,
    /// How long it took.
    pub took: Duration,
    /// In what it ran.
    pub sandbox: Kind,
    /// Hosts that it asked for in vain, a few of them.
    pub refused: Vec<String>,
}
