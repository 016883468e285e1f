//! The signal by which the house stops: doors close, calls that have begun end in their own time.
//!
//! One [`Drain`] is held by the wiring, every door holds a [`Draining`]. A signal whose holder is gone counts as given:
//! a door that nobody can close any more closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// The end that stops the house.
#[derive(Debug)]
pub struct Drain {
    sender: watch::Sender<State>,
    given: Arc<AtomicBool>,
}

/// The end that doors and long-lived replies listen to. Cheap to clone, usable on every thread.
#[derive(Debug, Clone)]
pub struct Draining {
    receiver: watch::Receiver<State>,
    /// The same signal, for whoever looks at it with every packet.
    given: Arc<AtomicBool>,
}

/// A signal and its first listener.
#[must_use]
pub fn channel() -> (Drain, Draining) {
    let (sender, receiver) = watch::channel(State::Open);
    let given = Arc::<AtomicBool>::default();
    (Drain { sender, given: Arc::clone(&given) }, Draining { receiver, given })
}

impl Drain {
    /// Tells every door to stop accepting and to let go of its connections. Saying it twice does nothing more.
    pub fn start(&self) {
        self.given.store(true, Ordering::Release);
        self.sender.send_replace(State::Draining);
    }

    /// One more listener.
    #[must_use]
    pub fn listener(&self) -> Draining {
        Draining { receiver: self.sender.subscribe(), given: Arc::clone(&self.given) }
    }
}

impl Draining {
    /// Waits until draining has started; returns at once when it has.
    pub async fn started(&mut self) {
        // An error means that the sender is gone, which counts as the signal.
        let _ = self.receiver.wait_for(|state| *state == State::Draining).await;
    }

    /// Whether draining has started.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.given.load(Ordering::Acquire)
    }
}

impl Drop for Drain {
    /// Nobody could give the signal any more; the channel says so as well.
    fn drop(&mut self) {
        self.given.store(true, Ordering::Release);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Draining,
}

#[cfg(test)]
mod tests;
