//! Subscriptions, their places in the evidence, and what they are told, as rows.

use std::time::Duration;

use model::{
    Code, DeliveryId, EvidenceId, PrincipalName, Refusal, SecretName, TenantName, Timestamp, WebhookId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::TRIES;
use crate::sealed::Desk;

/// Who asked to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) id: WebhookId,
    pub(crate) url: String,
    /// Names of events; none of them stands for all.
    pub(crate) events: Vec<String>,
    pub(crate) label: Option<String>,
    /// The stored secret that is its signing key.
    pub(crate) secret: SecretName,
    /// The version before signs as well until then.
    pub(crate) former_until: Option<Timestamp>,
    pub(crate) created: Timestamp,
    pub(crate) by: PrincipalName,
    pub(crate) state: State,
    /// Deliveries that were given up since one was taken.
    pub(crate) given_up: u32,
}

/// Whether a subscription is told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Active,
    /// Too many deliveries were given up in a row, or the receiver said that it is gone.
    Disabled,
}

/// The checkpoint that is read for a subscription; those before were.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    pub(crate) number: u64,
}

/// Up to where a chain was read for a subscription.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InChain {
    pub(crate) chain: TenantName,
    pub(crate) next: u64,
}

/// Something that a subscription is told.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) id: DeliveryId,
    pub(crate) webhook: WebhookId,
    /// When it happened.
    pub(crate) at: Timestamp,
    pub(crate) event: String,
    pub(crate) body: String,
    pub(crate) state: Standing,
    /// When it is tried next.
    pub(crate) next: Timestamp,
    /// How often it was tried since it last began.
    pub(crate) counted: usize,
    /// The last tries.
    pub(crate) tries: Vec<Try>,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Waiting,
    Delivered,
    /// It was given up.
    Dead,
}

/// One try.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Try {
    pub(crate) at: Timestamp,
    pub(crate) evidence: EvidenceId,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) took_ms: u64,
}

impl Webhook {
    /// Whether it is told of this.
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|one| one == event)
    }

    /// A delivery was taken, or given up. Whoever says that it is gone (410) is told nothing any more at once.
    pub(super) fn fared(&mut self, taken: bool, gone: bool) {
        if taken {
            self.given_up = 0;
            return;
        }
        self.given_up = self.given_up.saturating_add(1);
        if gone || self.given_up >= GIVEN_UP {
            self.state = State::Disabled;
        }
    }

    /// As it is shown: without its key.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "id": self.id, "url": self.url, "events": self.events, "label": self.label, "state": self.state,
            "created": self.created, "by": self.by, "given_up": self.given_up, "former_until": self.former_until,
        })
    }
}

impl Delivery {
    pub(crate) fn new(id: DeliveryId, webhook: WebhookId, at: Timestamp, event: &str, body: String) -> Self {
        let (state, event) = (Standing::Waiting, event.to_owned());
        Self { id, webhook, at, event, body, state, next: at, counted: 0, tries: Vec::new() }
    }

    /// Something to be tried once, by whoever makes it: if that breaks off, somebody else does it later.
    pub(crate) fn once(id: DeliveryId, webhook: WebhookId, at: Timestamp, event: &str, body: String) -> Self {
        Self { counted: TRIES - 1, next: at.after(LATER), ..Self::new(id, webhook, at, event, body) }
    }

    /// One more try. Another one comes later each time, and not for all at the same moment.
    pub(super) fn note(&mut self, tried: Try, retry: Duration, now: Timestamp) {
        let (taken, gone) = (tried.is_taken(), tried.is_gone());
        self.counted += 1;
        self.tries.push(tried);
        let over = self.tries.len().saturating_sub(KEPT);
        self.tries.drain(..over);
        self.state = match (taken, gone || self.counted >= TRIES) {
            (true, _) => Standing::Delivered,
            (false, true) => Standing::Dead,
            (false, false) => Standing::Waiting,
        };
        let exponent = u32::try_from(self.counted.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = retry.saturating_mul(3_u32.saturating_pow(exponent));
        let [spread, ..] = crypto::sha256(&[&self.id.to_bytes(), &self.counted.to_be_bytes()]);
        self.next = now.after(wait + wait / 5 * u32::from(spread) / 255);
    }

    /// It is tried from the beginning.
    pub(crate) fn again(&mut self, now: Timestamp) {
        (self.state, self.next, self.counted) = (Standing::Waiting, now, 0);
    }

    pub(crate) fn shown(&self) -> Value {
        let next = (self.state == Standing::Waiting).then_some(self.next);
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        json!({
            "id": self.id, "event": self.event, "at": self.at, "state": self.state, "next": next, "body": body,
            "tries": self.tries,
        })
    }
}

impl Try {
    pub(crate) fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the receiver said that it wants nothing any more.
    pub(super) fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// All deliveries of a subscription.
pub(crate) fn deliveries(desk: &Desk, webhook: WebhookId) -> Result<Vec<Delivery>, Refusal> {
    desk.all(&format!("{DELIVERIES}{webhook}/"))
}

/// Where a chain stands for a subscription, of all chains for which that is written.
pub(crate) fn in_chains(desk: &Desk, webhook: WebhookId) -> Result<Vec<InChain>, Refusal> {
    desk.all(&format!("{PLACES}{webhook}/"))
}

pub(crate) fn webhook(id: WebhookId) -> String {
    format!("{WEBHOOKS}{id}")
}

pub(crate) fn cursor(id: WebhookId) -> String {
    format!("{CURSORS}{id}")
}

pub(crate) fn in_chain(id: WebhookId, chain: &TenantName) -> String {
    format!("{PLACES}{id}/{chain}")
}

pub(crate) fn delivery(webhook: WebhookId, id: DeliveryId) -> String {
    format!("{DELIVERIES}{webhook}/{id}")
}

pub(crate) fn missing() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such webhook or delivery").hint("`GET /v1/webhooks` lists them")
}

/// What the keys begin with.
pub(crate) const WEBHOOKS: &str = "webhook/";
const CURSORS: &str = "webhook-cursor/";
const PLACES: &str = "webhook-place/";
const DELIVERIES: &str = "webhook-delivery/";
/// Deliveries given up in a row that switch a subscription off.
const GIVEN_UP: u32 = 10;
/// Deliveries of a subscription that are kept when they are through.
pub(super) const TOLD: usize = 200;
/// Tries that are kept.
const KEPT: usize = 20;
/// When somebody else tries what broke off.
const LATER: Duration = Duration::from_secs(3_600);
