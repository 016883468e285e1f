//! Short-lived capabilities from the Doorward agent on this machine.
//!
//! [`Agent`] speaks with the agent over its Unix socket, [`Keeper`] keeps capabilities for a program and asks for new ones,
//! [`token`] reads, narrows and checks tokens without any agent, and [`mock::Mock`] stands in for the agent in tests.
//!
//! ```no_run
//! use doorward_client::{Agent, CapabilityRequest, UseRequest};
//! let agent = Agent::new();
//! let response = agent.request(&CapabilityRequest::new("op:/crm/*", ["execute"]).ttl(300))?;
//! if let Some(capability) = response.granted() {
//!     let reply = agent.use_request(&capability.id, &UseRequest::new("crm", "GET", "/v1/contacts"))?;
//!     assert_eq!(reply.http_status, Some(200));
//! }
//! # Ok::<(), doorward_client::Error>(())
//! ```
//!
//! # Invariants
//!
//! - What may have been performed is never sent twice; it ends as [`Error::OutcomeUnknown`].
//! - A call takes no longer than its timeout, its retries included.
//! - Secrets and tokens have no `Debug`, `Display` or `Serialize` that shows them.
//! - What came unasked is never taken for an answer.

mod agent;
mod cache;
mod connection;
mod error;
mod keeper;
mod metrics;
pub mod mock;
mod random;
mod secret;
mod settings;
pub mod token;
mod types;
mod wire;

pub use agent::{Agent, Asks, Revoke, secure_use};
pub use cache::Cache;
pub use error::Error;
pub use keeper::Keeper;
pub use metrics::{Counted, Metrics};
pub use secret::Secret;
pub use settings::{Retry, SYSTEM_SOCKET, Settings};
pub use types::{
    Capability, CapabilityFilter, CapabilityList, CapabilityRequest, CapabilityResponse, Issue, LogResponse,
    NarrowRequest, SecretResponse, UseRequest, UseResult, ValidationResult,
};
