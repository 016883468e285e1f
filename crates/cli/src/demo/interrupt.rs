//! Ctrl-C during the demo, or a terminal that is closed: it ends at the next step, and removes what it made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Failure, Outcome};
use crate::wire;

/// Whether somebody wants the demo to end.
#[derive(Debug, Clone)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on, on a thread that ends with the process.
    pub(super) fn listen() -> Outcome<Self> {
        let runtime = wire::runtime()?;
        let entered = runtime.enter();
        let on = |kind| signal(kind).map_err(|error| Failure::doing("could not listen for signals", &error));
        let (mut interrupt, mut terminate) = (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
        // Its terminal is gone, or somebody types Ctrl-\.
        let (mut hangup, mut quit) = (on(SignalKind::hangup())?, on(SignalKind::quit())?);
        drop(entered);
        let flag = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&flag);
        let listening = std::thread::Builder::new().name("demo-interrupt".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                    _ = quit.recv() => {}
                }
            });
            heard.store(true, Ordering::SeqCst);
        });
        listening.map(drop).map_err(|error| Failure::doing("could not listen for signals", &error))?;
        Ok(Self(flag))
    }

    /// An error where it came.
    pub(super) fn none_yet(&self) -> Outcome {
        if self.0.load(Ordering::SeqCst) { Err(Failure::new("the demo was interrupted")) } else { Ok(()) }
    }

    /// Waits until it comes.
    pub(super) fn wait(&self) {
        while !self.0.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
