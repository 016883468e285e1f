//! What a supervisor such as systemd is told, and what it hands over: `sd_notify(3)`, `sd_listen_fds(3)`.
//!
//! Telling is best effort: a supervisor that does not listen changes nothing. A word that concerns another process
//! (`LISTEN_PID`, `WATCHDOG_PID`) is no word for us.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::time::Duration;

use crate::failure::{Failure, Outcome};
use crate::settings::Lookup;

/// The supervisor of this process, where it has one.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    pub(crate) fn of(lookup: Lookup<'_>) -> Self {
        let address = lookup("NOTIFY_SOCKET").and_then(|name| address(&name));
        let socket = address.and_then(|address| Some((UnixDatagram::unbound().ok()?, address)));
        let number = |name: &str| lookup(name)?.to_str()?.parse::<u64>().ok();
        let mine =
            lookup("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(u64::from(std::process::id()));
        let watchdog =
            number("WATCHDOG_USEC").filter(|micros| mine && *micros > 0).map(Duration::from_micros);
        Self { socket, watchdog }
    }

    /// How often it wants to hear that we live: half of its own patience.
    pub(crate) fn beat(&self) -> Option<Duration> {
        self.socket.as_ref().and(self.watchdog).map(|patience| patience / 2)
    }

    /// Every door is open, or open again.
    pub(crate) fn ready(&self) {
        self.tell(&format!("READY=1\nMAINPID={}\nSTATUS=serving\n", std::process::id()));
    }

    /// Files are read again.
    pub(crate) fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\n"));
    }

    /// No more is accepted.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=waiting for what is under way\n");
    }

    /// We live.
    pub(crate) fn alive(&self) {
        self.tell("WATCHDOG=1\n");
    }

    fn tell(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

/// `@name` is in the abstract namespace, `/path` a file.
fn address(name: &OsString) -> Option<SocketAddr> {
    match name.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', rest @ ..] if !rest.is_empty() => {
            use std::os::linux::net::SocketAddrExt;
            SocketAddr::from_abstract_name(rest).ok()
        }
        [b'/', ..] => SocketAddr::from_pathname(PathBuf::from(name)).ok(),
        _ => None,
    }
}

/// The socket that a supervisor bound for us and handed over as the first descriptor after the standard ones. Called before
/// anything else is opened.
///
/// # Errors
/// When it hands over more than one, or one that can't be taken.
pub(crate) fn handed(lookup: Lookup<'_>) -> Outcome<Option<OwnedFd>> {
    let number = |name: &str| lookup(name)?.to_str()?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(std::process::id()) {
        return Ok(None);
    }
    match number("LISTEN_FDS") {
        None | Some(0) => Ok(None),
        Some(1) => memory::inherited(FIRST)
            .map(Some)
            .map_err(|error| Failure::doing("could not take the socket that was handed over", &error)),
        Some(more) => Err(Failure::usage(format!("{more} sockets were handed over, and an agent takes one"))
            .hint("one `ListenStream=` in the socket unit")),
    }
}

/// The first descriptor that is handed over (`SD_LISTEN_FDS_START`).
const FIRST: i32 = 3;

#[cfg(test)]
mod tests;
