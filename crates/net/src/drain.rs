//! The signal by which the house stops: doors close, calls that have begun end in their own time.
//!
//! One [`Drain`] is held by the wiring, every door holds a [`Draining`]. A signal whose holder is gone counts as given:
//! a door that nobody can close any more closes.

use tokio::sync::watch;

/// The end that stops the house.
#[derive(Debug)]
pub struct Drain(watch::Sender<State>);

/// The end that doors and long-lived replies listen to. Cheap to clone, usable on every thread.
#[derive(Debug, Clone)]
pub struct Draining(watch::Receiver<State>);

/// A signal and its first listener.
#[must_use]
pub fn channel() -> (Drain, Draining) {
    let (sender, receiver) = watch::channel(State::Open);
    (Drain(sender), Draining(receiver))
}

impl Drain {
    /// Tells every door to stop accepting and to let go of its connections. Saying it twice does nothing more.
    pub fn start(&self) {
        self.0.send_replace(State::Draining);
    }

    /// One more listener.
    #[must_use]
    pub fn listener(&self) -> Draining {
        Draining(self.0.subscribe())
    }
}

impl Draining {
    /// Waits until draining has started; returns at once when it has.
    pub async fn started(&mut self) {
        // An error means that the sender is gone, which counts as the signal.
        let _ = self.0.wait_for(|state| *state == State::Draining).await;
    }

    /// Whether draining has started.
    #[must_use]
    pub fn has_started(&self) -> bool {
        *self.0.borrow() == State::Draining || self.0.has_changed().is_err()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Draining,
}

#[cfg(test)]
mod tests;
