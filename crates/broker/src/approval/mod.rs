//! Approvals: a person's answer to one exact call, bound to its digest.
//!
//! A call that needs one is described and stored, and refused with the id of what was stored. Somebody else decides about it.
//! Then the same call is made again, and step 4 gives [`Approved`] for it: found by the digest of the call, or named by the caller.
//!
//! # Invariants
//!
//! - Whoever asked does not decide.
//! - An approval is for the bytes that were described: another input, header or body is another digest.
//! - Where several have to say yes, they are different people, and the first no ends it.
//! - It is used once: its use is counted in the write that makes the intent durable ([`Approved::once`]), whatever crashes then.
//! - What can't be seen beforehand (frames of a WebSocket, what a credential is minted from) can't be approved.

mod describe;
mod forget;
mod people;
mod row;

use std::num::NonZeroU8;

use evidence::Use;
use http::HeaderMap;
use model::{ApprovalClaim, ApprovalId, Code, GrantId, PrincipalName, Refusal, TenantName, Timestamp};
use policy::Permit;

use crate::Worker;
use crate::broker::Unsealed;
use crate::inbound::Inbound;
use crate::limits::Within;
use crate::manage::waiting;
use crate::path::identify::Identified;
use crate::plan;
use crate::sealed::Desk;

pub(crate) use forget::forget_old;
pub(crate) use people::{Said, Standing as StillStanding, approvers, enough, is_one, note, one, progress};
pub(crate) use row::{Answer, Decided, LASTS, Latest, Row, Standing, key};

/// Proof that a call has the approval that it needs. Only [`settled`] and the plan that the call is a step of make one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Approved {
    /// What evidence says of it: an approval, or a plan and a step.
    label: String,
    by: Vec<PrincipalName>,
    once: Option<[u8; 16]>,
}

impl Approved {
    /// The approval of a step of a plan. What may be repeated, because it only reads, is not counted.
    pub(crate) fn of_step(label: String, by: people::Enough, once: Option<[u8; 16]>) -> Self {
        Self { label, by: by.names(), once }
    }

    /// What the intent counts, so that it is used once.
    pub(crate) fn once(&self) -> Option<Use> {
        self.once.map(|id| Use { id, most: 1 })
    }

    /// What the evidence of the call says of it.
    pub(crate) fn notes(&self) -> [(String, String); 2] {
        let by: Vec<_> = self.by.iter().map(ToString::to_string).collect();
        [("approval".to_owned(), self.label.clone()), ("approved_by".to_owned(), by.join(", "))]
    }

    /// What the caller is told who comes second.
    pub(crate) fn used(&self, id: [u8; 16]) -> Option<Refusal> {
        let message = format!("`{}` was used already", self.label);
        let used = Refusal::new(Code::Conflict, message).hint("what was approved is done once; ask again");
        (self.once == Some(id)).then_some(used)
    }
}

/// A call that needs an approval, with everything that the question is made of.
pub(crate) struct Asking<'a> {
    pub(crate) identified: &'a Identified,
    pub(crate) permit: &'a Permit,
    pub(crate) integration: &'a catalog::Integration,
}

/// The approval of a call that needs one; without one, the question is stored and the call refused.
///
/// # Errors
/// `approval_required` with the id of what is waited for, `denied`, `expired` and `conflict` where an approval does not serve.
pub(crate) async fn settled(
    worker: &Worker,
    unsealed: &Unsealed,
    asking: Asking<'_>,
    inbound: &mut Inbound,
) -> Result<Approved, Refusal> {
    let Asking { identified, permit, integration } = asking;
    let (tenant, now) = (permit.tenant(), worker.broker().now());
    let desk = Desk::of(worker.broker(), unsealed, tenant);
    let claim = identified.caller.facts().approval();
    if let Some(ApprovalClaim::Step(id, nth)) = claim {
        let step = plan::Claimed::of(id, nth, permit, needed(worker, permit));
        let catalog = worker.broker().catalog();
        return waiting(move || plan::approved(&desk, &step, &catalog)).await;
    }
    let what = describe::what(permit, integration, inbound).await?;
    let question = Question {
        tenant: tenant.clone(),
        principal: permit.principal().clone(),
        subject: identified.caller.subject().map(ToOwned::to_owned),
        grant: permit.grant(),
        break_glass: identified.caller.facts().break_glass().map(ToOwned::to_owned),
        what,
        approvers: needed(worker, permit),
    };
    let digest = question.digest(&desk);
    let named = match claim {
        Some(ApprovalClaim::Approval(id)) => Some(id),
        _ => None,
    };
    let about = format!("`{}/{}`", permit.call().integration(), permit.call().operation());
    let (mine, found) = (question.principal.clone(), digest.clone());
    let (desk, known) = waiting(move || {
        let known = known(&desk, (named, &found), &mine, now)?;
        Ok((desk, known))
    })
    .await?;
    if let Some((row, standing)) = known {
        return row.stands(standing, &about);
    }
    let counted = worker.broker().limits().count_question(tenant, permit.principal());
    let Within { .. } = counted.map_err(|wait| {
        Refusal::new(Code::RateLimited, format!("`{}` asks for too many approvals", permit.principal()))
            .retry(model::Retry::After(wait))
    })?;
    let row =
        question.row(digest, permit, identified, (ApprovalId::new(now, worker.broker().random()?), now));
    let asked = waiting(move || asked(&desk, row, now)).await?;
    Err(asked.waiting(&about))
}

/// How many have to say yes: what the policies or the capability ask for, and never fewer than the settings say.
fn needed(worker: &Worker, permit: &Permit) -> NonZeroU8 {
    let least = worker.broker().least_approvers();
    permit.limits().approvers().map_or(least, |people| people.max(least))
}

/// What a question is made of.
struct Question {
    tenant: TenantName,
    principal: PrincipalName,
    subject: Option<String>,
    grant: Option<GrantId>,
    break_glass: Option<String>,
    what: describe::Described,
    approvers: NonZeroU8,
}

impl Question {
    /// The digest of exactly what would be done, by whom. Each part is length-prefixed.
    fn digest(&self, desk: &Desk) -> String {
        let Self { tenant, principal, subject, grant, break_glass, what, approvers } = self;
        let mut bytes = Vec::new();
        let mut part = |part: &[u8]| {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        // What one person may answer is what it was before there could be several.
        match approvers.get() {
            1 => part(b"doorward approval 2"),
            people => part(&[b"doorward approval 3, people: ".as_slice(), &[people]].concat()),
        }
        part(tenant.as_str().as_bytes());
        part(principal.as_str().as_bytes());
        part(subject.as_deref().unwrap_or_default().as_bytes());
        part(grant.map(|grant| grant.to_string()).unwrap_or_default().as_bytes());
        part(break_glass.as_deref().unwrap_or_default().as_bytes());
        part(&[u8::from(break_glass.is_some())]);
        what.parts(&mut part);
        crypto::to_hex(&desk.marking().tag(&[&bytes]))
    }

    fn row(
        self,
        digest: String,
        permit: &Permit,
        identified: &Identified,
        (id, now): (ApprovalId, Timestamp),
    ) -> Row {
        let caller = &identified.caller;
        Row {
            id,
            digest,
            principal: self.principal,
            subject: self.subject,
            grant: self.grant,
            door: caller.door().as_str().to_owned(),
            purpose: caller.facts().purpose.clone(),
            break_glass: self.break_glass,
            what: self.what.shown(),
            policies: permit.determining().iter().map(ToString::to_string).collect(),
            policy: permit.policy_version().to_string(),
            asked: now,
            expires: now.after(LASTS),
            evidence: permit.call().id(),
            approvers: self.approvers,
            agreed: Vec::new(),
            decided: None,
        }
    }
}

/// The approval that is named, or the last one that was asked for the same.
fn known(
    desk: &Desk,
    (named, digest): (Option<ApprovalId>, &str),
    principal: &PrincipalName,
    now: Timestamp,
) -> Result<Option<(Row, Standing)>, Refusal> {
    let id = match named {
        Some(id) => id,
        None => match desk.read::<Latest>(&row::digest_key(digest))? {
            Some(latest) => latest.row.id,
            None => return Ok(None),
        },
    };
    let row = desk.read::<Row>(&key(id))?.map(|held| held.row).filter(|row| row.principal == *principal);
    let Some(row) = row else {
        return match named {
            // Another principal's is none of this caller's business.
            Some(id) => Err(Refusal::new(Code::NotFound, format!("you asked for no approval `{id}`"))
                .hint("send it without, and ask for one")),
            None => Ok(None),
        };
    };
    if row.digest != digest {
        let message = format!(
            "what is asked is not what `{id}` is for: it was changed after the approval was asked for"
        );
        return Err(Refusal::new(Code::Denied, message)
            .because("changed after approval")
            .hint("send exactly what was approved, or ask again without naming an approval"));
    }
    let standing = row.standing(now, desk.used(id.to_bytes())?);
    match (named, standing) {
        // Whoever names none asks anew where the last one is over.
        (None, Standing::Expired | Standing::Used) => Ok(None),
        _ => Ok(Some((row, standing))),
    }
}

/// Stores a question, or gives the one that somebody stored a moment ago.
fn asked(desk: &Desk, row: Row, now: Timestamp) -> Result<Row, Refusal> {
    let pointer = row::digest_key(&row.digest);
    let latest = Latest { id: row.id };
    for _ in 0..TRIES {
        let step = match desk.read::<Latest>(&pointer)? {
            None => desk.insert(&pointer, &latest)?,
            Some(held) => {
                let before = desk.read::<Row>(&key(held.row.id))?.map(|held| held.row);
                if let Some(before) = before
                    && before.standing(now, desk.used(before.id.to_bytes())?) == Standing::Pending
                {
                    return Ok(before);
                }
                desk.swap(&pointer, held, &latest)?
            }
        };
        match desk.commit([step, desk.insert(&key(row.id), &row)?]) {
            Err(refusal) if refusal.code == Code::Conflict => {}
            other => return other.map(|()| row),
        }
    }
    Err(Refusal::new(Code::Conflict, "the same was asked for by somebody else at the same time"))
}

/// Headers that say nothing about what is done: who asks, by which way, how the answer is packed.
pub(crate) fn counts(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let mut kept = headers.clone();
    net::headers::outgoing(&mut kept, net::headers::Cookies::Dropped);
    let mut all: Vec<_> = kept
        .iter()
        .filter(|(name, _)| !SILENT.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // Of one name they stay in their order.
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// What is in no digest. Whatever is not here counts.
const SILENT: &[&str] = &[
    "accept-encoding",
    // Of a client that signs for AWS: it is signed anew, and the body counts by itself.
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "baggage",
    "content-length",
    "date",
    "host",
    "priority",
    "sec-ch-ua",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-request-id",
];
const TRIES: usize = 4;
