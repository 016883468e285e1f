//! Requests that are performed once, however often they are sent: the same key of the same caller gives the same answer.
//!
//! A row is written before the request is performed and completed behind it, sealed as approvals are, for the answer may hold what
//! is shown once. It is kept for [`KEPT`].
//!
//! # Invariants
//!
//! - Two requests with one key are never both performed: the row is inserted before, and only one of them can.
//! - What was refused leaves no row, so that it may be sent again; what may have been done leaves one, so that it is not.
//! - A key says nothing to anybody but the caller who sent it: rows are found by a MAC over caller and key.

use std::sync::Arc;
use std::time::Duration;

use model::{Code, EvidenceId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::inbound::{Answer, Inbound, Outbound};
use crate::manage::waiting;
use crate::path::unbroken;
use crate::sealed::Desk;
use crate::{Welcome, Worker};

/// What a caller says so that a request is performed once.
#[derive(Debug, Clone)]
pub struct Once {
    /// The caller's key for it.
    pub key: String,
    /// The request itself: another one under the same key is refused.
    pub about: Vec<Vec<u8>>,
}

/// What came of such a request.
#[derive(Debug)]
pub struct Done {
    /// The answer.
    pub answer: Answer,
    /// Whether it was given before, and nothing was performed now.
    pub again: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// Its key.
    place: String,
    /// Of the request, keyed.
    digest: String,
    at: Timestamp,
    /// When the broker was opened that performs it: another one does not go on with it.
    opened: Timestamp,
    given: Option<Given>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    evidence: EvidenceId,
    value: Value,
    failed: bool,
}

/// What is to be done with a request.
enum Next {
    Perform,
    Give(Given),
}

impl Worker {
    /// Carries a call once for its caller and key.
    ///
    /// # Errors
    /// The path's refusals; `conflict` where the same is under way or what came of it is not known; `bad_request` for the reason
    /// [`OTHER`] where the key belongs to another request.
    pub async fn call_once(
        self: &Arc<Self>,
        inbound: Inbound,
        welcome: &Welcome,
        once: Once,
    ) -> Result<Done, Refusal> {
        let desk = Arc::new(Desk::of(self.broker(), &*self.broker().unsealed()?, &welcome.tenant));
        let key = found_by(&desk, welcome, &once.key);
        let digest = digest(&desk, &once.about);
        let (now, opened) = (self.broker().now(), self.broker().opened());
        let (looked, place) = (Arc::clone(&desk), key.clone());
        let row = Row { place: key.clone(), digest, at: now, opened, given: None };
        if let Next::Give(given) = waiting(move || reserved(&looked, &place, &row)).await? {
            let Given { evidence, value, failed } = given;
            return Ok(Done { answer: Answer { evidence, value, failed }, again: true });
        }
        // To its end, whoever hangs up: the row has to say what came of it.
        let worker = Arc::clone(self);
        let answered = unbroken(async move {
            let result = worker.call(inbound).await;
            let told = noted(desk, key, &result).await;
            if let Err(refusal) = told {
                tracing::warn!(code = %refusal.code, "what came of a request with an idempotency key was not kept");
            }
            result
        });
        match answered.await? {
            Outbound::Answer(answer) => Ok(Done { answer, again: false }),
            Outbound::Reply(..) | Outbound::Lease(..) => {
                Err(Refusal::new(Code::OutcomeUnknown, "the operation gave something else than an answer"))
            }
        }
    }
}

/// Reserves the key, or says what was given before. Blocks.
fn reserved(desk: &Desk, key: &str, row: &Row) -> Result<Next, Refusal> {
    let under_way = || {
        Refusal::new(Code::Conflict, "a request with this `Idempotency-Key` is under way")
            .hint("wait for its answer, then send it again")
    };
    if let Some(held) = desk.read::<Row>(key)? {
        let known = held.row;
        if row.at < known.at.after(KEPT) {
            return match known.given {
                _ if known.digest != row.digest => {
                    let message = "this `Idempotency-Key` belongs to another request";
                    Err(Refusal::new(Code::BadRequest, message).because(OTHER).hint("use a new key"))
                }
                Some(given) => Ok(Next::Give(given)),
                None if known.opened == row.opened => Err(under_way()),
                None => {
                    let message =
                        "a request with this `Idempotency-Key` was begun, and what came of it is not known";
                    Err(Refusal::new(Code::Conflict, message)
                        .hint("look into the evidence, then use a new key"))
                }
            };
        }
        desk.commit([desk.delete(key)])?;
    }
    match desk.commit([desk.insert(key, row)?]) {
        Ok(()) => Ok(Next::Perform),
        Err(refusal) if refusal.code == Code::Conflict => Err(under_way()),
        Err(refusal) => Err(refusal),
    }
}

/// Completes the row, or removes it where nothing was done.
async fn noted(desk: Arc<Desk>, key: String, result: &Result<Outbound, Refusal>) -> Result<(), Refusal> {
    let given = match result {
        Ok(Outbound::Answer(Answer { evidence, value, failed })) => {
            Some(Given { evidence: *evidence, value: value.clone(), failed: *failed })
        }
        Ok(_) => return Ok(()),
        Err(refusal) if refusal.code == Code::OutcomeUnknown => return Ok(()),
        Err(_) => None,
    };
    waiting(move || {
        let Some(given) = given else { return desk.commit([desk.delete(&key)]) };
        let Some(held) = desk.read::<Row>(&key)? else { return Ok(()) };
        let Row { place, digest, at, opened, .. } = &held.row;
        let (place, digest) = (place.clone(), digest.clone());
        let row = Row { place, digest, at: *at, opened: *opened, given: Some(given) };
        desk.commit([desk.swap(&key, held, &row)?])
    })
    .await
}

/// Forgets rows that are too old. Blocks.
pub(crate) fn forget_old(desk: &Desk, now: Timestamp) -> Result<(), Refusal> {
    let old: Vec<_> = desk
        .all::<Row>(PREFIX)?
        .into_iter()
        .filter(|row| now >= row.at.after(KEPT))
        .map(|row| desk.delete(&row.place))
        .collect();
    if old.is_empty() { Ok(()) } else { desk.commit(old) }
}

fn found_by(desk: &Desk, welcome: &Welcome, key: &str) -> String {
    let tag =
        desk.marking().tag(&[b"once", b"\0", welcome.principal.as_str().as_bytes(), b"\0", key.as_bytes()]);
    format!("{PREFIX}{}", crypto::to_hex(&tag))
}

fn digest(desk: &Desk, about: &[Vec<u8>]) -> String {
    let lengths: Vec<[u8; 8]> =
        about.iter().map(|part| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()).collect();
    let parts: Vec<&[u8]> =
        about.iter().zip(&lengths).flat_map(|(part, length)| [length.as_slice(), part.as_slice()]).collect();
    crypto::to_hex(&desk.marking().tag(&parts))
}

/// The finer reason where a key belongs to another request.
pub const OTHER: &str = "another request";
const PREFIX: &str = "once/";
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
