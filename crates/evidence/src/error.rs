//! Why evidence could not be written or read. Whatever it is, nothing is done without evidence.

use std::sync::Arc;

use model::{Code, EvidenceId};

use crate::{Finding, Seen};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The group could not be made durable; the log tries again with the next one.
    #[error("could not make the evidence durable")]
    Write(#[source] Arc<store::Error>),
    /// The storage could not be read.
    #[error("could not read the evidence")]
    Read(#[source] store::Error),
    /// A commit failed in a way after which nobody knows what is on the disk.
    #[error("the evidence log failed and stays closed until it is opened again")]
    Failed,
    /// The log was closed.
    #[error("the evidence log is closed")]
    Closed,
    /// More records wait for the disk than the log accepts.
    #[error("too many records wait for the disk")]
    Busy,
    /// The disk did not answer in time.
    #[error("the evidence was not durable in time")]
    Slow,
    /// A counted use of a grant or narrowing is spent.
    #[error("the uses are spent")]
    UsesExhausted([u8; 16]),
    /// A record with this id is open already.
    #[error("the record `{0}` is open already")]
    Duplicate(EvidenceId),
    /// What is stored was changed, or belongs to another key.
    #[error("the stored evidence is damaged")]
    Damaged(#[source] Box<Finding>),
    /// The evidence ends before what was seen of it.
    #[error(
        "the evidence ends before what this home has seen of it: {found}, where {seen}",
        seen = signed(Some(.seen)), found = signed(.found.as_ref())
    )]
    Ended {
        /// What there was.
        seen: Seen,
        /// What there is.
        found: Option<Seen>,
    },
    /// The origin can't name a signing key.
    #[error("`{0}` can't be the origin of checkpoints")]
    Origin(String),
    /// Something that lends, counts, shows or changes something was to be recorded as an answer.
    #[error("what uses a capability needs an intent, and is no question")]
    NoQuestion,
    /// A record is larger than the format holds.
    #[error("the record has too many {0}")]
    TooLarge(&'static str),
    /// The system failed.
    #[error("could not {what}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Write(source) => source.hint(),
            Self::Read(source) => source.hint(),
            Self::Failed => Some("check the disk, then start the broker again"),
            Self::Damaged(_) => Some("run `doorward evidence verify`, and restore a backup"),
            Self::Ended { .. } => Some(
                "put the files of its folder `evidence` back, or `doorward restore` a backup; if they are lost for good, `doorward \
                 evidence admit-loss --reason TEXT` goes on without them, and says so in the evidence",
            ),
            Self::Origin(_) => Some("an origin has no white space and no `+`"),
            Self::UsesExhausted(_) => Some("ask for a new grant"),
            Self::Closed
            | Self::Busy
            | Self::Slow
            | Self::Duplicate(_)
            | Self::NoQuestion
            | Self::TooLarge(_)
            | Self::System { .. } => None,
        }
    }

    /// The code of the refusal that follows from it.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UsesExhausted(_) => Code::UsesExhausted,
            Self::TooLarge(_) => Code::BadRequest,
            Self::Write(_)
            | Self::Read(_)
            | Self::Failed
            | Self::Closed
            | Self::Busy
            | Self::Slow
            | Self::Duplicate(_)
            | Self::NoQuestion
            | Self::Damaged(_)
            | Self::Ended { .. }
            | Self::Origin(_)
            | Self::System { .. } => Code::EvidenceUnavailable,
        }
    }
}

/// How much was signed, for people.
fn signed(seen: Option<&Seen>) -> String {
    match seen {
        None => "nothing is there".to_owned(),
        Some(Seen { number, records, time, .. }) => {
            format!("{records} records are signed by checkpoint {number} of {time}")
        }
    }
}
