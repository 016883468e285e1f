//! HTTP for the house: the pool of upstream connections, the address guard, listeners, TLS and draining.
//!
//! Doors accept requests through [`serve`] and the broker sends them through [`Upstream`]; nothing else in the house opens
//! a socket. This crate knows nothing of credentials, policies or evidence: it carries what it is given to the place that
//! it is given, and to no other. Requests of our own, to the control plane of a cloud, go through [`egress`].
//!
//! # Invariants
//!
//! - An upstream is dialled only through [`guard::CheckedAddress`]: the address that was checked is the address that is
//!   connected to. There is no second look-up in between.
//! - `Host` and `:authority` come from [`Dial::authority`], never from the request.
//! - A request is sent a second time only when nothing of the first attempt can have left this process
//!   ([`Error::sent`]). A redirect is an answer like any other: nobody here follows it. No environment variable names a
//!   proxy for an upstream.
//! - A request reaches a service only when its framing has one reading ([`headers::well_formed`], and the strict reading
//!   of the raw head for what the HTTP library settles silently).
//! - Every wait on somebody else has a deadline, every queue a bound, every task an owner: connection tasks of
//!   [`Upstream`] end with their connection, those of [`serve`] are owned by it and cut when its grace is over.

pub mod body;
pub mod drain;
pub mod egress;
mod error;
pub mod fellow;
pub mod grpc;
pub mod guard;
pub mod headers;
mod lasting;
mod listen;
mod neighbour;
mod peer;
pub mod plain;
mod pool;
pub mod problem;
pub mod quota;
pub mod redis;
pub mod relay;
mod serve;
mod shares;
pub mod tls;
pub mod trailers;
mod upstream;
mod way;
pub mod websocket;
mod wire;

pub use body::Body;
pub use drain::{Drain, Draining};
pub use error::{Cut, Error, Sent};
pub use guard::{Names, Private};
pub use listen::{Access, Bound, Listener, adopt_unix, bind_tcp, bind_unix, bind_unix_for};
pub use neighbour::{Neighbour, NeighbourError};
pub use peer::{Alive, Ended, FromPeer, Handle, Peer, Process, kernel_has_handles};
pub use pool::Incoming;
pub use serve::{Drained, Lines, SERVED, ServeLimits, TakesOver, gave_back, serve, serve_lines};
pub use shares::{Place, Share, Shares};
pub use upstream::{Dial, Patience, Upstream, UpstreamConfig, Verify};
pub use way::{Reuse, Way, WayConfig};

#[cfg(test)]
mod tests;
