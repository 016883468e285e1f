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
//! | `POST /v1/runs?run=..&capability=..&keep=group` | a bearer, where no `capability` is named | `{"run", "socket", "capability"}` |
//! | `POST /v1/runs/{run}/end` | | `{"run", "ended"}` |
//! | `/{integration}/..`, any method | that of the service | that of the service; for what belongs to a run |
//! | `POST /v1/wish` with `Upgrade: doorward-wish/1` | | the connection becomes one of [`broker::mint::afar`]; the owner alone |
//!
//! # Invariants
//!
//! - A body goes into guarded memory before anything looks at it, and is in no log and no answer.
//! - A fact that cannot be proven is not stated: an unknown control group is none, never a guess.
//! - One HTTP request per connection, so that what the kernel said when it was made stays close to when it is used; in both
//!   dialects a caller is looked at again before its answer.
//! - What belongs to a run that is open is that run on every socket, and nobody else.

mod door;
mod gauges;
mod holder;
mod limits;
mod lines;
mod numbers;
mod owner;
mod payload;
mod routes;
mod runs;
mod wishes;

pub use door::{Control, Reloading, Socket, Unseal, Unsealing};
pub use gauges::Gauges;
pub use limits::{Limits, Rate, Throttled};
pub use numbers::Numbers;
pub use runs::Runs;
