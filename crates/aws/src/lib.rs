//! AWS: profiles, STS, SSO, MFA, sessions, metadata payloads.
//!
//! What the command line, the metadata door and the broker need to turn a profile into short-lived credentials. This crate
//! knows protocols and files; who may have what, and the record of it, are decided above it.
//!
//! # Invariants
//!
//! - A secret key, a session token and an OIDC token are [`memory::Secret`] from the moment when they were read.
//! - Nothing that was read is written back but by [`file`], and a key only in the form of its keyring.
//! - Nothing is dialled but the endpoint that the profile names or AWS publishes for the service and region.

pub mod chain;
pub mod file;
pub mod iam;
pub mod mfa;
pub mod oidc;
pub mod process;
pub mod profile;
pub mod secret;
pub mod session;
pub mod signin;
pub mod source;
pub mod sso;
pub mod sts;
pub mod wire;

mod lease;

pub use lease::Lease;
