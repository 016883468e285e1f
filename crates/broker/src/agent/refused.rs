//! Lines of the audit log for what a door refuses before it is an operation: a message that nobody can read, of a type that there is
//! not, one too many.
//!
//! # Invariants
//!
//! - A line repeats nothing of what came: a secret may stand where it does not belong.
//! - Whoever is refused without end fills no disk: a line for each user, code and second, which says how many went before it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{Code, Door, Holder, Refusal, Timestamp};
use serde_json::{Value, json};

use super::Called;
use crate::broker::Broker;
use crate::manage::agent::{client, stamp};

/// Who was refused lately, with the time of the last line and how many had none since.
#[derive(Debug, Default)]
pub(crate) struct Lately(Mutex<HashMap<Who, (Timestamp, u64)>>);

/// The user, where he is known, and what he was refused with.
type Who = (Option<u32>, Code);

impl Lately {
    /// How many had no line before this one; `None` where this one has none either.
    fn take(&self, who: Who, now: Timestamp) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (last, _)| now.since(*last) < APART);
        }
        let full = known.len() >= MOST_KNOWN;
        match known.get_mut(&who) {
            Some((last, unsaid)) if now.since(*last) < APART => {
                *unsaid += 1;
                None
            }
            Some((last, unsaid)) => {
                *last = now;
                Some(std::mem::take(unsaid))
            }
            None if full => None,
            None => {
                known.insert(who, (now, 0));
                Some(0)
            }
        }
    }
}

impl Broker {
    /// Notes a refusal of the agent's door in the audit log, where there is one. `message` is the type of what was sent, where it is
    /// one that there is.
    pub async fn audit_refused(&self, door: Door, holder: &Holder, message: Option<&str>, refusal: &Refusal) {
        let Some(log) = self.audit() else { return };
        let now = self.now();
        let Some(unsaid) = self.refused_lately().take((holder.uid, refusal.code), now) else { return };
        let Ok(random) = self.random::<8>() else { return };
        let name = Called::of(&self.agent().config, holder, None).ok().map(|called| called.name);
        let own = || holder.uid.map(|uid| format!("uid:{uid}"));
        let line = json!({
            "id": format!("audit_{}", crypto::to_hex(&random)),
            "timestamp": stamp(now),
            "type": "request_refused",
            "category": "security",
            "severity": "warning",
            "source_identity": name.or_else(own).unwrap_or_default(),
            "target_resource": "",
            "action": message.unwrap_or_default(),
            "operation": "",
            "outcome": "failure",
            "description": refusal.message,
            "capability_id": "",
            "request_id": "",
            "client": client(holder, door),
            "error": refusal.code.as_str(),
            "without_a_line": unsaid,
            "evidence": Value::Null,
        });
        if let Value::Object(line) = line
            && let Err(refusal) = log.note(line, now).await
        {
            tracing::warn!(%refusal, "a refusal could not be noted in the audit log");
        }
    }
}

const APART: Duration = Duration::from_secs(1);
const MOST_KNOWN: usize = 4_096;
