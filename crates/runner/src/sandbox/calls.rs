//! The list of system calls as bubblewrap is given it, and the start of a process that gets it.
//!
//! Bubblewrap's own first process stays beside the program, with its rights: one without the list would be a way around it, as whoever
//! may write its memory makes its calls. So it is bubblewrap that restricts both, and not our step behind it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command as Process;
use std::sync::{Mutex, PoisonError};

use rustix::io::{FdFlags, fcntl_setfd};

/// The compiled list, in memory that nobody can change any more.
#[derive(Debug)]
pub(super) struct Calls {
    bytes: Vec<u8>,
    sealed: OwnedFd,
}

impl Calls {
    /// Keeps it.
    #[cfg(target_os = "linux")]
    pub(super) fn of(bytes: Vec<u8>) -> io::Result<Self> {
        use std::io::Write;

        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        let sealed = memfd_create(c"calls", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = File::from(sealed);
        file.write_all(&bytes)?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(Self { bytes, sealed: file.into() })
    }

    /// There is no bubblewrap elsewhere, and no list.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(bytes: Vec<u8>) -> io::Result<Self> {
        Ok(Self { bytes, sealed: File::open("/dev/null")?.into() })
    }

    /// It as bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A handle that begins at its start, for one process: handles that were copied go on where the others stopped.
    pub(super) fn handle(&self) -> io::Result<File> {
        File::open(format!("/proc/self/fd/{}", self.sealed.as_raw_fd()))
    }
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
        if let Some(filter) = &self.filter {
            fcntl_setfd(filter, FdFlags::CLOEXEC)?;
        }
        started
    }
}

static TURN: Mutex<()> = Mutex::new(());
