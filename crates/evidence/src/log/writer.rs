//! The thread that writes: takes what waits, stages it as one group, commits it, tells those who wait.
//!
//! # Invariants
//!
//! - A receipt is made only behind a commit that succeeded.
//! - After a commit that failed, the state is as before the group; outcomes of the group are kept for the next one.
//! - After a commit of which nobody knows whether it succeeded, nothing is ever written again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crypto::{Digest, SigningKey};
use model::{Clock, EvidenceId, TenantName, Timestamp};
use store::{Batch, Row, Step, Storage, Table};
use tokio::sync::oneshot;

use super::entry::{Answer, Awaited, Entry, Message, Pending, What};
use super::gauge::Gauge;
use super::recover;
use super::signing::Signed;
use super::state::State;
use crate::note::Origin;
use crate::receipt::Held;
use crate::{Error, Kind, Receipt, checkpoint};

/// See the module.
pub(super) struct Writer {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) key: SigningKey,
    pub(super) origin: Origin,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gauge: Arc<Gauge>,
    pub(super) state: State,
    /// Outcomes that wait for the next group: nobody waits for them, or their group failed.
    kept: Pending,
    queue: VecDeque<Work>,
    duties: Duties,
    /// The log is being closed: the last group is signed with itself, not behind itself.
    closing: bool,
}

/// What is to be done without being asked, and when.
#[derive(Default)]
struct Duties {
    /// Write what waits.
    write: Option<Instant>,
    /// Sign what is not signed.
    sign: Option<Instant>,
    /// Look for intents that nobody can settle any more.
    sweep: Option<Instant>,
}

/// Records, and where the answers go.
type Work = (Pending, Option<oneshot::Sender<Vec<Answer>>>);

/// What became of one entry when its group was staged.
enum Staged {
    /// It stands in the chain.
    Record { seq: u64, leaf: Digest, held: Held },
    /// It has no place there.
    Refused(Error),
}

/// Where a receipt of the group comes from: the commit, or why there was none.
type Committed = Result<(), Arc<store::Error>>;

impl Writer {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        signer: (SigningKey, Origin),
        clock: Arc<dyn Clock>,
        gauge: Arc<Gauge>,
        state: State,
    ) -> Self {
        let (key, origin) = signer;
        let (kept, queue, duties) = (Pending::default(), VecDeque::new(), Duties::default());
        Self { storage, key, origin, clock, gauge, state, kept, queue, duties, closing: false }
    }

    /// Records that the log was opened, and settles what the last run left open. Only the latter is worth a commit of its own.
    pub(super) fn start(&mut self, version: &str) -> Result<(), Error> {
        let start = self.kept.bytes.len();
        crate::event::started(version, &mut self.kept.bytes);
        self.keep(TenantName::local(), Kind::Started, None, start);
        self.sweep();
        if self.kept.entries.len() > 1 {
            self.write().map_err(Error::Write)?;
        } else {
            // A process that lives for one call brings its first intent soon; one commit serves both.
            self.duties.write = Some(Instant::now() + BEGINNING);
        }
        Ok(())
    }

    /// Writes until the last lane is gone or the log is closed. The last thing written is a checkpoint.
    pub(super) fn run(mut self, inbox: &Receiver<Message>) -> Result<(), Error> {
        let mut going = true;
        while going {
            match inbox.recv_timeout(self.duties.wait(Instant::now())) {
                Ok(message) => going = self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => going = false,
            }
            while going && let Ok(message) = inbox.try_recv() {
                going = self.take(message);
            }
            self.closing = !going;
            self.turn(Instant::now());
        }
        self.gauge.close();
        // Whatever was sent before its lane could see that.
        while let Ok(message) = inbox.try_recv() {
            self.take(message);
        }
        self.sweep();
        let written = self.write();
        let signed = if self.duties.sign.is_some() { self.sign() } else { Ok(()) };
        written.and(signed).map_err(Error::Write)?;
        if self.gauge.has_failed() { Err(Error::Failed) } else { Ok(()) }
    }

    /// Queues a message. `false` when it asks to end.
    fn take(&mut self, message: Message) -> bool {
        // At once, also where nobody waits: that had its time to ride with others in its lane.
        self.duties.write = Some(Instant::now());
        match message {
            Message::Records(pending, reply) => {
                self.queue.push_back((pending, reply));
                true
            }
            Message::Close(rest) => {
                self.queue.extend(rest.into_iter().map(|pending| (pending, None)));
                false
            }
        }
    }

    fn turn(&mut self, now: Instant) {
        if self.duties.sweep.is_some_and(|at| at <= now) {
            self.sweep();
        }
        // Failures are in the answers and in the gauge; here is nobody to tell.
        if self.duties.write.is_some_and(|at| at <= now) {
            let _ = self.write();
        }
        if self.duties.sign.is_some_and(|at| at <= now) && self.queue.is_empty() {
            let _ = self.sign();
        }
        let held = !self.state.open.is_empty();
        self.duties.sweep = match self.duties.sweep {
            Some(at) if at > now && held => Some(at),
            _ => held.then_some(now + EVERY),
        };
    }

    /// Stages and commits everything that waits, and answers it.
    fn write(&mut self) -> Committed {
        self.duties.write = None;
        let kept = std::mem::take(&mut self.kept);
        let work: Vec<Work> = std::iter::once((kept, None)).chain(self.queue.drain(..)).collect();
        if self.gauge.has_failed() {
            refuse(work, &self.gauge);
            return Ok(());
        }
        let now = self.clock.now();
        let staged: Vec<Vec<Staged>> = work
            .iter()
            .map(|(pending, _)| {
                pending.entries.iter().map(|entry| self.stage(now, entry, pending.body(entry))).collect()
            })
            .collect();
        let committed = self.commit(now);
        let mut replies = Vec::with_capacity(work.len());
        for (nth, ((pending, reply), staged)) in work.into_iter().zip(staged).enumerate() {
            // The first were counted out of the queue when they came.
            let count = if nth == 0 { 0 } else { pending.entries.len() };
            let answers = self.answers(pending, staged, &committed);
            self.gauge.leave(count);
            replies.extend(reply.map(|reply| (reply, answers)));
        }
        if !self.kept.entries.is_empty() {
            self.duties.write = Some(Instant::now() + AGAIN);
        }
        // Before anybody hears of it: whoever was refused must find the log behind.
        self.gauge.note(self.kept.entries.len(), self.state.open.len());
        self.gauge.count(self.state.records);
        for (reply, answers) in replies {
            // A lane whose runtime has ended does not listen; its receipts are dropped, and swept.
            drop(reply.send(answers));
        }
        committed
    }

    fn stage(&mut self, now: Timestamp, entry: &Entry, body: &[u8]) -> Staged {
        let Entry { tenant, kind, id, what, body: _ } = entry;
        if let Err(error) = recover::ready(&mut self.state, &*self.storage, tenant) {
            return Staged::Refused(error);
        }
        match (what, id) {
            (What::Intend { uses }, Some(id)) => {
                let fresh = self.state.check_fresh(*id);
                let counted = fresh.and_then(|()| self.state.uses.count(&*self.storage, tenant, uses));
                if let Err(error) = counted {
                    return Staged::Refused(error);
                }
                let (seq, leaf) = self.state.append(tenant, *kind, now, body);
                Staged::Record { seq, leaf, held: self.state.begin(*id, tenant, seq, uses) }
            }
            (What::Settle { gives_back, .. }, Some(id)) => {
                if *gives_back && let Err(error) = self.state.give_back(&*self.storage, *id) {
                    match error {
                        Error::Read(_) => return Staged::Refused(error),
                        // A counter that somebody changed: the use stays taken, the outcome must not be lost for it.
                        _ => tracing::error!(%error, "a use could not be given back"),
                    }
                }
                if self.state.settle(*id, *kind).is_none() {
                    // Nothing to settle: a record of it would be one that no verification accepts.
                    return Staged::Refused(Error::Closed);
                }
                let (seq, leaf) = self.state.append(tenant, *kind, now, body);
                Staged::Record { seq, leaf, held: Held::default() }
            }
            (What::Forget { counters }, _) => {
                let done = self.state.forget_counters(&*self.storage, tenant, now, counters);
                // Its records stand by themselves, and nobody asks where.
                let told = || Staged::Record { seq: 0, leaf: Digest::default(), held: Held::default() };
                done.map_or_else(Staged::Refused, |()| told())
            }
            _ => {
                let (seq, leaf) = self.state.append(tenant, *kind, now, body);
                Staged::Record { seq, leaf, held: Held::default() }
            }
        }
    }

    /// Makes the staged group durable. The one place that writes evidence.
    fn commit(&mut self, now: Timestamp) -> Committed {
        if self.state.drafts().next().is_none() {
            self.state.undo();
            return Ok(());
        }
        let due = self.closing || self.state.is_due(now);
        let signed = if due { Some(self.signed(now)?) } else { None };
        let mut batch = Batch::new();
        for tenant in self.state.touched() {
            if let Some((first, value)) = self.state.take_row(&tenant) {
                let row = Row { key: first.to_be_bytes().to_vec(), value };
                // Insert, not put: whoever else wrote this chain must not be overwritten.
                batch.push(Step::Insert(Table::Evidence, tenant, row));
            }
        }
        self.state.uses.put(&mut batch);
        self.finish(batch, signed)
    }

    /// Signs; where that can't be done, nothing is written any more.
    fn signed(&mut self, now: Timestamp) -> Result<Signed, Arc<store::Error>> {
        let signed = self.state.sign(now, &self.origin, &self.key);
        signed.ok_or_else(|| {
            self.state.undo();
            self.failed(&store::Error::Conflict);
            Arc::new(store::Error::Conflict)
        })
    }

    /// Commits a checkpoint alone.
    fn sign(&mut self) -> Committed {
        if self.gauge.has_failed() {
            self.duties.sign = None;
            return Ok(());
        }
        let signed = self.signed(self.clock.now())?;
        self.finish(Batch::new(), Some(signed))
    }

    fn finish(&mut self, batch: Batch, signed: Option<Signed>) -> Committed {
        let batch = self.state.put(batch, signed.as_ref());
        match self.storage.commit(&batch) {
            Ok(()) => {
                let due = self.duties.sign.unwrap_or_else(|| Instant::now() + EVERY);
                self.duties.sign = signed.is_none().then_some(due);
                self.state.keep(signed);
                Ok(())
            }
            Err(error) => {
                self.state.undo();
                self.failed(&error);
                Err(Arc::new(error))
            }
        }
    }

    /// What is passing has written nothing. After anything else (a sync that failed, another writer) what we have in memory may differ from what is
    /// on the disk.
    fn failed(&mut self, error: &store::Error) {
        let passing = error.is_passing();
        tracing::error!(%error, passing, "evidence could not be written");
        if passing {
            self.duties.sign = self.duties.sign.map(|_| Instant::now() + EVERY);
        } else {
            self.gauge.fail();
            self.duties.sign = None;
        }
    }

    /// Adds an outcome to those that ride with the next group; its event lies at the end of the kept bytes, from `start` on.
    fn keep(&mut self, tenant: TenantName, kind: Kind, id: Option<EvidenceId>, start: usize) {
        // What is settled as `unknown` gives nothing back.
        let what = What::Settle { held: None, gives_back: false, awaited: Awaited::No };
        self.kept.entries.push(Entry { tenant, kind, id, body: start..self.kept.bytes.len(), what });
    }

    /// Settles as `unknown` what nobody can settle any more, with the next group.
    fn sweep(&mut self) {
        for (tenant, kind, id, body) in self.state.sweep() {
            let start = self.kept.bytes.len();
            self.kept.bytes.extend_from_slice(&body);
            self.keep(tenant, kind, Some(id), start);
            self.duties.write.get_or_insert_with(|| Instant::now() + PATIENCE);
        }
    }

    fn answers(&mut self, pending: Pending, staged: Vec<Staged>, committed: &Committed) -> Vec<Answer> {
        let Pending { bytes, entries } = pending;
        let mut answers = Vec::with_capacity(entries.len());
        for (entry, staged) in entries.into_iter().zip(staged) {
            let Entry { tenant, kind, id, body, what } = entry;
            let result = match (staged, committed) {
                (Staged::Refused(error), _) => Err(error),
                (Staged::Record { .. }, Err(error)) => Err(Error::Write(Arc::clone(error))),
                (Staged::Record { seq, leaf, held }, Ok(())) => Ok((seq, leaf, held)),
            };
            match (what, id) {
                (What::Intend { .. }, Some(id)) => {
                    let receipt = |(seq, leaf, held)| Receipt::new(id, tenant, seq, leaf, held);
                    answers.push(Answer::Intent(result.map(receipt)));
                }
                (What::Intend { .. }, None) => answers.push(Answer::Intent(Err(Error::Closed))),
                (What::Note | What::Forget { .. }, _) => answers.push(Answer::Plain(result.map(|_| ()))),
                (What::Settle { held, gives_back, awaited }, id) => {
                    // An answer that was waited for and not written was not given either.
                    let forgotten = held.is_none() && awaited == Awaited::Yes;
                    // Not written, or not counted: it is tried again with the next group.
                    if !forgotten && matches!(result, Err(Error::Write(_) | Error::Read(_))) {
                        let start = self.kept.bytes.len();
                        self.kept.bytes.extend_from_slice(bytes.get(body).unwrap_or_default());
                        let (body, what) = (
                            start..self.kept.bytes.len(),
                            What::Settle { held, gives_back, awaited: Awaited::No },
                        );
                        self.kept.entries.push(Entry { tenant, kind, id, body, what });
                    }
                    if awaited == Awaited::Yes {
                        answers.push(Answer::Plain(result.map(|_| ())));
                    }
                }
            }
        }
        answers
    }
}

/// Answers everything with a refusal: the log has failed.
fn refuse(work: Vec<Work>, gauge: &Gauge) {
    for (nth, (pending, reply)) in work.into_iter().enumerate() {
        gauge.leave(if nth == 0 { 0 } else { pending.entries.len() });
        let answer = |entry: Entry| match entry.what {
            What::Intend { .. } => Some(Answer::Intent(Err(Error::Failed))),
            What::Note | What::Forget { .. } | What::Settle { awaited: Awaited::Yes, .. } => {
                Some(Answer::Plain(Err(Error::Failed)))
            }
            What::Settle { awaited: Awaited::No, .. } => None,
        };
        let answers = pending.entries.into_iter().filter_map(answer).collect();
        if let Some(reply) = reply {
            drop(reply.send(answers));
        }
    }
}

impl Duties {
    /// How long the writer may wait for messages.
    fn wait(&self, now: Instant) -> Duration {
        let next = [self.write, self.sign, self.sweep].into_iter().flatten().min();
        next.map_or(IDLE, |at| at.saturating_duration_since(now))
    }
}

/// How long an outcome for which nobody waits may wait for others.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long the record that the log was opened may wait for others.
const BEGINNING: Duration = Duration::from_millis(50);
/// When to try again after a failed group.
const AGAIN: Duration = Duration::from_millis(100);
/// Time between checkpoints, and between sweeps.
const EVERY: Duration = Duration::from_millis(checkpoint::EVERY);
const IDLE: Duration = Duration::from_secs(3_600);
