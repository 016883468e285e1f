//! The hash-chained record of every use of a credential, the Merkle tree over it, signed checkpoints, verification and export.
//!
//! A record is written twice: as an *intent* before a secret is lent, and as an *outcome* before the caller has its answer. If
//! either can't be made durable, the call is refused. This crate does not decide what is allowed (`policy` does), and never sees
//! secret material. `docs/concepts/evidence.md` describes the bytes, so that a stranger can verify them.
//!
//! ```text
//! Lane::intend ─▶ buffer of the lane ─▶ writer thread: chain, tree, one commit for all that wait ─▶ Receipt
//! Lane::settle(Receipt) ─▶ the same way ─▶ id of the evidence
//! ```
//!
//! # Invariants
//!
//! - Each record holds the hash of the one before it, per tenant.
//! - A [`Receipt`] exists only after its intent is durable, and is spent by exactly one outcome.
//! - A group of records is durable with the uses that it counts, or neither is; after a failed commit the chain is as before.
//! - An intent whose receipt was lost ends as `unknown`: by a sweep, or when the log is opened again.
//! - A log whose disk failed in an unknown way refuses until it is opened again. It never tries again as if nothing had been.

mod checkpoint;
mod codec;
mod error;
pub mod event;
mod export;
mod finding;
mod heads;
mod history;
mod leaf;
mod log;
mod note;
mod read;
mod receipt;
mod resume;
mod seen;
mod standing;
pub mod tree;
mod verify;
mod walk;

pub use checkpoint::{ChainHead, Statement};
pub use error::Error;
pub use event::{
    Answered, Closed, CounterId, Deed, Disclosure, Ending, Event, Intent, Kind, Notice, Outcome, Refused,
    Request, Settles, Use,
};

pub use finding::{At, Finding, Wrong};
pub use leaf::Leaf;
pub use log::{Lane, Log, Outcomes, Wait};
pub use note::{Origin, verifier_key};
pub use read::{Ended, EndedWhat, Entry, Filter, Mark, Proved, Reader, Shown, Signed, What};
pub use receipt::{OpenStream, Receipt};
pub use seen::{Seen, Whole};
pub use verify::{Report, verify_export, verify_store};
