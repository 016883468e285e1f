//! Why an item can't be read or made.

/// Why an item can't be read or made. Says nothing of what stands in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not the JSON that they should be.
    #[error("could not read the stored {0}: it is damaged, or in a form that is not known")]
    Damaged(&'static str),
    /// A field that must have a value has none.
    #[error("could not read the stored {what}: it has no {field}")]
    Missing {
        /// What was read.
        what: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Credentials without an end can't be kept as a session.
    #[error("could not keep the session: it has no {0}")]
    NoSession(&'static str),
    /// A secret is not UTF-8 text, which all of AWS are.
    #[error("could not keep the {0}: it is not text")]
    NotText(&'static str),
    /// There is no guarded memory.
    #[error("could not guard the secret")]
    Memory(#[from] memory::Error),
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Damaged(_) | Self::Missing { .. } => {
                Some("store the keys again, or clear the sessions of the profile")
            }
            Self::NoSession(_) | Self::NotText(_) => None,
            Self::Memory(_) => Some("raise the limit of locked memory (`ulimit -l`)"),
        }
    }
}
