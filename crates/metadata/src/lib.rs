//! The door for cloud SDKs: the metadata endpoints of EC2, ECS, GCP and Azure.
//!
//! A program that knows nothing of Doorward asks these servers for credentials, as it would on a machine of the cloud. A
//! server parses, guards and prints; where the credentials come from, and the record of each answer, is behind [`Leases`]
//! and [`Tokens`], which the wiring implements with the path. This crate holds no long-lived key and asks no person.
//!
//! [`Refreshing`] keeps a lease with its bodies already written, so that most answers are a look-up: until five minutes
//! before the end, one fetch for all who wait, and a pause after a failure.
//!
//! # Invariants
//!
//! - A request is answered only when it comes from this machine (or, with a token, by a listed name), is addressed to this
//!   server and was passed on by nobody: names that were pointed here and programs that fetch for others get nothing.
//! - No credential is given before the answer is on record.
//! - Every request that is turned away is counted and logged, without what was sent.
//! - No request stops or changes a server.

mod alias;
mod azure;
mod bearer;
mod cloud;
mod door;
mod ec2;
mod ecs;
mod error;
mod flight;
mod gate;
mod gcp;
mod leases;
mod query;
mod refused;
mod relay;
mod render;
mod reply;
mod tokens;

pub use alias::Alias;
pub use azure::Azure;
pub use bearer::{Bearer, Shown};
pub use ec2::{Ec2, Instance, Version1};
pub use ecs::Ecs;
pub use error::Error;
pub use gate::{LINK_LOCAL, Reach};
pub use gcp::{Gcp, Project};
pub use leases::{Ask, Endpoint, Given, Held, Leases, Refreshing, RoleArn};
pub use refused::{Reason, Tally};
pub use relay::Relay;
pub use tokens::{CloudToken, RefreshingTokens, TokenAsk, Tokens, Want};
