//! The evidence log while it is open, and how it ends.
//!
//! A sealed broker may still have calls that end with what they have, and a stream may take an hour. They go on writing to
//! the log that they began with. Unsealing takes that log over where it is still there, and else waits until its thread has
//! written the last group: two logs never write to one chain.

use std::sync::{Arc, Weak};
use std::time::Duration;

use evidence::{Lane, Log, Outcomes};
use model::{Code, Refusal};

use super::refused;

/// An open evidence log with its lanes. Ended in good order by whoever lets go of it last.
pub(super) struct Running {
    log: Log,
    lanes: Vec<Lane>,
    /// Gone only after the log's thread has ended: fields are dropped behind [`Running::drop`].
    ended: Arc<()>,
}

/// A log that calls from before a sealing may still write to.
#[derive(Default)]
pub(super) struct Ending {
    running: Weak<Running>,
    ended: Weak<()>,
}

impl Running {
    pub(super) fn new(log: Log, threads: usize, outcomes: Outcomes) -> Self {
        let lanes = (0..threads.max(1)).map(|_| log.lane_with(outcomes)).collect();
        Self { log, lanes, ended: Arc::default() }
    }

    pub(super) const fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn lane(&self, thread: usize) -> Option<&Lane> {
        self.lanes.get(thread % self.lanes.len().max(1))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without this, the thread could still be writing while the next log is opened over the same chain.
        if let Err(error) = self.log.close() {
            tracing::error!(%error, "the evidence log did not end in good order");
        }
    }
}

impl Ending {
    pub(super) fn of(running: &Arc<Running>) -> Self {
        Self { running: Arc::downgrade(running), ended: Arc::downgrade(&running.ended) }
    }

    /// The log, where somebody still writes to it.
    pub(super) fn running_still(&self) -> Option<Arc<Running>> {
        self.running.upgrade()
    }

    /// Waits until the log has written its last group.
    pub(super) fn wait(&self) -> Result<(), Refusal> {
        for _ in 0..500 {
            if self.ended.strong_count() == 0 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let message = "the evidence from before the sealing is still being written";
        Err(Refusal::new(Code::Sealed, message).hint("try again in a moment"))
    }
}

/// Records that the keys are there again. On a runtime of its own: unsealing is called from a thread that may block.
pub(super) fn announce(log: &Log) -> Result<(), Refusal> {
    let wrong = |error: std::io::Error| Refusal::new(Code::SourceUnavailable, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(wrong)?;
    let lane = log.lane();
    let announced = runtime.block_on(lane.announce(evidence::Notice::Unsealed));
    announced.map_err(|error| refused(&error, Code::EvidenceUnavailable, error.hint()))
}
