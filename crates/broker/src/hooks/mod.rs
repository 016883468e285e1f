//! Webhooks: whoever asked to be told is told of what the evidence says, signed, and at least once.
//!
//! The evidence itself is the queue. Each subscription has a place in the checkpoints and in each chain that one of them saw grow
//! ([`follow`]); what stands behind it is read in order, and a delivery is written for each event that was asked for, in one
//! transaction with the new place. So a broker that is killed at any moment goes on where it was. A delivery is tried as a call down
//! the path (`webhook.deliver`), with evidence of its own, until it is taken or has been tried [`TRIES`] times.
//!
//! # Invariants
//!
//! - What is told stands in the evidence, under a signed checkpoint. It holds names, ids and what evidence holds; no inputs, no secret.
//! - A look costs what grew since the last one, however many tenants there are.
//! - Where [`WAITING`] deliveries of a subscription wait, its place stays where it is until some are through.
//! - The id of a delivery follows from subscription, record and event, so whoever is told twice can see it.
//! - The signing key is a stored secret, lent to the call that signs, and shown once, when it is made.

pub(crate) mod events;
mod follow;
pub(crate) mod known;
pub(crate) mod rows;
pub(crate) mod send;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ::evidence::Reader;
use model::{Code, DeliveryId, Refusal, WebhookId};

use crate::Broker;
use crate::broker::{Unsealed, refused};
use crate::sealed::Desk;
use known::Known;
use rows::State;

/// How webhooks are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling {
    /// How long after the first try that failed there is another one; each further one comes three times as late.
    pub retry: Duration,
    /// Whether receivers may be at private addresses and over plain http.
    pub dangerous_allow_private: bool,
}

impl Default for Telling {
    fn default() -> Self {
        Self { retry: Duration::from_secs(5), dangerous_allow_private: false }
    }
}

/// A delivery that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToTell {
    /// To whom.
    pub webhook: WebhookId,
    /// Which one.
    pub delivery: DeliveryId,
}

/// What is remembered between looks.
#[derive(Default)]
pub(crate) struct Hooks {
    telling: OnceLock<Telling>,
    /// What the rows say. Held while somebody looks and while rows of subscriptions change, so that memory and rows agree; `None`
    /// where they have to be read again.
    known: Mutex<Option<Known>>,
}

impl Hooks {
    pub(crate) fn telling(&self) -> Telling {
        self.telling.get().copied().unwrap_or_default()
    }

    /// Held while rows change that are read together.
    pub(crate) fn alone(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker {
    /// How webhooks are told from now on. Said once.
    pub fn tell_webhooks(&self, telling: Telling) {
        let _ = self.hooks().telling.set(telling);
    }

    /// How often somebody should look whether there is something to tell.
    #[must_use]
    pub fn looks_for_webhooks(&self) -> Duration {
        self.hooks().telling().retry.clamp(SHORTEST, LONGEST)
    }

    /// Reads on in the evidence, and gives what is due, at most one of each subscription. Blocks.
    pub fn to_tell(&self) -> Vec<ToTell> {
        let Ok(unsealed) = self.unsealed() else { return Vec::new() };
        let mut known = self.hooks().alone();
        match self.look_on(&unsealed, &mut known) {
            Ok(due) => due,
            Err(refusal) => {
                // What is remembered may be ahead of what was written.
                *known = None;
                tracing::warn!(code = %refusal.code, why = %refusal.message, "webhooks could not be looked after");
                Vec::new()
            }
        }
    }

    fn look_on(&self, unsealed: &Unsealed, known: &mut Option<Known>) -> Result<Vec<ToTell>, Refusal> {
        let desk = Desk::of(self, unsealed, &self.settings().tenant);
        let known = Known::read(known, &desk)?;
        if known.hooks.values().all(|kept| kept.row.state != State::Active) {
            return Ok(Vec::new());
        }
        let reader = Reader::new(Arc::clone(self.evidence_storage()), unsealed.log().public_key());
        let newest = reader.newest().map_err(|error| unread(&error))?.map(|mark| mark.digest);
        if newest != known.seen {
            let mut caught_up = true;
            for kept in known.hooks.values_mut().filter(|kept| kept.row.state == State::Active) {
                caught_up &= follow::on(&desk, &reader, kept)? == follow::Place::Newest;
            }
            known.seen = newest.filter(|_| caught_up);
        }
        let now = self.now();
        let due = known.hooks.iter().filter(|(_, kept)| kept.row.state == State::Active);
        Ok(due.filter_map(|(id, kept)| Some(ToTell { webhook: *id, delivery: kept.due(now)? })).collect())
    }
}

pub(crate) fn unread(error: &::evidence::Error) -> Refusal {
    refused(error, Code::SourceUnavailable, error.hint())
}

/// How often a delivery is tried: with the usual waits, over four and a half hours.
pub(crate) const TRIES: usize = 9;
/// So many deliveries of a subscription wait before nothing more is read for it.
const WAITING: usize = 500;
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);
