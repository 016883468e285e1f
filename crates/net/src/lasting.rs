//! A timer for what is set with every request and hardly ever runs out.
//!
//! The library sets a timer for each head that it waits for, and drops it when the head is there. A timer of the runtime is
//! entered into its wheel and taken out of it each time. Here one timer of the runtime stays set for the whole connection:
//! what ends later than it is not entered anywhere, and where it runs out too early, it is set again for the rest.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

/// The timer of one connection. Its waits come one behind the other; two at a time wake one another too often, never too
/// seldom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lasting(Arc<Mutex<Option<Set>>>);

/// The timer of the runtime, and whom it wakes.
#[derive(Debug)]
struct Set {
    timer: Pin<Box<Sleep>>,
    wakes: Waker,
}

/// One wait.
struct Until {
    end: Instant,
    lasting: Lasting,
}

impl hyper::rt::Timer for Lasting {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, end: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Until { end, lasting: self.clone() })
    }
}

impl hyper::rt::Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut set = self.lasting.0.lock().unwrap_or_else(PoisonError::into_inner);
        let set = set.get_or_insert_with(|| Set {
            timer: Box::pin(sleep_until(self.end.into())),
            wakes: Waker::noop().clone(),
        });
        let early = set.timer.deadline().into_std() <= self.end;
        if early && !set.timer.is_elapsed() && set.wakes.will_wake(cx.waker()) {
            return Poll::Pending;
        }
        set.wakes.clone_from(cx.waker());
        if !early {
            set.timer.as_mut().reset(self.end.into());
        }
        loop {
            ready!(set.timer.as_mut().poll(cx));
            if Instant::now() >= self.end {
                return Poll::Ready(());
            }
            set.timer.as_mut().reset(self.end.into());
        }
    }
}

#[cfg(test)]
mod tests;
