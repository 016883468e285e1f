//! The door on a Unix socket, for the command line and for programs on this machine.
//!
//! Two dialects are spoken on it, and the first byte of a connection says which: HTTP, below, and the line protocol of
//! [`lines`], for programs that ask for capabilities.
//!
//! Who is at the other end is what the kernel says. A caller performs operations by name, asks for the state, and, as the
//! owner of the home, unseals the broker or drains it. Nothing here decides what an operation may do: it goes the broker's
//! one path like everything else.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST /v1/operations/{integration}/{operation}?input=..` | what is not an input: a secret, a policy | `{"evidence", "answer"}` |
//! | `GET /v1/status` | | `{"state", "version", "pid", "doors"}` |
//! | `GET /v1/metrics` | | OpenMetrics text |
//! | `POST /v1/unseal` | a passphrase | `{"state"}`; owner only |
//! | `POST /v1/drain` | | `{"draining": true}`; owner only |
//!
//! # Invariants
//!
//! - A body goes into guarded memory before anything looks at it, and is in no log and no answer.
//! - A fact that cannot be proven is not stated: an unknown control group is none, never a guess.
//! - One HTTP request per connection, so that what the kernel said when it was made stays close to when it is used.

mod door;
mod gauges;
mod holder;
mod limits;
mod lines;
mod numbers;
mod owner;
mod payload;
mod routes;

pub use door::{Control, Reloading, Socket, Unseal, Unsealing};
pub use gauges::Gauges;
pub use limits::{Limits, Rate, Throttled};
pub use numbers::Numbers;
