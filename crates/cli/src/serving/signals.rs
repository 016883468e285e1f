//! What a process is told by signals.

use std::time::Duration;

use net::Drain;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, Outcome};

/// Every signal that is listened to.
pub(super) struct Signals {
    pub(super) stops: Stops,
    pub(super) reloads: Signal,
}

/// SIGINT and SIGTERM.
pub(crate) struct Stops {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> Outcome<Self> {
        Ok(Self { stops: Stops::listen()?, reloads: on(SignalKind::hangup())? })
    }
}

fn on(kind: SignalKind) -> Outcome<Signal> {
    signal(kind).map_err(|error| Failure::doing("could not listen for signals", &error))
}

impl Stops {
    /// Listens from now on.
    pub(crate) fn listen() -> Outcome<Self> {
        Ok(Self { interrupt: on(SignalKind::interrupt())?, terminate: on(SignalKind::terminate())? })
    }

    pub(crate) async fn either(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Drains the doors at the first of them, and waits until the last door has closed.
    pub(crate) async fn drained<D: Future>(mut self, drain: &Drain, doors: Vec<D>) {
        let stop = async {
            self.either().await;
            drain.start();
        };
        tokio::join!(stop, async {
            for door in doors {
                let _ = door.await;
            }
        });
    }
}

/// Signals that come within this time are one.
pub(super) const ONE_WORD: Duration = Duration::from_secs(1);
