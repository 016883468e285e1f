//! Step 10: the outcome is recorded before the caller has its answer.
//!
//! Of a write it is durable first; of a read it is in the chain, and on the disk with the next group. A stream is settled
//! twice: its head before the caller sees it, its end when it is over, by a task that no caller can cancel.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use evidence::{Closed, Ending, OpenStream, Outcome, Receipt, Wait};
use http::Response;
use model::{Access, Code, Refusal, Retry};
use net::body::{Gone, Sender};
use net::grpc::{self, Messages, Opaque};
use net::{Body, TakesOver};
use policy::Change;
use secrets::{MaskStream, Part};
use tokio::sync::watch;

use crate::inbound::{Answer, Outbound};
use crate::manage::Done;
use crate::mint::Minted;
use crate::path::admit::{Admitted, Size};
use crate::path::around::Beside;
use crate::path::perform::Performed;
use crate::path::record::{self, Trace};
use crate::path::scrub::{self, Broken, Scrubbed, Stream, Told, Tunnel};
use crate::{Worker, log, metrics};
use tunnel::Opening;

mod tunnel;

/// Settles a call and gives the caller its answer.
pub(crate) async fn outcome(
    worker: &Arc<Worker>,
    receipt: Receipt,
    admitted: &Admitted,
    mut trace: Box<Trace>,
    performed: Result<Performed, Refusal>,
) -> Result<Outbound, Refusal> {
    let lane = worker.lane(&trace.home());
    let wait = if admitted.permit.call().access() == Access::Write { Wait::Durable } else { Wait::Appended };
    let mut outcome = Outcome::bare(Ending::Done);
    let (call, took) = (admitted.permit.call(), trace.performed(performed.as_ref()));
    outcome.duration = took;
    outcome.bytes_in = admitted.size.bytes();
    metrics::performed(worker.broker().metrics(), (call, trace.door()), took, performed.as_ref().err());
    log::performed(call, took, performed.as_ref().err());
    let performed = match performed {
        Ok(performed) => performed,
        Err(refusal) => return Err(refused(worker, (receipt, outcome), admitted, &trace, refusal).await),
    };
    match performed {
        Performed::Answer(Done { value, fields, code }) => {
            outcome.fields = told(fields, admitted);
            if code.is_some() {
                (outcome.ending, outcome.code) = (Ending::Failed, code);
            }
            let evidence = lane.settle(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
            Ok(Outbound::Answer(Answer { evidence, value, failed: false }))
        }
        Performed::Lease(Minted { lease, value, fields }) => {
            outcome.fields = ruled(fields, admitted);
            let evidence = lane.settle(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
            let answer = Answer { evidence, value, failed: false };
            Ok(match lease {
                Some(lease) => Outbound::Lease(answer, lease),
                None => Outbound::Answer(answer),
            })
        }
        Performed::Tunnel((head, hits), tunnel) => {
            metrics::masked(worker.broker().metrics(), hits);
            outcome.status = Some(head.status().as_u16());
            outcome.fields = ruled(Vec::new(), admitted);
            let open = lane.settle_head(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
            Ok(tunnelled(worker, trace, open, head, *tunnel))
        }
        Performed::Ran(told) => ran(worker, (receipt, outcome, wait), admitted, &trace, *told).await,
        Performed::Reply(scrubbed) => {
            replied(worker, (receipt, outcome, wait), admitted, trace, *scrubbed).await
        }
    }
}

/// Settles an operation by name, whichever way it was done.
async fn ran(
    worker: &Arc<Worker>,
    (receipt, mut outcome, wait): (Receipt, Outcome, Wait),
    admitted: &Admitted,
    trace: &Trace,
    told: Told,
) -> Result<Outbound, Refusal> {
    let Told { mut value, fields, status, outline, failed, early: _, hits, bytes } = told;
    metrics::masked(worker.broker().metrics(), hits);
    outcome.status = status;
    outcome.bytes_out = bytes;
    outcome.ending = if failed { Ending::Failed } else { Ending::Done };
    outcome.fields = self::told(fields, admitted);
    let lane = worker.lane(&trace.home());
    let beside = admitted.beside.as_deref();
    let Some(beside) = beside.filter(|_| !failed) else {
        // What was not done changed nothing, so nothing is read behind it.
        let before = beside.map(Beside::known).unwrap_or_default();
        outcome.fields.extend_from_slice(before);
        let evidence = lane.settle(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
        return Ok(Outbound::Answer(Answer { evidence, value, failed }));
    };
    // What came of the write is on record before anything else is asked, and what is read beside it behind that.
    let (ending, bytes_in, told) = (outcome.ending, outcome.bytes_in, outcome.fields.clone());
    let open = lane.settle_head(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
    let evidence = open.id();
    let mut fields = beside.known().to_vec();
    fields.extend(Box::pin(beside.after(worker, admitted, &told, outline)).await);
    if let Some(shown) = value.get_mut("evidence_fields").and_then(serde_json::Value::as_object_mut) {
        shown.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone().into())));
    }
    let duration = trace.elapsed();
    let closed = Closed { ending, code: None, duration, bytes_in, bytes_out: bytes, fields };
    if let Err(error) = lane.settle_close(open, closed).await {
        // That it was done is on record; what was read beside it is not, and the record says so by having no end.
        tracing::error!(%error, %evidence, "what was read beside a write could not be recorded");
    }
    Ok(Outbound::Answer(Answer { evidence, value, failed }))
}

/// Settles a reply, whole or as far as its head.
async fn replied(
    worker: &Arc<Worker>,
    (receipt, mut outcome, wait): (Receipt, Outcome, Wait),
    admitted: &Admitted,
    trace: Box<Trace>,
    scrubbed: Scrubbed,
) -> Result<Outbound, Refusal> {
    let lane = worker.lane(&trace.home());
    let Scrubbed { mut head, body, fields, hits, denied } = scrubbed;
    if let Some(quota) = admitted.within.tightest() {
        net::quota::mark(head.headers_mut(), quota);
    }
    metrics::masked(worker.broker().metrics(), hits);
    outcome.status = Some(head.status().as_u16());
    outcome.ending = if head.status().as_u16() < 400 && !denied { Ending::Done } else { Ending::Failed };
    // What the service did not take, its sender may send again.
    if let (Ending::Done, Some(delivery)) = (outcome.ending, &admitted.identified.delivery) {
        delivery.carried();
    }
    outcome.fields = self::told(fields, admitted);
    match body {
        scrub::Body::Whole(bytes) => {
            outcome.bytes_out = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let id = lane.settle(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
            Ok(Outbound::Reply(id, Box::new(head.map(|()| Body::full(bytes)))))
        }
        scrub::Body::Stream(stream) => {
            let began = outcome.ending;
            let open = lane.settle_head(receipt, outcome, wait).await.map_err(|_| unknown(admitted))?;
            Ok(streamed(worker, admitted, trace, (open, began), (head, *stream)))
        }
    }
}

/// The fields of a reply, behind the rules of lists that had a say and what was noted on the way. They come first, as no more than some are kept.
fn ruled(fields: Vec<(String, String)>, admitted: &Admitted) -> Vec<(String, String)> {
    let (listed, observed) = (admitted.permit.listed(), admitted.permit.observed());
    if listed.is_none() && observed.is_none() && admitted.notes.is_empty() {
        return fields;
    }
    let rules = [("rule", listed), ("rule_observed", observed)];
    let rules = rules.into_iter().filter_map(|(name, rule)| Some((name.to_owned(), rule?.to_owned())));
    rules.chain(admitted.notes.iter().cloned()).chain(fields).collect()
}

/// What the evidence of an answer says.
pub(super) fn told(fields: Vec<(String, String)>, admitted: &Admitted) -> Vec<(String, String)> {
    with_caller(ruled(fields, admitted), admitted)
}

/// Adds who called, where what came with the request named somebody.
fn with_caller(mut fields: Vec<(String, String)>, admitted: &Admitted) -> Vec<(String, String)> {
    if let Some(subject) = admitted.identified.caller.subject() {
        fields.insert(0, ("caller".to_owned(), subject.to_owned()));
    }
    fields
}

/// Settles a call that was not performed, or of which nobody knows whether it was.
async fn refused(
    worker: &Arc<Worker>,
    (receipt, mut outcome): (Receipt, Outcome),
    admitted: &Admitted,
    trace: &Trace,
    refusal: Refusal,
) -> Refusal {
    let ending = if refusal.code == Code::OutcomeUnknown { Ending::Unknown } else { Ending::Failed };
    (outcome.ending, outcome.code) = (ending, Some(refusal.code));
    outcome.fields = told(outcome.fields, admitted);
    if outcome.gives_back() {
        record::uses(worker, &admitted.permit, Change::GivenBack);
    }
    match worker.lane(&trace.home()).settle(receipt, outcome, Wait::Durable).await {
        Ok(id) => refusal.recorded(id),
        Err(_) if ending == Ending::Failed => unrecorded(admitted, &refusal),
        Err(_) => unknown(admitted),
    }
}

/// Starts the task that passes the body on and settles its end.
fn streamed(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    trace: Box<Trace>,
    (open, began): (OpenStream, Ending),
    (head, stream): (Response<()>, Stream),
) -> Outbound {
    let id = open.id();
    let (sender, body) = Body::channel(PIECES);
    let limits = admitted.integration.limits();
    let total = if stream.long { LONGEST_EVENTS } else { limits.total };
    let (worker, size) = (Arc::clone(worker), admitted.size.clone());
    let access = admitted.permit.call().access();
    let pump = Pump { worker, open, began, access, trace, size, idle: limits.idle, total };
    tokio::spawn(pump.run(stream, sender));
    Outbound::Reply(id, Box::new(head.map(|()| body)))
}

/// Starts the task that passes a WebSocket on and settles its end.
fn tunnelled(
    worker: &Arc<Worker>,
    trace: Box<Trace>,
    open: OpenStream,
    head: Response<()>,
    tunnel: Tunnel,
) -> Outbound {
    let id = open.id();
    let (lives, over) = watch::channel(());
    let opening = Opening { worker: Arc::clone(worker), open, trace, tunnel, lives };
    tokio::spawn(opening.run());
    let mut reply = head.map(|()| Body::empty());
    reply.extensions_mut().insert(TakesOver::until(over));
    Outbound::Reply(id, Box::new(reply))
}

struct Pump {
    worker: Arc<Worker>,
    open: OpenStream,
    /// What the head said.
    began: Ending,
    access: Access,
    trace: Box<Trace>,
    size: Size,
    idle: Duration,
    total: Duration,
}

/// How passing on ended.
enum End {
    Done,
    CallerGone,
    Broken(Broken),
}

impl Pump {
    async fn run(self, mut stream: Stream, sender: Sender) {
        let mut mask = stream.mask.as_ref().map(secrets::Mask::stream);
        let mut sent = Given { bytes: 0, last: stream.last.take() };
        let passing = pass(&mut stream, &sender, mask.as_mut(), &mut sent, self.idle);
        let end = tokio::time::timeout(self.total, passing).await.unwrap_or(End::Broken(Broken::Slow));
        let (trailers, more) = scrub::scrub_trailers(stream.pieces.trailers(), stream.mask.as_deref());
        metrics::masked(self.worker.broker().metrics(), more + mask.as_ref().map_or(0, MaskStream::hits));
        let code = match end {
            End::Done | End::CallerGone => None,
            End::Broken(Broken::Slow) => Some(Code::UpstreamTimeout),
            End::Broken(_) => Some(Code::UpstreamReply),
        };
        // A refusal of the upstream stays one, however its text ended; a write that began well may have been performed.
        let ending = match (&end, self.began, self.access) {
            (End::Done, began, _) => began,
            (_, Ending::Done, Access::Write) => Ending::Unknown,
            _ => Ending::Failed,
        };
        let duration = self.trace.elapsed();
        let fields = sent.last.as_ref().map(|last| last.fields(stream.mask.as_deref())).unwrap_or_default();
        let (bytes_in, bytes_out) = (self.size.bytes(), sent.bytes);
        let closed = Closed { ending, code, duration, bytes_in, bytes_out, fields };
        let settled = self.worker.lane(&self.trace.home()).settle_close(self.open, closed).await;
        // The caller sees the end of the body only after its end is in the chain; else the body breaks off.
        if settled.is_ok() && matches!(end, End::Done) {
            let _ = sender.finish(trailers).await;
        }
    }
}

/// What the caller was given so far.
struct Given {
    bytes: u64,
    last: Option<Box<scrub::Last>>,
}

async fn pass(
    stream: &mut Stream,
    sender: &Sender,
    mut mask: Option<&mut MaskStream>,
    sent: &mut Given,
    idle: Duration,
) -> End {
    loop {
        let piece = match stream.pieces.next(idle).await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(broken) => return End::Broken(broken),
        };
        let given = match (mask.as_deref_mut(), &mut stream.messages) {
            (None, _) => give(sender, piece, sent).await,
            (Some(mask), None) => masked(sender, mask, piece, sent).await,
            (Some(mask), Some(messages)) => match by_message(sender, (mask, messages), piece, sent).await {
                Ok(given) => given,
                Err(Opaque) => return End::Broken(Broken::Off),
            },
        };
        if given.is_err() {
            return End::CallerGone;
        }
    }
    let last = mask.map(MaskStream::finish).unwrap_or_default();
    if give(sender, last.into(), sent).await.is_err() { End::CallerGone } else { End::Done }
}

/// Gives what may be sent of a piece.
async fn masked(sender: &Sender, mask: &mut MaskStream, piece: Bytes, sent: &mut Given) -> Result<(), Gone> {
    let passed = mask.push(&piece);
    let chunk = match passed.chunk {
        Part::Same(count) => piece.slice(..count.min(piece.len())),
        Part::Instead(bytes) => bytes.into(),
    };
    give(sender, passed.before.into(), sent).await?;
    give(sender, chunk, sent).await
}

/// The same of messages: somebody waits for the end of each, so nothing of it is held back behind its end.
async fn by_message(
    sender: &Sender,
    (mask, messages): (&mut MaskStream, &mut Messages),
    mut piece: Bytes,
    sent: &mut Given,
) -> Result<Result<(), Gone>, Opaque> {
    while !piece.is_empty() {
        let stretch = messages.next(&piece)?;
        let part = piece.split_to(stretch.bytes.min(piece.len()));
        let given = masked(sender, mask, part, sent).await;
        let given = match (given, stretch.end) {
            (Ok(()), grpc::End::Yes) => give(sender, mask.finish().into(), sent).await,
            (given, _) => given,
        };
        if given.is_err() {
            return Ok(given);
        }
    }
    Ok(Ok(()))
}

async fn give(sender: &Sender, part: Bytes, sent: &mut Given) -> Result<(), Gone> {
    if part.is_empty() {
        return Ok(());
    }
    sent.bytes = sent.bytes.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
    if let Some(last) = &mut sent.last {
        last.sees(&part);
    }
    sender.send(part).await
}

/// It was performed, but that could not be recorded: the caller must not believe that nothing happened. Only a read may be
/// tried again.
fn unknown(admitted: &Admitted) -> Refusal {
    let call = admitted.permit.call();
    let message = format!(
        "`{}/{}` was performed, but its outcome could not be recorded",
        call.integration(),
        call.operation()
    );
    let refusal = match call.access() {
        Access::Read => Refusal::new(Code::EvidenceUnavailable, message).retry(Retry::Safe),
        Access::Write => {
            Refusal::new(Code::OutcomeUnknown, message).hint("look at the service before you try again")
        }
    };
    refusal.recorded(call.id())
}

/// It was not performed, and not even that could be recorded.
fn unrecorded(admitted: &Admitted, refusal: &Refusal) -> Refusal {
    let message = format!("{}; that could not be recorded", refusal.message);
    let told = Refusal::new(Code::EvidenceUnavailable, message).retry(refusal.retry);
    let told = refusal.hint.iter().fold(told, |told, hint| told.hint(hint.as_str()));
    told.recorded(admitted.permit.call().id())
}

/// Pieces of a stream that may wait for a slow caller.
const PIECES: usize = 8;
/// Server-sent events of a model or a watch may go on for an hour, as long as something comes within the idle time.
const LONGEST_EVENTS: Duration = Duration::from_secs(3_600);
