//! One HTTP connection of a caller, to its end.
//!
//! The HTTP library keeps 8 KiB for reading and as much for writing as long as a connection lives, and thousands of connections
//! wait for most of their lives. So where nothing was asked for a while, the library's part is dropped with its buffers, and the
//! connection waits for its next request like one that has just come. What tells that nothing is lost by it is our own reading of
//! the stream ([`Watched`]), not a guess: it stands exactly behind a message, and each message has had its whole answer.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep};

use super::lent::{Home, Lent};
use super::transport::Transport;
use super::{Door, answer};
use crate::Peer;
use crate::lasting::Lasting;
use crate::wire::{Progress, Watch, Watched};

impl Door {
    /// Serves it until it ends, or the house drains.
    pub(super) async fn connection(mut self, stream: Transport, peer: Peer) {
        let watched = Watched::new(stream, self.watch());
        let (progress, taken) = (watched.progress(), watched.taken());
        let (service, switched, told) = (self.service, Arc::clone(&taken), Arc::clone(&progress));
        let handler = move |request| {
            let (service, peer) = (Arc::clone(&service), peer.clone());
            let (taken, progress) = (Arc::clone(&taken), Arc::clone(&told));
            async move {
                let reply = answer(service, request, peer, taken).await;
                Ok::<_, Infallible>(reply.map(|body| progress.counted(body)))
            }
        };
        self.builder.http1().timer(Lasting::default());
        let home = Arc::<Home>::default();
        let begin = |watched| {
            let io = TokioIo::new(Lent::new(watched, &home));
            self.builder.serve_connection_with_upgrades(io, service_fn(handler.clone()))
        };
        let mut serving = pin!(Some(begin(watched)));
        let draining = self.draining.clone();
        let mut started = pin!(self.draining.started());
        let mut told = Told::No;
        let mut looking = Looking::new(self.limits.head, self.limits.quiet);
        let mut asked: Option<Waker> = None;
        // By hand and not by `select!`: the signal and the timer wake this task by themselves once they were asked with its
        // waker, and are not asked again with every packet.
        poll_fn(|cx| {
            loop {
                let Some(mut connection) = serving.as_mut().as_pin_mut() else { return Poll::Ready(()) };
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    noted(ended);
                    return Poll::Ready(());
                }
                let again = asked.as_ref().is_some_and(|asked| asked.will_wake(cx.waker()));
                let drains = told == Told::No && (!again || draining.has_started());
                if drains && started.as_mut().poll(cx).is_ready() {
                    told = Told::Yes;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                match looking.look(cx, &progress, again) {
                    Seen::Late => return Poll::Ready(()),
                    Seen::Waiting if told == Told::No && !switched.is() => {
                        home.wants();
                        serving.set(None);
                        serving.set(home.take().map(&begin));
                        looking.begin_again(&progress);
                        asked = None;
                    }
                    Seen::Waiting | Seen::Nothing => {
                        if !again {
                            asked = Some(cx.waker().clone());
                        }
                        return Poll::Pending;
                    }
                }
            }
        })
        .await;
        switched.done().await;
    }

    const fn watch(&self) -> Watch {
        Watch { head: self.limits.head_bytes, write_stall: self.limits.write_stall }
    }
}

fn noted<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a caller's connection broke");
    }
}

/// Looks now and then whether anything happens.
struct Looking {
    timer: Pin<Box<Sleep>>,
    waiting: For,
    head: Duration,
    quiet: Duration,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// A head, behind so many. The library has no limit for the bytes by which it tells HTTP/1 from HTTP/2.
    Head(u64),
    /// Another head than these, which would mean that the connection is in use.
    Other(u64),
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// No head came in time.
    Late,
    /// Nothing was asked for a while, and nothing is on its way.
    Waiting,
}

impl Looking {
    fn new(head: Duration, quiet: Duration) -> Self {
        Self { timer: Box::pin(tokio::time::sleep(head)), waiting: For::Head(0), head, quiet }
    }

    fn look(&mut self, cx: &mut Context<'_>, progress: &Progress, again: bool) -> Seen {
        let heads = progress.heads();
        let mut again = again;
        if let For::Head(known) = self.waiting
            && heads > known
        {
            again = self.wait(For::Other(heads), self.quiet);
        }
        while (!again || self.timer.is_elapsed()) && self.timer.as_mut().poll(cx).is_ready() {
            match self.waiting {
                For::Head(_) => return Seen::Late,
                For::Other(known) if known == heads && progress.is_quiet() => return Seen::Waiting,
                For::Other(_) => again = self.wait(For::Other(heads), self.quiet),
            }
        }
        Seen::Nothing
    }

    /// The time that it has waited already counts.
    fn begin_again(&mut self, progress: &Progress) {
        let _ = self.wait(For::Head(progress.heads()), self.head.saturating_sub(self.quiet));
    }

    /// Sets the timer, which wakes nobody until it is asked again.
    fn wait(&mut self, waiting: For, longest: Duration) -> bool {
        self.waiting = waiting;
        self.timer.as_mut().reset(Instant::now() + longest);
        false
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    No,
    Yes,
}
