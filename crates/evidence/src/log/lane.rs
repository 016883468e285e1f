//! The end of the log that a runtime holds. It gathers what one turn of the runtime brings and sends it as one message.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use model::{EvidenceId, TenantName};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::entry::{Answer, Entry, Message, Pending, What};
use super::gauge::Gauge;
use crate::event::Settles;
use crate::receipt::Held;
use crate::{Closed, Ending, Error, Intent, Kind, Notice, OpenStream, Outcome, Receipt, Refused};

/// How long to wait for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until it is durable: for writes.
    Durable,
    /// Until it has its place in the order; it is durable with the next group, within milliseconds: for reads.
    Appended,
}

/// One end of the log. Make one for each runtime; clones share it. Its futures need a tokio runtime with timers.
#[derive(Clone)]
pub struct Lane(Arc<Inner>);

pub(super) struct Inner {
    buffer: Mutex<Buffer>,
    outbox: mpsc::Sender<Message>,
    gauge: Arc<Gauge>,
    patience: Duration,
}

#[derive(Default)]
struct Buffer {
    pending: Pending,
    /// Whether a task is on its way that will send what is here.
    flushing: bool,
}

impl Lane {
    pub(super) fn new(outbox: mpsc::Sender<Message>, gauge: Arc<Gauge>, patience: Duration) -> Self {
        Self(Arc::new(Inner { buffer: Mutex::default(), outbox, gauge, patience }))
    }

    pub(super) const fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Makes an intent durable and counts its uses in the same transaction.
    ///
    /// # Errors
    /// When uses are spent, or the intent can't be made durable in time. Nothing may be done then. If it becomes durable later
    /// all the same, the log settles it as `abandoned`.
    pub async fn intend(&self, intent: Intent) -> Result<Receipt, Error> {
        self.0.gauge.admit()?;
        let (waiter, answer) = oneshot::channel();
        let kind = intent.kind();
        self.push(|pending| {
            let start = pending.bytes.len();
            if let Err(error) = intent.encode(&mut pending.bytes) {
                pending.bytes.truncate(start);
                return Err(error);
            }
            let Intent { id, tenant, uses, .. } = intent;
            let what = What::Intend { uses, waiter };
            let body = start..pending.bytes.len();
            pending.entries.push(Entry { tenant, kind, id: Some(id), body, what });
            Ok(())
        })?;
        self.wait(answer).await
    }

    /// Records a refusal.
    ///
    /// # Errors
    /// When it can't be made durable in time.
    pub async fn refuse(&self, refused: Refused) -> Result<EvidenceId, Error> {
        let id = refused.id;
        self.note(refused.tenant.clone(), Kind::Refused, Some(id), |to| refused.encode(to)).await?;
        Ok(id)
    }

    /// Records something that happened to Doorward itself.
    ///
    /// # Errors
    /// When it can't be made durable in time.
    pub async fn announce(&self, notice: Notice) -> Result<(), Error> {
        self.note(TenantName::local(), notice.kind(), None, |_| {}).await
    }

    /// Spends a receipt.
    ///
    /// # Errors
    /// When the outcome is not durable in time ([`Wait::Durable`]), or the log takes nothing any more. The outcome must be given as
    /// `unknown` then; the log goes on trying to write what it took.
    pub async fn settle(&self, receipt: Receipt, outcome: Outcome, wait: Wait) -> Result<EvidenceId, Error> {
        let settles = receipt.settles();
        let (tenant, held) = receipt.spend();
        let gives_back = outcome.gives_back();
        let settling = Settling { kind: Kind::Outcome, tenant, settles, held, gives_back };
        self.settled(settling, wait, |to| outcome.encode(settles, to)).await
    }

    /// Records the head of a stream; its end is recorded by [`Self::settle_close`].
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub async fn settle_head(
        &self,
        receipt: Receipt,
        head: Outcome,
        wait: Wait,
    ) -> Result<OpenStream, Error> {
        let settles = receipt.settles();
        let (tenant, held) = (receipt.tenant().clone(), receipt.hold());
        // A stream that has begun keeps its uses, whatever its head says.
        let settling = Settling { kind: Kind::Head, tenant, settles, held, gives_back: false };
        self.settled(settling, wait, |to| head.encode(settles, to)).await?;
        Ok(OpenStream::new(receipt))
    }

    /// Records the end of a stream. Returns when it has its place in the order: nobody waits for it any more.
    ///
    /// # Errors
    /// When the log takes nothing any more.
    pub async fn settle_close(&self, open: OpenStream, close: Closed) -> Result<EvidenceId, Error> {
        let receipt = open.into_receipt();
        let settles = receipt.settles();
        let (tenant, held) = receipt.spend();
        let settling = Settling { kind: Kind::Close, tenant, settles, held, gives_back: false };
        self.settled(settling, Wait::Appended, |to| close.encode(settles, to)).await
    }

    async fn note(
        &self,
        tenant: TenantName,
        kind: Kind,
        id: Option<EvidenceId>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Error> {
        self.0.gauge.admit()?;
        let (waiter, answer) = oneshot::channel();
        self.push(|pending| {
            let start = pending.bytes.len();
            encode(&mut pending.bytes);
            let body = start..pending.bytes.len();
            pending.entries.push(Entry { tenant, kind, id, body, what: What::Note { waiter } });
            Ok(())
        })?;
        self.wait(answer).await
    }

    async fn settled(
        &self,
        settling: Settling,
        wait: Wait,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<EvidenceId, Error> {
        self.0.gauge.admit_outcome()?;
        let id = settling.settles.id;
        let (waiter, answer) = match wait {
            Wait::Durable => {
                let (waiter, answer) = oneshot::channel();
                (Some(waiter), Some(answer))
            }
            Wait::Appended => (None, None),
        };
        self.push(|pending| {
            let Settling { kind, tenant, settles, held, gives_back } = settling;
            let start = pending.bytes.len();
            encode(&mut pending.bytes);
            let body = start..pending.bytes.len();
            let what = What::Settle { held: Some(held), gives_back, waiter };
            pending.entries.push(Entry { tenant, kind, id: Some(settles.id), body, what });
            Ok(())
        })?;
        if let Some(answer) = answer {
            self.wait(answer).await?;
        }
        Ok(id)
    }

    /// Adds to the buffer. The first one brings a task on its way that sends the buffer when the other ready tasks of this
    /// runtime had their turn, so that one message and one wake-up serve all of them.
    fn push(&self, add: impl FnOnce(&mut Pending) -> Result<(), Error>) -> Result<(), Error> {
        let added = Handle::try_current().map_err(|source| Error::System {
            what: "record evidence outside of a runtime",
            source: std::io::Error::other(source),
        });
        let first = added.and_then(|runtime| {
            let mut buffer = self.0.lock();
            add(&mut buffer.pending)?;
            Ok((!std::mem::replace(&mut buffer.flushing, true)).then_some(runtime))
        });
        match first {
            Ok(runtime) => {
                if let Some(runtime) = runtime {
                    runtime.spawn(flush(Flush(Some(Arc::clone(&self.0)))));
                }
                Ok(())
            }
            Err(error) => {
                self.0.gauge.leave(1);
                Err(error)
            }
        }
    }

    async fn wait<T>(&self, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(self.0.patience, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Closed),
            Err(_) => Err(Error::Slow),
        }
    }
}

/// An outcome, head or close on its way into the buffer.
struct Settling {
    kind: Kind,
    tenant: TenantName,
    settles: Settles,
    held: Held,
    gives_back: bool,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        // Whoever panicked in there has left whole entries behind.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Pending {
        let mut buffer = self.lock();
        // In the same breath, so that whoever pushes next brings a new flush on its way.
        buffer.flushing = false;
        // As much capacity as this turn needed, as the next one brings about as much.
        let next = Pending {
            bytes: Vec::with_capacity(buffer.pending.bytes.len()),
            entries: Vec::with_capacity(buffer.pending.entries.len()),
        };
        std::mem::replace(&mut buffer.pending, next)
    }

    /// Sends what is there without waiting for the runtime, for it may have ended. Answers go nowhere.
    pub(super) fn send_now(&self) {
        let pending = self.take();
        if !pending.entries.is_empty() && self.outbox.send(Message::Records(pending, None)).is_err() {
            self.gauge.close();
        }
    }
}

/// A flush on its way. If its runtime ends before, outcomes that were taken in must not wait for the next push.
struct Flush(Option<Arc<Inner>>);

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(inner) = &self.0 {
            inner.send_now();
        }
    }
}

/// Sends the buffer after one turn of the runtime, and hands the answers to those who wait.
async fn flush(mut flush: Flush) {
    tokio::task::yield_now().await;
    let Some(inner) = flush.0.take() else { return };
    let pending = inner.take();
    let (reply, answers) = if pending.is_awaited() {
        let (reply, answers) = oneshot::channel();
        (Some(reply), Some(answers))
    } else {
        (None, None)
    };
    if inner.outbox.send(Message::Records(pending, reply)).is_err() {
        // The message is dropped with its waiters, who see that the log is closed.
        inner.gauge.close();
        return;
    }
    let Some(answers) = answers else { return };
    for answer in answers.await.unwrap_or_default() {
        match answer {
            Answer::Plain(waiter, result) => drop(waiter.send(result)),
            Answer::Intent(waiter, result) => {
                if let Err(Ok(receipt)) = waiter.send(result) {
                    abandon(&inner, receipt);
                }
            }
        }
    }
}

/// Whoever asked was refused meanwhile or is gone: nothing was lent or sent under this intent.
fn abandon(inner: &Arc<Inner>, receipt: Receipt) {
    let settles = receipt.settles();
    let (tenant, held) = receipt.spend();
    let lane = Lane(Arc::clone(inner));
    if inner.gauge.admit_outcome().is_err() {
        // The log takes nothing any more; the intent ends as `unknown` when it is opened again.
        return;
    }
    let pushed = lane.push(|pending| {
        let start = pending.bytes.len();
        let outcome = Outcome::bare(Ending::Abandoned);
        outcome.encode(settles, &mut pending.bytes);
        let body = start..pending.bytes.len();
        let what = What::Settle { held: Some(held), gives_back: outcome.gives_back(), waiter: None };
        pending.entries.push(Entry { tenant, kind: Kind::Outcome, id: Some(settles.id), body, what });
        Ok(())
    });
    if let Err(error) = pushed {
        tracing::warn!(%error, "an abandoned intent stays open until it is swept");
    }
}
