//! `doorward backup` and `doorward restore`: a home as a folder that can be checked, and back.
//!
//! A backup is taken beside a running broker: the database by its own means, the evidence, which only grows, behind it. So the
//! evidence may tell of more than the database knows, never of less.
//!
//! # Invariants
//!
//! - A backup is whole or it is not there: it is made under another name, read again, verified, and then renamed.
//! - What opens the home is not in it, unless that was asked for.
//! - Nothing is restored that differs from its manifest in a byte, whose evidence does not verify, or that a later version wrote.

mod key;
mod manifest;
mod restore;
mod taking;

use crate::args::backup::{Backup, Restore};
use crate::context::Context;
use crate::failure::Outcome;

/// Takes one.
pub(crate) fn run(context: &Context, args: &Backup) -> Outcome {
    taking::run(context, args)
}

/// Makes a home of one.
pub(crate) fn restore(context: &Context, args: &Restore) -> Outcome {
    restore::run(context, args)
}
