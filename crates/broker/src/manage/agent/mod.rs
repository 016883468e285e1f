//! The operations `agent.*`: what the messages of the agent's socket come to. Their payloads and answers are described in
//! docs/concepts/agent-protocol.md.
//!
//! A capability of the agent is a grant like any other, with a name: `cap_…` works for its holder as the kernel proves it,
//! without a token. Whoever is not the holder gets the answer of a name that does not exist.
//!
//! # Invariants
//!
//! - Nothing that a caller says about itself decides anything.
//! - A capability is in memory only after its row is durable; a revocation is in memory first.

mod ask;
mod audited;
mod borne;
mod constraints;
mod counters;
mod json;
mod list;
mod narrow;
mod perform;
mod request;
mod revoke;
pub(crate) mod row;
mod tool;
mod validate;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crypto::MacKey;
use model::{CapabilityId, Code, Door, Fact, Refusal, Timestamp};
use policy::Named;
use serde_json::Value;

use super::{Done, Question};
use crate::broker::Broker;

pub(crate) use audited::client;
pub(super) use audited::{audited, writable};
pub(super) use counters::counters;
pub(super) use list::list;
pub(super) use narrow::narrow;
pub(super) use perform::{append, reveal, use_it};
pub(super) use request::request;
pub(super) use revoke::revoke;
pub(super) use validate::validate;

/// Who asks the agent, as the kernel proves it.
struct Asker {
    /// The facts of the connection, with the user also where the process itself is the owner's.
    facts: Fact,
    owner: bool,
}

impl Asker {
    fn of(managing: &Question<'_>) -> Result<Self, Refusal> {
        let caller = &managing.admitted.identified.caller;
        let broker = managing.worker.broker();
        broker.read_named(&managing.unsealed)?;
        let mut facts = caller.facts().clone();
        if matches!(caller.door(), Door::Cli | Door::Metadata) {
            facts.holder.uid = Some(broker.settings().owner_uid);
        }
        if facts.holder.uid.is_none() {
            return Err(Refusal::new(
                Code::Unauthenticated,
                "the kernel did not say who is at the other end of the socket",
            ));
        }
        let owner =
            caller.principal() == broker.owner() && facts.holder.uid == Some(broker.settings().owner_uid);
        Ok(Self { facts, owner })
    }

    /// Proof that a capability is this caller's to look after: its holder's, or the owner's.
    fn sees(&self, named: &Named) -> Option<Seen> {
        let owned = self.owner.then_some(Seen(()));
        owned.or_else(|| named.held_by(&self.facts.holder).map(|_held| Seen(())))
    }
}

/// See [`Asker::sees`].
#[must_use]
struct Seen(());

/// The capability with a name and those that it comes from, where this caller may know of it.
fn known(
    broker: &Broker,
    asker: &Asker,
    tenant: &model::TenantName,
    name: &str,
) -> Result<Vec<Named>, Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(Code::BadRequest, "capability_id is required"));
    }
    let line = name.parse::<CapabilityId>().ok().and_then(|id| broker.grants().lineage(id));
    line.filter(|line| {
        line.last().is_some_and(|named| named.tenant == *tenant && asker.sees(named).is_some())
    })
    .ok_or_else(|| Refusal::new(Code::NotFound, "capability not found").hint("`doorward capability list`"))
}

/// The key by which rows of capabilities are proven ours.
fn key(managing: &Question<'_>) -> Result<Arc<MacKey>, Refusal> {
    managing
        .unsealed
        .capability_root(managing.admitted.permit.tenant())
        .ok_or_else(|| Refusal::new(Code::Sealed, "the broker is sealed"))
}

/// A time as programs read it: `YYYY-MM-DDTHH:MM:SSZ`.
pub(crate) fn stamp(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate(19);
    text.push('Z');
    text
}

/// A time as durations are written: `0.412ms`, `45ms`.
fn took(started: Instant) -> String {
    let took: Duration = started.elapsed();
    if took.as_millis() >= 10 {
        format!("{}ms", took.as_millis())
    } else {
        format!("{}ms", took.as_micros() as f64 / 1_000.0)
    }
}

/// An answer with what its evidence says.
fn answered(value: Value, fields: &[(&str, String)]) -> Done {
    let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    Done { value, fields, code: None }
}
