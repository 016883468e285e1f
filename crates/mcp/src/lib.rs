//! The door for AI agents: the Model Context Protocol, over stdio and over streamable HTTP.
//!
//! Each operation that the caller's capability grants is a tool, with the inputs of the catalogue as its schema. A call of a tool
//! is a call of the operation: it goes the broker's one path, and what comes back is its answer or the refusal, as an answer that a
//! model can read. The protocol itself is the library's (`rmcp`).
//!
//! # Invariants
//!
//! - Nothing is decided here. What is listed is what a capability speaks of; whether a call is carried is said by the path, each time.
//! - A tool is called by the name under which it was listed, with text, whole numbers and booleans; anything else is refused.
//! - What a refusal says goes to the model; what a secret is never comes here.

mod entrance;
mod known;
mod lines;
mod offer;
mod serve;
mod server;
mod waiting;

use std::future::Future;

use http::HeaderValue;
use model::{Inputs, IntegrationName, OperationName, Refusal};

pub use entrance::Entrance;
pub use known::Known;
pub use offer::{Input, Kind, Offer};
pub use serve::{Reply, http, stdio};
pub use server::Server;

/// Where operations are. A capability is what the caller presented, as it was written; without one, callers are who the
/// implementation says.
pub trait Operations: Send + Sync + 'static {
    /// The operations that this caller may ask for.
    ///
    /// # Errors
    /// When the capability is none, or has ended.
    fn offers(
        &self,
        capability: Option<HeaderValue>,
    ) -> impl Future<Output = Result<Vec<Offer>, Refusal>> + Send;

    /// Takes an access token of the issuer that the door names, and gives the capabilities that calls are made with for it, the first
    /// one first. The token goes no further.
    ///
    /// # Errors
    /// `unauthenticated` where the token does not hold, `denied` where it gives nothing.
    fn admit(&self, token: HeaderValue) -> impl Future<Output = Result<Vec<HeaderValue>, Refusal>> + Send;

    /// Performs one of them.
    ///
    /// # Errors
    /// The refusal of the path, with the id of its record.
    fn perform(
        &self,
        capability: Option<HeaderValue>,
        call: Performing,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// What is to be performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performing {
    /// Of which service.
    pub integration: IntegrationName,
    /// Which operation.
    pub operation: OperationName,
    /// With which inputs.
    pub inputs: Inputs,
}

/// What an operation answered. Its `Debug` shows no value.
pub struct Answer {
    /// The id of its record.
    pub evidence: String,
    /// What it says.
    pub value: serde_json::Value,
    /// Whether the service or the program says that it failed.
    pub failed: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { evidence, value: _, failed } = self;
        f.debug_struct("Answer").field("evidence", evidence).field("failed", failed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
