//! What a verification found wrong, and where.

use std::fmt;

use model::TenantName;

/// One thing that is wrong with stored or exported evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {wrong}")]
pub struct Finding {
    /// Where.
    pub at: At,
    /// What.
    pub wrong: Wrong,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub const fn new(at: At, wrong: Wrong) -> Self {
        Self { at, wrong }
    }
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// A record of a tenant, by its sequence number.
    Record(TenantName, u64),
    /// A stored row of a tenant that is not a record.
    Row(TenantName, &'static str),
    /// A stored checkpoint, by its number.
    Checkpoint(u64),
    /// A line of an export, counted from 1.
    Line(u64),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(tenant, seq) => write!(f, "tenant `{tenant}`, record {seq}"),
            Self::Row(tenant, what) => write!(f, "tenant `{tenant}`, {what}"),
            Self::Checkpoint(number) => write!(f, "checkpoint {number}"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// The bytes are not in the format.
    #[error("it is not in the format of evidence ({0})")]
    Format(&'static str),
    /// The sequence has a gap, or repeats.
    #[error("the sequence number does not follow the one before")]
    Sequence,
    /// The hash of the record before is another one.
    #[error("it does not hold the hash of the record before")]
    Chain,
    /// The tree over the records has another root than a checkpoint says.
    #[error("the records differ from those that were signed")]
    Tree,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// Records are missing that a checkpoint has signed.
    #[error("records that were signed are missing")]
    Cut,
    /// A checkpoint is missing, or stands at the wrong place.
    #[error("a checkpoint is missing or out of place")]
    Checkpoint,
    /// A record belongs to another tenant.
    #[error("it belongs to another tenant")]
    Tenant,
    /// An outcome without an open intent.
    #[error("it settles an intent that is not open")]
    Unmatched,
    /// The text for people differs from the record.
    #[error("the text does not say what the record says")]
    Text,
    /// Counters or state kept beside the records differ from what the records say.
    #[error("it differs from what the records say")]
    State,
    /// The input could not be read.
    #[error("it could not be read")]
    Unreadable,
}
