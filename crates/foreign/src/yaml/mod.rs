//! Files of other programs, edited where they stand: what nobody asked to change stays byte by byte as it was.
//!
//! # Invariants
//!
//! - A file that can't be read as one YAML document is never changed.
//! - Every edit is read again by a second parser, and given back only if it says exactly what was meant: the old contents with
//!   this one change, and every comment that does not belong to what was taken away. Otherwise there is an error, and no text.
//! - A file of JSON stays JSON.

mod document;
mod node;
mod read;

pub use document::{Document, Step};
pub use node::Node;

/// Why a file could not be read or edited. Nothing of its contents is repeated: a secret may stand in the wrong place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not what it should be.
    #[error("{file}:{line}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// The line; 0 where it is not known.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// The edit would have changed something else as well.
    #[error("`{file}` could not be edited in place without changing something else; it is as it was")]
    Unsafe {
        /// The file.
        file: String,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "mend it first; nothing was written",
            Self::Unsafe { .. } => {
                "anchors, tags or an unusual form are in the way; make this change by hand"
            }
        }
    }
}
