//! The end of the log that a runtime holds. It gathers what a few turns of the runtime bring and sends it as one message.
//!
//! Waking the writer costs two switches of threads and a commit, whatever the message holds, so a busy runtime is let go on
//! for as long as each of its turns adds to the message. What nobody waits for never wakes the writer by itself: it rides
//! with the next message, or goes after [`RIDE`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use model::{EvidenceId, TenantName};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::entry::{Awaited, Entry, Message, Pending, Waiter, What};
use super::gauge::Gauge;
use crate::event::Settles;
use crate::receipt::Held;
use crate::{
    Answered, Closed, CounterId, Error, Intent, Kind, Notice, OpenStream, Outcome, Receipt, Refused,
};

/// How long to wait for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until it is durable: for writes.
    Durable,
    /// Until it has its place in the order; it is durable with the next group, within milliseconds: for reads.
    Appended,
}

/// When the outcomes of a lane are durable for which [`Wait::Durable`] is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcomes {
    /// When they are settled.
    Settled,
    /// When the log was closed, which writes them together with its last checkpoint. For a process that lives for one call
    /// and gives its answer behind the close.
    Closed,
}

/// One end of the log. Make one for each runtime; clones share it. Its futures need a tokio runtime with timers.
#[derive(Clone)]
pub struct Lane(Arc<Inner>);

pub(super) struct Inner {
    buffer: Mutex<Buffer>,
    outbox: mpsc::Sender<Message>,
    gauge: Arc<Gauge>,
    patience: Duration,
    outcomes: Outcomes,
}

#[derive(Default)]
struct Buffer {
    pending: Pending,
    /// Who waits for them, in the order of the entries that are awaited.
    waiters: Vec<Waiter>,
    /// A task is on its way that will send what is here, because somebody waits.
    flushing: bool,
    /// A task is on its way that will send what is here later, because nobody does.
    riding: bool,
}

impl Lane {
    pub(super) fn new(
        outbox: mpsc::Sender<Message>,
        gauge: Arc<Gauge>,
        patience: Duration,
        outcomes: Outcomes,
    ) -> Self {
        Self(Arc::new(Inner { buffer: Mutex::default(), outbox, gauge, patience, outcomes }))
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
        self.push(Some(Waiter::Intent(waiter)), |pending| {
            let start = pending.bytes.len();
            if let Err(error) = intent.encode(&mut pending.bytes) {
                pending.bytes.truncate(start);
                return Err(error);
            }
            let Intent { id, tenant, uses, .. } = intent;
            let what = What::Intend { uses };
            let body = start..pending.bytes.len();
            pending.entries.push(Entry { tenant, kind, id: Some(id), body, what });
            Ok(())
        })?;
        given(answer).await
    }

    /// Records a refusal.
    ///
    /// # Errors
    /// When it can't be made durable in time.
    pub async fn refuse(&self, refused: Refused) -> Result<EvidenceId, Error> {
        let id = refused.id;
        let tenant = refused.tenant.clone();
        self.note(tenant, (Kind::Refused, Some(id)), What::Note, |to| refused.encode(to)).await?;
        Ok(id)
    }

    /// Records something that happened to Doorward itself.
    ///
    /// # Errors
    /// When it can't be made durable in time.
    pub async fn announce(&self, notice: Notice) -> Result<(), Error> {
        self.note(TenantName::local(), (notice.kind(), None), What::Note, |_| {}).await
    }

    /// Removes counters of uses, and records that they are gone. For what is over for good: whoever could still use what they
    /// count would begin anew. Those that an open intent counted stay, and so do those that there are not.
    ///
    /// # Errors
    /// When it can't be made durable in time.
    pub async fn forget(&self, tenant: TenantName, counters: Vec<CounterId>) -> Result<(), Error> {
        self.note(tenant, (Kind::Forgotten, None), What::Forget { counters }, |_| {}).await
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

    /// Records a question with its answer, in one record. Returns when it has its place in the order, as for [`Wait::Appended`];
    /// while the log can't write, when it is durable.
    ///
    /// # Errors
    /// When it is no question ([`Error::NoQuestion`]), or the log takes nothing: then the answer must not be given.
    pub async fn answered(&self, answered: Answered) -> Result<EvidenceId, Error> {
        self.0.gauge.admit()?;
        let id = answered.asked.id;
        // What waits for the next try shows that the disk takes nothing: then nobody gets an answer on trust.
        let (awaited, waiter, answer) = if self.0.gauge.is_behind() {
            let (waiter, answer) = oneshot::channel();
            (Awaited::Yes, Some(Waiter::Plain(waiter)), Some(answer))
        } else {
            (Awaited::No, None, None)
        };
        self.push(waiter, |pending| {
            let start = pending.bytes.len();
            if let Err(error) = answered.encode(&mut pending.bytes) {
                pending.bytes.truncate(start);
                return Err(error);
            }
            let body = start..pending.bytes.len();
            // It settles no intent, so the state is not asked for one.
            let what = What::Settle { held: None, gives_back: false, awaited };
            let tenant = answered.asked.tenant;
            pending.entries.push(Entry { tenant, kind: Kind::Answered, id: None, body, what });
            Ok(())
        })?;
        if let Some(answer) = answer {
            given(answer).await?;
        }
        Ok(id)
    }

    async fn note(
        &self,
        tenant: TenantName,
        (kind, id): (Kind, Option<EvidenceId>),
        what: What,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Error> {
        self.0.gauge.admit()?;
        let (waiter, answer) = oneshot::channel();
        self.push(Some(Waiter::Plain(waiter)), |pending| {
            let start = pending.bytes.len();
            encode(&mut pending.bytes);
            let body = start..pending.bytes.len();
            pending.entries.push(Entry { tenant, kind, id, body, what });
            Ok(())
        })?;
        given(answer).await
    }

    async fn settled(
        &self,
        settling: Settling,
        wait: Wait,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<EvidenceId, Error> {
        self.0.gauge.admit_outcome()?;
        let id = settling.settles.id;
        let (awaited, waiter, answer) = match wait {
            Wait::Durable if self.0.outcomes == Outcomes::Settled => {
                let (waiter, answer) = oneshot::channel();
                (Awaited::Yes, Some(Waiter::Plain(waiter)), Some(answer))
            }
            Wait::Durable | Wait::Appended => (Awaited::No, None, None),
        };
        self.push(waiter, |pending| {
            let Settling { kind, tenant, settles, held, gives_back } = settling;
            let start = pending.bytes.len();
            encode(&mut pending.bytes);
            let body = start..pending.bytes.len();
            let what = What::Settle { held: Some(held), gives_back, awaited };
            pending.entries.push(Entry { tenant, kind, id: Some(settles.id), body, what });
            Ok(())
        })?;
        if let Some(answer) = answer {
            given(answer).await?;
        }
        Ok(id)
    }

    /// Adds to the buffer. The first one for whom somebody waits brings a task on its way that sends the buffer, so that one
    /// message and one wake-up serve all who come meanwhile.
    fn push(
        &self,
        waiter: Option<Waiter>,
        add: impl FnOnce(&mut Pending) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let awaited = if waiter.is_some() { Awaited::Yes } else { Awaited::No };
        let first = self.0.buffered(waiter, awaited, add).inspect_err(|_| self.0.gauge.leave(1))?;
        if let Some(runtime) = first {
            let on_its_way = Flush(Some(Arc::clone(&self.0)));
            match awaited {
                Awaited::Yes => drop(runtime.spawn(flush::flush(on_its_way))),
                Awaited::No => drop(runtime.spawn(ride(on_its_way))),
            }
        }
        Ok(())
    }
}

fn current_runtime() -> Result<Handle, Error> {
    Handle::try_current().map_err(|source| Error::System {
        what: "record evidence outside of a runtime",
        source: std::io::Error::other(source),
    })
}

/// The answer, which [`flush`] gives within the patience of the lane.
async fn given<T>(answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    answer.await.unwrap_or(Err(Error::Closed))
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

    /// Adds to the buffer. The runtime, where nobody is on the way yet who will send it.
    fn buffered(
        &self,
        waiter: Option<Waiter>,
        awaited: Awaited,
        add: impl FnOnce(&mut Pending) -> Result<(), Error>,
    ) -> Result<Option<Handle>, Error> {
        let mut buffer = self.lock();
        let first = match awaited {
            Awaited::Yes => !buffer.flushing,
            Awaited::No => !buffer.flushing && !buffer.riding,
        };
        // Before anything is added: what nobody would send must not stand there.
        let runtime = first.then(current_runtime).transpose()?;
        add(&mut buffer.pending)?;
        buffer.waiters.extend(waiter);
        match awaited {
            Awaited::Yes => buffer.flushing = true,
            Awaited::No => buffer.riding |= first,
        }
        Ok(runtime)
    }

    /// Everything that is there, and who waits for it.
    pub(super) fn take(&self) -> (Pending, Vec<Waiter>) {
        let mut buffer = self.lock();
        // In the same breath, so that whoever pushes next brings a new flush on its way.
        buffer.flushing = false;
        // As much capacity as this turn needed, as the next one brings about as much.
        let next = Pending {
            bytes: Vec::with_capacity(buffer.pending.bytes.len()),
            entries: Vec::with_capacity(buffer.pending.entries.len()),
        };
        let waiters = Vec::with_capacity(buffer.waiters.len());
        (std::mem::replace(&mut buffer.pending, next), std::mem::replace(&mut buffer.waiters, waiters))
    }

    /// Sends what is there without waiting for the runtime, for it may have ended. Answers go nowhere.
    fn send_now(&self) {
        let (pending, _) = self.take();
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
            inner.lock().riding = false;
            inner.send_now();
        }
    }
}

/// Sends what nobody waits for, unless it rode with something else meanwhile.
async fn ride(mut flush: Flush) {
    tokio::time::sleep(RIDE).await;
    let Some(inner) = flush.0.take() else { return };
    let mut buffer = inner.lock();
    buffer.riding = false;
    if !buffer.flushing {
        drop(buffer);
        inner.send_now();
    }
}

/// Gives the runtime a turn, and further ones as long as each brings more than the one before had: then it is busy, and
/// whoever waits gains more by sharing a commit than by an early one.
async fn gather(inner: &Inner) {
    let mut known = 1;
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
        let entries = inner.lock().pending.entries.len();
        if entries <= known {
            return;
        }
        known = entries;
    }
}

/// How long a record for which nobody waits may wait for others.
const RIDE: Duration = Duration::from_millis(5);
/// Most turns of the runtime that a message may wait for more.
const TURNS: usize = 4;

mod flush;

#[cfg(test)]
mod tests;
