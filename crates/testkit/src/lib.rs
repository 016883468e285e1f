//! What the tests of the house share: canaries, an upstream that demands a credential, and a runner of the binary.
//!
//! Nothing here knows the broker: it stands at both ends of it, as the service behind and as the person in front. A failed
//! step fails the test that took it.
//!
//! ```
//! use testkit::{Upstream, canary};
//! let upstream = Upstream::start();
//! assert!(upstream.url().starts_with("http://127.0.0.1:"));
//! canary::assert_absent("nothing to see", "a reply");
//! ```
//!
//! # Invariants
//!
//! - Every wait has a limit, every server ends with its owner, and no port is fixed.
//! - Whatever the binary prints is kept, so that a test can look for canaries in all of it.

#![expect(clippy::expect_used, clippy::panic, reason = "a test library: a failed step fails the test")]

pub mod aws;
pub mod canary;
pub mod certificate;
mod doorward;
pub mod postgres;
mod program;
mod upstream;
pub mod vendor;

pub use doorward::{Doorward, Output, Running};
pub use postgres::Postgres;
pub use postgres::port::port;
pub use program::program;
pub use upstream::{Demand, Held, Recorded, Upstream};
