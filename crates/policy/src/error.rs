//! Why a capability, caveat, grant or policy is not accepted. No variant carries secret material.

use model::ParseError;

/// An error of this crate, met while something is made or read. What is refused to a caller is a
/// [`Denial`](crate::Denial).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a capability.
    #[error("the capability is not well formed: {0}")]
    Malformed(&'static str),
    /// The checksum does not fit: it was mistyped or cut off.
    #[error("the capability was mistyped or cut off")]
    Mistyped,
    /// It holds a caveat that this version does not know.
    #[error("the capability holds a caveat of the unknown kind {0}")]
    UnknownCaveat(u8),
    /// More than a capability can carry.
    #[error("a capability cannot hold {0}")]
    TooLarge(&'static str),
    /// A narrowing that would allow more than its parent.
    #[error("`{0}` is wider than the grant it comes from")]
    Wider(String),
    /// A name, pattern or limit has the wrong form.
    #[error(transparent)]
    Invalid(#[from] ParseError),
    /// A policy that is not Cedar, or fails strict validation.
    #[error("{source_name}:{line}:{column}: {message}")]
    Policy {
        /// Where the policy was read from.
        source_name: String,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong, in Cedar's words or ours.
        message: String,
    },
    /// The operations given to the policies contradict one another.
    #[error("the operation `{0}` is described twice, differently")]
    Operation(String),
    /// The schema made from the catalogue was not accepted.
    #[error("the schema of the policies could not be built: {0}")]
    Schema(String),
    /// A role that is never assigned, since it is given by how a caller is proven.
    #[error("the role `{0}` cannot be assigned")]
    ReservedRole(String),
}

impl Error {
    /// What to do about it, where there is something.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Mistyped => Some("copy the whole capability, from `cap1_` to its last character"),
            Self::UnknownCaveat(_) => Some("it was made by a newer Doorward; update this one"),
            Self::Wider(_) => Some("a narrowing can only take away; ask for a new grant instead"),
            Self::TooLarge(_) => Some("use a pattern such as `slack/chat.*` instead of a long list"),
            Self::Policy { .. } => Some(
                "mend the file; `doorward policy test` tries it, and the former set stays in force until it compiles",
            ),
            Self::ReservedRole(_) => Some(
                "`holder` and `proven` come with how a caller is proven; they are not given to a principal",
            ),
            Self::Malformed(_) | Self::Invalid(_) | Self::Operation(_) | Self::Schema(_) => None,
        }
    }
}
