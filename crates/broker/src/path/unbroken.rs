//! A future that comes to its end, whether or not anybody waits for it.
//!
//! As long as its caller waits, it runs where the caller waits: a task of its own for each call would be moved whole several
//! times and woken once more. When the caller goes away, what is left of it moves to a task of its own.
//!
//! # Invariants
//!
//! - Only the end of the runtime cancels it, as it cancels any task.
//! - A panic in it ends the call, never the connection that the call came in by.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// See the module.
pub(super) struct Unbroken<F>(Option<Pin<Box<F>>>)
where
    F: Future + Send + 'static,
    F::Output: Send;

/// The future panicked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Panicked;

impl<F> Unbroken<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// Begins when it is first polled; from then on nothing cancels it.
    pub(super) fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F> Future for Unbroken<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { return Poll::Ready(Err(Panicked)) };
        // It is dropped behind a panic and never polled again, so nobody sees what the panic left half done in it.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        let done = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(_) => Err(Panicked),
        };
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<F> Drop for Unbroken<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// Nobody waits any more. Task `call-alone`; its owner is the runtime, and it ends with the call. Without a runtime
    /// there is nothing left that a task could have run on either.
    fn drop(&mut self) {
        if let Some(future) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests;
