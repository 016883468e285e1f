//! Where the agent is, and how patient a program is with it.

use std::env;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the agent of a whole machine listens.
pub const SYSTEM_SOCKET: &str = "/var/run/vault/agent.sock";

/// Where the agent is and how patient the program is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the agent listens. Without it `VAULT_AGENT_SOCKET_PATH` says where; then the home and [`SYSTEM_SOCKET`]
    /// are looked at.
    pub socket: Option<PathBuf>,
    /// For a whole call, its retries included; 30 seconds. The agent gives up after as long.
    pub timeout: Duration,
    /// When a call is made again.
    pub retry: Retry,
    /// Connections that are open at the same time; 8.
    pub connections: usize,
}

/// When a call is made again that was not sent, or that changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// In all; 3. With 1 nothing is made again.
    pub attempts: u32,
    /// The longest wait before the second attempt; 100 ms. It doubles with each attempt.
    pub first: Duration,
    /// The longest wait between two attempts; 2 s.
    pub longest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { socket: None, timeout: Duration::from_secs(30), retry: Retry::default(), connections: 8 }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, first: Duration::from_millis(100), longest: Duration::from_secs(2) }
    }
}

impl Retry {
    /// The wait after this attempt, the first being 0; drawn between half of it and the whole, so that many programs
    /// don't come back at one moment.
    pub(crate) fn wait(self, attempt: u32) -> Duration {
        let whole =
            self.first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(self.longest);
        whole.mul_f64(0.5 + crate::random::fraction() / 2.0)
    }
}

impl Settings {
    /// Where the agent is now; it may have come after the settings were made.
    pub(crate) fn path(&self) -> PathBuf {
        if let Some(given) = &self.socket {
            return given.clone();
        }
        let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = named("VAULT_AGENT_SOCKET_PATH") {
            return path;
        }
        let is_socket = |path: &PathBuf| path.metadata().is_ok_and(|found| found.file_type().is_socket());
        places(named).into_iter().find(is_socket).unwrap_or_else(|| SYSTEM_SOCKET.into())
    }
}

/// Where an agent may be, the first one first.
pub(crate) fn places(named: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let home = named("HOME");
    let below = |folder: &Path| folder.join("doorward").join("socket");
    let own = named("DOORWARD_HOME")
        .map(|folder| folder.join("socket"))
        .or_else(|| named("XDG_DATA_HOME").map(|folder| below(&folder)))
        .or_else(|| home.as_ref().map(|home| below(&home.join(".local/share"))));
    let seed = home.map(|home| home.join(".aether-vault/agent.sock"));
    own.into_iter().chain(seed).chain([SYSTEM_SOCKET.into()]).collect()
}

#[cfg(test)]
mod tests;
