//! The line protocol: JSON, one message a line, answered in order. `docs/concepts/agent-protocol.md` describes it for whoever
//! writes a client.
//!
//! The door reads the envelope, hands the payload to the broker as one operation of the integration `doorward`, and prints
//! what comes back. It knows nothing of what a payload means.

mod connection;
mod envelope;
mod frames;
mod kind;
mod own;
pub(crate) mod resources;

use std::sync::Arc;
use std::time::Duration;

use broker::{Answer, Asked, Inbound, Operate, Outbound, Payload};
use model::{Code, Door, Fact, Holder, Inputs, Refusal};
use net::{Draining, FromPeer, Peer, Place};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::door::Agent;
use crate::gauges::Connected;
use crate::holder::Still;
use crate::limits::{Buckets, Throttled, Within};
use crate::runs::{Known, Stands};
use connection::{Answers, Reply};
use envelope::Message;
use kind::{ERROR, Kind};

/// The dialect, as the listener sees it.
#[derive(Clone)]
pub(crate) struct Dialect(pub(crate) Arc<Agent>);

impl net::Lines for Dialect {
    /// All that no method of HTTP begins with, and no preface of HTTP/2: whoever sends something else than JSON is told so in
    /// the words of this protocol.
    fn begins_with(first: u8) -> bool {
        !first.is_ascii_uppercase()
    }

    /// The socket of a run has limits of its own, and only those who belong to it.
    fn place(&self, peer: &Peer, most: usize) -> Option<Place> {
        match (self.0.over, self.0.shared(peer)) {
            (None, Some(uid)) => self.0.socket.gauges.accepting.take(uid, most).map(Place::Counted),
            _ => Some(Place::Free),
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.0.socket.limits.idle)
    }

    async fn carry(self, stream: FromPeer, peer: Peer, draining: Draining) {
        let agent = self.0;
        let connected = agent.socket.gauges.connected();
        let limits = &agent.socket.limits;
        let clock = &agent.socket.clock;
        if agent.socket.gauges.connections() > limits.connections {
            let text = format!("too many connections: at most {} are open at a time", limits.connections);
            return agent.turn_away(stream, &peer, &too_many(text)).await;
        }
        let uid = agent.shared(&peer);
        let share = uid.map(|uid| agent.socket.gauges.shares.take(uid, limits.connections));
        let Some(_share) = share.map_or(Some(None), |share| share.map(Some)) else {
            let text = "too many connections: other users have their share of them";
            return agent.turn_away(stream, &peer, &too_many(text)).await;
        };
        let needs = agent.worker.broker().program_needs();
        let known = match Known::of(&peer, needs, &agent.socket.runs, agent.over).await {
            Ok(known) => known,
            Err(refusal) => return agent.turn_away(stream, &peer, &refusal).await,
        };
        let speaker = Speaker { agent: &agent, known, connected };
        connection::carry(stream, &speaker, limits, clock, draining).await;
    }
}

/// One connection, with who is at its other end.
pub(crate) struct Speaker<'a> {
    agent: &'a Arc<Agent>,
    known: Known,
    connected: Connected,
}

impl Answers for Speaker<'_> {
    async fn answer(&self, message: &Message<'_>) -> Reply {
        let limits = &self.agent.socket.limits;
        let _busy = self.agent.socket.gauges.asked();
        let Some(Within { .. }) = self.within_rate() else {
            let text = "too many requests: this user's rate is used up";
            let refusal = Refusal::new(Code::RateLimited, text).hint("wait a second, and try again");
            self.audit(Kind::read(&message.kind).map(|_| &*message.kind), &refusal).await;
            return failed(&refusal);
        };
        let Some(kind) = Kind::read(&message.kind) else {
            self.audit(None, &Refusal::new(Code::BadRequest, "unknown message type")).await;
            let mut payload = json!({ "error": "unknown message type" });
            if !model::may_be_a_secret(&message.kind)
                && let Some(fields) = payload.as_object_mut()
            {
                fields.insert("type".to_owned(), message.kind.clone().into());
            }
            return Reply { kind: ERROR, payload };
        };
        match timeout(limits.request, self.answered(kind, message)).await {
            Ok(Ok(payload)) => Reply { kind: kind.response(), payload },
            Ok(Err(refusal)) => failed(&refusal),
            Err(_) => {
                let text = format!(
                    "no answer within {} seconds; what came of it is not known",
                    limits.request.as_secs()
                );
                let hint = "`evidence list` shows whether it was done; do not send it again without a look";
                failed(&Refusal::new(Code::OutcomeUnknown, text).hint(hint))
            }
        }
    }

    async fn unread(&self, why: &str) {
        self.audit(None, &Refusal::new(Code::BadRequest, why)).await;
    }
}

impl Agent {
    /// Refuses a connection, and notes that.
    async fn turn_away(&self, stream: FromPeer, peer: &Peer, refusal: &Refusal) {
        self.worker.broker().audit_refused(Door::Socket, &seen(peer), None, refusal).await;
        connection::refuse(stream, &failed(refusal), self.socket.clock.now()).await;
    }
}

/// What is known of a peer that was not looked at.
pub(crate) fn seen(peer: &Peer) -> Holder {
    let process = peer.process.as_ref();
    Holder { uid: process.map(|known| known.uid), gid: process.map(|known| known.gid), ..Holder::default() }
}

fn too_many(text: impl Into<String>) -> Refusal {
    Refusal::new(Code::RateLimited, text).hint("close what is idle, and try again")
}

impl Speaker<'_> {
    /// Notes a refusal of what became no operation.
    async fn audit(&self, message: Option<&str>, refusal: &Refusal) {
        let broker = self.agent.worker.broker();
        broker.audit_refused(Door::Socket, &self.known.holder(), message, refusal).await;
    }

    /// Whoever asks is looked at before the work, and again after it: it may be gone by then, and somebody else hold the socket.
    async fn answered(&self, kind: Kind, message: &Message<'_>) -> Result<Value, Refusal> {
        let Stands { .. } = self.known.stands()?;
        let payload = self.said(kind, message).await?;
        let Still { .. } = self.known.still()?;
        Ok(payload)
    }

    async fn said(&self, kind: Kind, message: &Message<'_>) -> Result<Value, Refusal> {
        match kind {
            Kind::Operation(row) => {
                let payload = Payload::new(message.payload.as_bytes().to_vec())?;
                let told = self.operate(row.operation, Some(payload)).await;
                self.agent.socket.gauges.counted.note(row.operation, told.as_ref().ok());
                told
            }
            own => {
                let own::Nothing { .. } = own::nothing(message.payload)?;
                self.own(own).await
            }
        }
    }

    /// One operation down the broker's path, in the name of whoever is at the other end.
    async fn operate(&self, operation: &str, payload: Option<Payload>) -> Result<Value, Refusal> {
        let strange = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
        let house = "doorward".parse().map_err(strange)?;
        let operate = Operate::new(house, operation.parse().map_err(strange)?, Inputs::new()).with(payload);
        let inbound = Inbound {
            door: Door::Socket,
            facts: self.facts(),
            capability: None,
            asked: Asked::Operate(operate),
        };
        match self.agent.worker.call(inbound).await? {
            Outbound::Answer(Answer { evidence: _, value, failed: _ }) => Ok(value),
            Outbound::Reply(..) | Outbound::Lease(..) => {
                Err(Refusal::new(Code::UpstreamReply, "the operation gave something else than an answer"))
            }
        }
    }

    fn facts(&self) -> Fact {
        Fact { holder: self.known.holder(), ..Fact::default() }
    }

    fn within_rate(&self) -> Option<Within> {
        let rate = &self.agent.socket.limits.rate;
        let uid = self.known.holder().uid?;
        let owns = self.known.run().is_none() && (uid == self.agent.owner || uid == 0);
        if rate.of == Throttled::Others && owns {
            return Some(Buckets::uncounted());
        }
        self.agent.buckets.take(rate, uid, Instant::now())
    }
}

/// A refusal as an `error_response`.
fn failed(refusal: &Refusal) -> Reply {
    let mut payload = json!({ "error": refusal.message, "code": refusal.code });
    if let Some(fields) = payload.as_object_mut() {
        if let Some(hint) = &refusal.hint {
            fields.insert("hint".to_owned(), json!(hint));
        }
        if let Some(evidence) = refusal.evidence {
            fields.insert("evidence".to_owned(), json!(evidence));
        }
    }
    Reply { kind: ERROR, payload }
}
