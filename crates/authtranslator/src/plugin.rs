//! Each plugin of theirs as a scheme of ours.

pub(crate) mod incoming;
pub(crate) mod outgoing;

use catalog::{Error, nearest_word};

use crate::params::Params;

/// A type that is none.
fn unknown(params: &Params<'_>, kind: &str, line: u64, known: &[&str]) -> Error {
    let near = nearest_word(kind, known.iter().copied());
    let problem = format!("there is no plugin of this type; there are `{}`", known.join("`, `"));
    match params.wrong_at(line, problem) {
        Error::Invalid { file, line, problem } => Error::Syntax { file, line, problem, nearest: near },
        other => other,
    }
}
