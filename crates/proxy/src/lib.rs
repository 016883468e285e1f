//! The reverse proxy door: HTTP in, the broker's one path, HTTP out.
//!
//! An unmodified program points its base URL here. The integration that it means is named by a header
//! (`X-Doorward-Integration`), by the host (`slack.localhost`, `slack.gateway.example`, `slack`), or by the first segment of
//! the path (`/slack/api/...`). Everything else about the request is carried over as it stands; who may do what is decided
//! behind this door, never in it.
//!
//! ```
//! use proxy::Gateway;
//! let gateway = Gateway::new(vec!["gateway.example".to_owned()], Vec::new())?;
//! assert_eq!(gateway.domains, ["gateway.example"]);
//! # Ok::<(), proxy::Unusable>(())
//! ```
//!
//! # Invariants
//!
//! - A request names exactly one integration, by exactly one reading. Two that differ are refused, never ranked.
//! - The target is brought into its canonical form before it is split, so that what chooses the integration and what is
//!   sent are cut from the same bytes.
//! - A host that is not ours is refused, and so is a page of the web that was not named: a browser on this machine must
//!   not become somebody else's way in.

mod browser;
mod correlation;
mod dialect;
mod gateway;
mod health;
mod host;
mod llm;
pub mod metrics;
mod operation;
mod purpose;
mod refused;
mod route;
mod tools;

pub use dialect::{Dialect, IntHeader, Numbers as PeerNumbers, Speaking};
pub use gateway::{Gateway, Unusable};
pub use llm::Provider;
