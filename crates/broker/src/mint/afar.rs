//! A wish from another process: a command that runs beside a broker asks over the broker's socket.
//!
//! The program has what belongs to a person: the keyrings, the terminal, the browser, the programs that a profile names. The
//! broker has the keys of the home, the policies and the evidence, and it makes the calls to AWS. So the wish is sent as one
//! message; when the broker needs an entry of a keyring, for the permit and the receipt of this call, it asks the program for
//! it ([`distant`]); what a call lacks is an answer like any other, and the program calls again with it.
//!
//! ```text
//! program                                broker
//!   opening: a call ────────────────────▶  the one path: who, may it, the intent is durable
//!   ◀──────────────────── ask: an entry    the step that mints
//!   kept: the entry ────────────────────▶  …calls AWS
//!   ◀──────────────── answer, or refused   the outcome is recorded
//! ```
//!
//! # Invariants
//!
//! - The call goes the one path, as the caller that the kernel named; nothing in the message says who it is from.
//! - Before the answer it is looked once more whether the program is still who it was.
//! - Calls about one key or sign-in have their turn one after the other, so that many that want one session make one call to
//!   AWS ([`turns`]).
//! - Secrets are beside the JSON of a message and never in it ([`letter`]).

mod answers;
mod ask;
mod converse;
mod distant;
mod letter;
mod turns;
mod wish;
mod words;

pub use answers::Answers;
pub use ask::ask;
pub use converse::{Conversations, Staying, Stays};

/// What the connection becomes: the name of this protocol and its version.
pub const PROTOCOL: &str = "doorward-wish/1";

#[cfg(test)]
mod tests;
