//! Asking a person, as an inversion: whoever opens a keyring says how.

use std::fmt;
use std::path::PathBuf;

use memory::Secret;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// The passphrase of the files in a folder.
    Passphrase {
        /// The folder.
        folder: PathBuf,
    },
    /// The token of a 1Password Connect server.
    OpConnectToken,
    /// The token of a 1Password service account.
    OpServiceAccountToken,
    /// A personal access token of Proton Pass.
    ProtonPassToken,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase { folder } => write!(f, "Passphrase to unlock \"{}\"", folder.display()),
            Self::OpConnectToken => f.write_str("1Password Connect token"),
            Self::OpServiceAccountToken => f.write_str("1Password service account token"),
            Self::ProtonPassToken => f.write_str("Proton Pass personal access token"),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Neither the settings have it nor is there anybody to ask.
    #[error("there is no terminal to ask on, and the settings have no answer")]
    Nobody,
    /// The person turned it down.
    #[error("it was not answered")]
    Declined,
    /// Asking failed.
    #[error("asking failed")]
    Failed(#[source] std::io::Error),
}

/// Whoever answers what a keyring asks, and shows what it has to tell.
pub trait Ask: Send + Sync {
    /// Gives the answer: from the environment where it has one, else from a person. Called at most once for each
    /// question and keyring. An empty answer is an answer.
    ///
    /// # Errors
    /// When there is none.
    fn ask(&self, question: &Question) -> Result<Secret, NoAnswer>;

    /// Shows a line that the person should know, such as which place was chosen. Does nothing unless overridden.
    fn tell(&self, line: &str) {
        tracing::info!("{line}");
    }
}
