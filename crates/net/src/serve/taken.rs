//! A connection that is taken over for another protocol than HTTP, and still counts as one of its door's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// On a reply: the service takes the connection over, for another protocol than HTTP. Without it no reply of a service
/// switches protocols, whoever wrote it.
#[derive(Debug, Clone, Default)]
pub struct TakesOver(Option<watch::Receiver<()>>);

impl TakesOver {
    /// The same; the connection counts as one of the door's until the other end of this channel is gone.
    #[must_use]
    pub const fn until(over: watch::Receiver<()>) -> Self {
        Self(Some(over))
    }
}

/// Whether a connection speaks something else by now, and until when.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    is: AtomicBool,
    until: Mutex<Option<watch::Receiver<()>>>,
}

impl Taken {
    /// Whether what comes behind the last request is not HTTP any more.
    pub(crate) fn is(&self) -> bool {
        self.is.load(Ordering::Relaxed)
    }

    pub(super) fn over(&self, TakesOver(until): TakesOver) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        self.is.store(true, Ordering::Relaxed);
    }

    /// Waits until whoever took it is done.
    pub(super) async fn done(&self) {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut until) = until {
            while until.changed().await.is_ok() {}
        }
    }
}
