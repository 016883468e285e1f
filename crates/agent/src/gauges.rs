//! What an agent counts of itself: connections, requests under way, since when it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use net::Shares;
use tokio::time::Instant;

use crate::lines::resources::Numbers;
use crate::numbers::Counted;

/// The gauges of one agent; all its sockets share them.
#[derive(Debug)]
pub struct Gauges {
    started: Instant,
    /// Time on the processors before the agent began to serve.
    before: Duration,
    connections: AtomicUsize,
    accepted: AtomicU64,
    busy: AtomicUsize,
    /// Connections of the line protocol that other users than the owner and root have.
    pub(crate) shares: Arc<Shares>,
    /// All connections that they have, also those that say nothing.
    pub(crate) accepting: Arc<Shares>,
    pub(crate) counted: Counted,
}

impl Gauges {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            before: Numbers::read().cpu.unwrap_or_default(),
            connections: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            shares: Arc::default(),
            accepting: Arc::default(),
            counted: Counted::default(),
        })
    }

    /// How long it runs.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The share of one processor that was used since the start, in percent, from all the time on them.
    pub(crate) fn share(&self, cpu: Duration) -> f64 {
        100.0 * cpu.saturating_sub(self.before).as_secs_f64() / self.uptime().as_secs_f64().max(0.001)
    }

    /// Connections of the line protocol that are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Requests that wait for their answer.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    /// Counts a connection as long as what is returned lives.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        Connected { gauges: Arc::clone(self), number }
    }

    /// Counts a request as long as what is returned lives.
    pub(crate) fn asked(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Connected {
    gauges: Arc<Gauges>,
    /// Counted from 1, never given twice.
    pub(crate) number: u64,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.gauges.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that is counted.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Gauges>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
