//! How an integration's service is reached, where its file says more than where it is.

use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use model::Authority;

/// How the service is reached. Nothing here means: as everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The only certificate authorities that count there, in PEM.
    pub authorities: Option<String>,
    /// The file that they were read from.
    pub authorities_from: Option<PathBuf>,
    /// The proxy through which it is reached.
    pub proxy: Option<Authority>,
    /// Most connections that wait for the next request, on each thread.
    pub idle: Option<usize>,
    /// How long they wait.
    pub idle_for: Option<Duration>,
    /// Most requests at a time, on all threads together.
    pub most: Option<NonZeroUsize>,
    /// Whether a connection is used for more than one request.
    pub keep_alive: bool,
    /// Longest time for the TLS handshake alone.
    pub handshake: Option<Duration>,
    /// How often a call that may be repeated is repeated.
    pub retries: Option<Retries>,
    /// When a service that fails is left alone.
    pub breaker: Option<Breaker>,
}

/// How often a call that may be repeated is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Most repetitions of one call.
    pub most: NonZeroU32,
    /// Most repetitions for each hundred calls, beyond the first few.
    pub percent: NonZeroU32,
}

/// When a service that fails is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// How many failures one behind the other open it.
    pub failures: NonZeroU32,
    /// How long it stays open before one call tries again.
    pub rest: Duration,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            authorities: None,
            authorities_from: None,
            proxy: None,
            idle: None,
            idle_for: None,
            most: None,
            keep_alive: true,
            handshake: None,
            retries: None,
            breaker: None,
        }
    }
}

impl Connection {
    /// Whether the file of its authorities still holds what was read from it.
    pub(crate) fn is_as_read(&self) -> bool {
        self.authorities_from
            .as_ref()
            .is_none_or(|path| fs::read_to_string(path).is_ok_and(|text| Some(text) == self.authorities))
    }

    /// Whether connections to it are made like any other.
    #[must_use]
    pub const fn is_usual(&self) -> bool {
        let Self {
            authorities: None,
            authorities_from: _,
            proxy: None,
            idle: None,
            idle_for: None,
            most: None,
            keep_alive: true,
            handshake: None,
            retries: _,
            breaker: _,
        } = self
        else {
            return false;
        };
        true
    }
}
