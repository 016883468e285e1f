//! What comes in at a door, and what goes out.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use model::{Door, EvidenceId, Fact, Inputs, IntegrationName, Method, OperationName, Target};
use net::Body;

use crate::mint::Wish;
use crate::spans::Remote;
use crate::{Lease, Payload};

pub(crate) mod astray;
mod led;
mod methods;
mod presigned;
mod stated;
mod whole;

pub(crate) use led::{Led, Noted};
pub(crate) use methods::{Looked, OneMethod};
pub(crate) use stated::StatedInputs;
pub use stated::inputs_of;

/// A request as a door parsed it. Nothing in it is believed yet. Its `Debug` shows no capability, no header and no target:
/// any of them may carry a credential.
pub struct Inbound {
    /// The door.
    pub door: Door,
    /// What the kernel says about the connection, and what the caller says it is for.
    pub facts: Fact,
    /// The capability that was presented, as it was written.
    pub capability: Option<HeaderValue>,
    /// What it asks for.
    pub asked: Asked,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { door, facts, capability, asked } = self;
        f.debug_struct("Inbound")
            .field("door", door)
            .field("facts", facts)
            .field("capability", &capability.as_ref().map(|_| "(not shown)"))
            .field("asked", asked)
            .finish()
    }
}

impl Inbound {
    /// What led to it, where another call did.
    pub(crate) fn led(&self) -> Option<&Led> {
        match &self.asked {
            Asked::Forward(forward) => forward.led.as_deref(),
            Asked::Operate(operate) => operate.led.as_deref(),
        }
    }
}

/// What a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// To forward an HTTP request with a credential.
    Forward(Box<Forward>),
    /// To perform a named operation.
    Operate(Operate),
}

/// An HTTP request for an integration.
pub struct Forward {
    /// Which integration.
    pub integration: IntegrationName,
    /// The method.
    pub method: Method,
    /// Path and query, relative to the service.
    pub target: Target,
    /// Path and query as the caller wrote them, relative to the service, where that is not how they are sent. What a caller
    /// signs is signed over this.
    pub written: Option<Box<str>>,
    /// The caller's headers.
    pub headers: HeaderMap,
    /// The caller's body.
    pub body: Body,
    /// The caller asks for a WebSocket.
    pub upgrade: Option<Box<net::websocket::Asked>>,
    /// What led to it, where another call did.
    pub(crate) led: Option<Box<Led>>,
    /// The body, where it was read whole; [`Self::body`] is made of the same bytes then.
    read: Option<Bytes>,
}

impl Forward {
    /// A request as a door read it, its body still to come.
    #[must_use]
    pub const fn new(
        integration: IntegrationName,
        method: Method,
        target: Target,
        headers: HeaderMap,
        body: Body,
    ) -> Self {
        Self {
            integration,
            method,
            target,
            written: None,
            headers,
            body,
            upgrade: None,
            led: None,
            read: None,
        }
    }
}

impl std::fmt::Debug for Forward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { integration, method, target: _, written: _, headers: _, body, upgrade, led: _, read: _ } =
            self;
        f.debug_struct("Forward")
            .field("integration", integration)
            .field("method", method)
            .field("body", body)
            .field("upgrade", &upgrade.is_some())
            .finish_non_exhaustive()
    }
}

/// A named operation with its inputs.
pub struct Operate {
    /// Which integration.
    pub integration: IntegrationName,
    /// Which operation.
    pub operation: OperationName,
    /// The inputs by name.
    pub inputs: Inputs,
    /// What comes with it and is not an input: a secret to store, the text of a policy.
    pub payload: Option<Payload>,
    /// What a credential is to be minted from, for an integration that mints.
    pub wish: Option<Box<Wish>>,
    /// What led to it, where another call did.
    pub(crate) led: Option<Box<Led>>,
    /// The span that it comes from.
    pub(crate) parent: Option<Remote>,
}

impl Operate {
    /// An operation with inputs and nothing else.
    #[must_use]
    pub const fn new(integration: IntegrationName, operation: OperationName, inputs: Inputs) -> Self {
        Self { integration, operation, inputs, payload: None, wish: None, led: None, parent: None }
    }

    /// The same as a part of somebody's trace.
    #[must_use]
    pub fn within(self, parent: Option<Remote>) -> Self {
        Self { parent, ..self }
    }

    /// The same with what comes with it and is not an input.
    #[must_use]
    pub fn with(self, payload: Option<Payload>) -> Self {
        Self { payload, ..self }
    }
}

impl std::fmt::Debug for Operate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { integration, operation, inputs, payload: _, wish: _, led: _, parent: _ } = self;
        f.debug_struct("Operate")
            .field("integration", integration)
            .field("operation", operation)
            .field("inputs", inputs)
            .finish_non_exhaustive()
    }
}

/// What goes back to the caller.
pub enum Outbound {
    /// The upstream's reply, scrubbed.
    Reply(EvidenceId, Box<Response<Body>>),
    /// The answer of an operation.
    Answer(Answer),
    /// A derived credential, and what is said about it.
    Lease(Answer, Box<Lease>),
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reply(id, reply) => f.debug_tuple("Reply").field(id).field(&reply.status()).finish(),
            Self::Answer(answer) => f.debug_tuple("Answer").field(answer).finish(),
            Self::Lease(answer, _) => f.debug_tuple("Lease").field(answer).finish_non_exhaustive(),
        }
    }
}

/// The answer of an operation. Its `Debug` shows no value: that of `capability.request` is a bearer.
pub struct Answer {
    /// The record of it.
    pub evidence: EvidenceId,
    /// What it says.
    pub value: serde_json::Value,
    /// An operation of a service was performed, and the service or its program did not do it. The evidence says the same.
    pub failed: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { evidence, value: _, failed: _ } = self;
        f.debug_struct("Answer").field("evidence", evidence).finish_non_exhaustive()
    }
}
