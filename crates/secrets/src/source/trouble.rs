//! Why a source did not give a secret. No variant carries secret material, and none repeats what somebody else answered.

use std::io;
use std::sync::Arc;

/// Why a secret could not be read at its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The reference, or what was found there, is not of the form.
    #[error("{0}")]
    Wrong(&'static str),
    /// The system said no.
    #[error("could not {what}: {source}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody answered, or not in time, or only that it can't right now.
    #[error("{at} {what}")]
    Unreachable {
        /// Who was asked.
        at: String,
        /// What happened instead.
        what: String,
    },
    /// It answered, and the answer is no.
    #[error("{at} refused: {why}")]
    Refused {
        /// Who was asked.
        at: String,
        /// In our words; a status or code at most is theirs.
        why: String,
    },
    /// It answered something that it does not document.
    #[error("the answer of {at} {what}")]
    Answer {
        /// Who was asked.
        at: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The source is not set up for this.
    #[error("{0}")]
    Setting(String),
    /// The credential that the source needs is out of reach itself.
    #[error("the credential `{reference}` of its source can't be read: {why}")]
    Needs {
        /// The credential.
        reference: String,
        /// Why not.
        why: Arc<Self>,
    },
}

impl Trouble {
    /// Whether it may go by itself, so that what was fetched before is still as good as anything known.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Needs { why, .. } => why.is_passing(),
            Self::Wrong(_)
            | Self::System { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Setting(_) => false,
        }
    }

    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } | Self::Needs { .. } => {
                Some("see whether it runs and can be reached from here; `doorward doctor` asks every source")
            }
            Self::Refused { .. } => {
                Some("see what the credential of this source may read, and whether it is still valid")
            }
            Self::Setting(_) => {
                Some("sources are set up in `sources.toml` of the home, or by their usual variables")
            }
            Self::Wrong(_) | Self::System { .. } | Self::Answer { .. } => None,
        }
    }

    /// Nobody answered in time.
    pub(crate) fn late(at: impl Into<String>) -> Self {
        Self::Unreachable { at: at.into(), what: "did not answer in time".to_owned() }
    }

    pub(crate) fn setting(what: impl Into<String>) -> Self {
        Self::Setting(what.into())
    }
}
