//! Google Cloud, Microsoft Entra and sign-ins of people ([`sign_in`]): short-lived tokens from a long-lived key.
//!
//! A key is one document, as the cloud's own tools write it, that holds whose key it is beside the key: what belongs together
//! is stored together, and a secret of another kind is refused before anything is sent. This crate knows protocols; who may
//! have which token, and the record of it, are decided above it.
//!
//! # Invariants
//!
//! - A key goes to the token endpoint of its cloud only, and a private key goes nowhere: it signs an assertion.
//! - A token is a [`memory::Secret`] from the moment when it was read.
//! - Nothing that was read is quoted in an error but the codes and messages that the cloud itself gave.

mod assertion;
mod azure;
mod error;
mod form;
mod gcp;
mod granted;
pub mod sign_in;
mod talk;

pub use assertion::{seconds, signed};
pub use azure::{Principal, authority_of};
pub use error::{Error, Fault};
pub use form::{Form, Sent};
pub use gcp::{Account, GcpPlaces, Wanted};
pub use granted::{Answered, Granted};
pub use talk::{Hide, Talk};

use memory::Secret;
use model::Timestamp;

/// A token, and when it ends.
pub struct Token {
    /// The token: visible ASCII.
    pub value: Secret,
    /// When it ends.
    pub ends: Timestamp,
}
