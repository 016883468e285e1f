//! The list of system calls as bubblewrap is given it, and the start of a process that gets it.
//!
//! Bubblewrap's own first process stays beside the program, with its rights: one without the list would be a way around it, as whoever
//! may write its memory makes its calls. So it is bubblewrap that restricts both, and not our step behind it.

use std::fs::File;
use std::io;
use std::process::Command as Process;
use std::sync::{Mutex, PoisonError};

use rustix::io::{FdFlags, fcntl_setfd};

/// A file of one run with the compiled list in it, at its start.
#[cfg(target_os = "linux")]
pub(super) fn file(list: &[u8]) -> io::Result<File> {
    use std::io::{Seek, Write};

    let mut file = File::from(rustix::fs::memfd_create(c"calls", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(list)?;
    file.rewind()?;
    Ok(file)
}

/// There is no bubblewrap elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn file(_list: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A process that can be started, and what it is handed beside its standard descriptors.
pub(crate) struct Ready {
    pub(crate) process: Process,
    pub(super) filter: Option<File>,
}

impl Ready {
    /// Starts it. It gets its standard descriptors and its list of system calls, and nothing else that is open in this process.
    pub(crate) fn start<T>(self, start: impl FnOnce(Process) -> io::Result<T>) -> io::Result<T> {
        // One after the other: between these lines another one would close what this one hands over.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // What whoever started the broker left open in it is not for programs: a folder of it would be a way out.
        memory::close_on_exec()?;
        if let Some(filter) = &self.filter {
            fcntl_setfd(filter, FdFlags::empty())?;
        }
        let started = start(self.process);
        // Before the turn ends, so that no other program gets it.
        drop(self.filter);
        started
    }
}

static TURN: Mutex<()> = Mutex::new(());
