//! The cases, by what is odd about them. Each row of a table has a name; a generator makes cases of a table.

mod chunks;
mod framing;
mod hop;
mod http2;
mod lines;
mod targets;

use super::words::{Case, Words};

/// Every case, in an order that does not change.
pub(super) fn all(words: &Words) -> Vec<Case> {
    let mut cases = Vec::new();
    for family in [
        framing::cases,
        lines::cases,
        chunks::cases,
        targets::cases,
        hop::cases,
        hop::pipelines,
        http2::cases,
    ] {
        family(words, &mut cases);
    }
    cases
}
