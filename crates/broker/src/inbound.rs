//! What comes in at a door, and what goes out.

use http::{HeaderMap, HeaderValue, Response};
use model::{Door, EvidenceId, Fact, Inputs, IntegrationName, Method, OperationName, Target};
use net::Body;

use crate::Payload;

/// A request as a door parsed it. Nothing in it is believed yet.
#[derive(Debug)]
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

/// What a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// To forward an HTTP request with a credential.
    Forward(Box<Forward>),
    /// To perform a named operation.
    Operate(Operate),
}

/// An HTTP request for an integration.
#[derive(Debug)]
pub struct Forward {
    /// Which integration.
    pub integration: IntegrationName,
    /// The method.
    pub method: Method,
    /// Path and query, relative to the service.
    pub target: Target,
    /// The caller's headers.
    pub headers: HeaderMap,
    /// The caller's body.
    pub body: Body,
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
}

impl std::fmt::Debug for Operate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { integration, operation, inputs, payload: _ } = self;
        f.debug_struct("Operate")
            .field("integration", integration)
            .field("operation", operation)
            .field("inputs", inputs)
            .finish_non_exhaustive()
    }
}

/// What goes back to the caller.
#[derive(Debug)]
pub enum Outbound {
    /// The upstream's reply, scrubbed.
    Reply(EvidenceId, Box<Response<Body>>),
    /// The answer of an operation.
    Answer(Answer),
}

/// The answer of an operation.
#[derive(Debug)]
pub struct Answer {
    /// The record of it.
    pub evidence: EvidenceId,
    /// What it says.
    pub value: serde_json::Value,
}
