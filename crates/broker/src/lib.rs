//! The one path, and the management operations.
//!
//! Whatever door a request comes through, it becomes an [`Inbound`] and goes the same way: who is it, what does it want,
//! may it, within which limits; then the intent is made durable, and only then is a secret lent, put on the request, sent,
//! scrubbed from the reply, and the outcome settled. `path/mod.rs` is that way, one line a step.
//!
//! Managing Doorward itself (putting a secret, granting, revoking) is an integration called `doorward` and goes the same
//! way, so there is nothing that leaves no evidence.
//!
//! Doors parse; this crate decides; the crates below do. It knows nothing of sockets, flags or files of settings.
//!
//! # Invariants
//!
//! - Each step takes the proof that the step before has made, so that no step can be left out.
//! - Between the intent and its outcome nothing is cancelled by a caller who hangs up.
//! - What cannot be recorded is not done.

pub mod agent;
pub mod answering;
mod approval;
mod broker;
pub mod caveats;
mod clock;
pub mod document;
mod hooks;
mod inbound;
mod limits;
mod log;
mod manage;
mod metrics;
pub mod mint;
mod offers;
pub mod once;
mod outgoing;
mod path;
pub mod people;
mod plan;
pub mod presented;
mod programs;
mod sealed;
pub mod sessions;
pub mod spans;
mod tools;
mod upstreams;
mod welcome;
mod worker;

pub use aws::Lease;
pub use broker::{
    Broker, Due, Named, Often, Operations, Overlay, Readiness, Reading, Round, Settings, State, Stores,
    WrittenList, check_policies, home_lists, read_lists, stands,
};
pub use clock::SystemClock;
pub use hooks::{Telling, ToTell};
pub use inbound::{Answer, Asked, Forward, Inbound, Operate, Outbound, inputs_of};
pub use limits::shared::{OnFailure, SharedRates};
pub use manage::{MANAGED, Payload, credential_shown};
pub use metrics::Metrics;
pub use programs::ProgramSetup;
pub use tools::{tool, tool_output, tool_refusal};
pub use welcome::{Cursors, Welcome, etag, inbound as inbound_of_api};
pub use worker::Worker;
