//! Why an entry could not be read or written. No variant carries secret material.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Kind, NoAnswer};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such entry.
    #[error("`{name}` is not in the keyring `{kind}`")]
    NotFound {
        /// The keyring.
        kind: Kind,
        /// The entry.
        name: String,
    },
    /// The keyring can't be used here.
    #[error("the keyring `{kind}` can't be used here: {why}")]
    Unavailable {
        /// The keyring.
        kind: Kind,
        /// What is missing.
        why: String,
        /// What was met when it was looked for.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The keyring is locked, or was locked with another passphrase.
    #[error("the keyring `{kind}` stays locked: {why}")]
    Locked {
        /// The keyring.
        kind: Kind,
        /// What did not open it.
        why: &'static str,
    },
    /// Nobody could be asked.
    #[error("no answer for the keyring `{kind}`")]
    Ask {
        /// The keyring.
        kind: Kind,
        /// Why not.
        #[source]
        source: NoAnswer,
    },
    /// A setting is missing or makes no sense.
    #[error("the keyring `{kind}` needs {what}")]
    Setting {
        /// The keyring.
        kind: Kind,
        /// What it needs.
        what: &'static str,
    },
    /// The keyring can't hold an entry of this name.
    #[error("`{name}` can't be the name of an entry: {why}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// What is stored is no entry of ours.
    #[error("`{name}` in the keyring `{kind}` can't be read: {what}")]
    Malformed {
        /// The keyring.
        kind: Kind,
        /// The entry.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An entry is larger than the keyring takes.
    #[error("`{name}` is larger than the {most} bytes that the keyring `{kind}` takes")]
    TooLong {
        /// The keyring.
        kind: Kind,
        /// The entry.
        name: String,
        /// The most bytes.
        most: usize,
    },
    /// A file or folder.
    #[error("could not {what} `{}`", path.display())]
    File {
        /// What was attempted.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program or service that keeps the entries did not do what it was asked for.
    #[error("the keyring `{kind}` could not {what}: {said}")]
    Refused {
        /// The keyring.
        kind: Kind,
        /// What was attempted.
        what: &'static str,
        /// What it said, without line ends.
        said: String,
    },
    /// A cipher, or the source of random bytes.
    #[error("the keyring `{kind}` could not seal or open an entry")]
    Crypto {
        /// The keyring.
        kind: Kind,
        /// What failed.
        #[source]
        source: crypto::Error,
    },
    /// What a keyring said that is at the other end of a connection, in its own words.
    #[error("{message}")]
    Elsewhere {
        /// Which kind of failure it is there.
        fault: Fault,
        /// What it said.
        message: String,
        /// What a person can do about it.
        hint: Option<String>,
    },
    /// No guarded memory for what was read.
    #[error("an entry could not be kept in memory")]
    Memory(#[from] memory::Error),
}

/// A kind of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// There is no such entry.
    Missing,
    /// The keyring can't hold an entry of that name.
    Name,
    /// Anything else.
    Else,
}

impl Error {
    /// Which kind of failure it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NotFound { .. } => Fault::Missing,
            Self::Name { .. } => Fault::Name,
            Self::Elsewhere { fault, .. } => *fault,
            _ => Fault::Else,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Locked { kind: Kind::File, .. } => Some(
                "nothing was changed; try again with the passphrase that the other entries were stored with",
            ),
            Self::Locked { kind: Kind::SecretService, .. } => {
                Some("unlock the keyring in your desktop session, or choose another one with `--backend`")
            }
            Self::Locked { .. } => Some("unlock it and try again; nothing was changed"),
            Self::Unavailable { .. } => Some("choose another keyring with `--backend`"),
            Self::Ask { .. } => Some("run it in a terminal, or put the answer into the environment"),
            Self::Elsewhere { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn missing(kind: Kind, name: &str) -> Self {
        Self::NotFound { kind, name: name.to_owned() }
    }

    pub(crate) fn unavailable(kind: Kind, why: impl Into<String>) -> Self {
        Self::Unavailable { kind, why: why.into(), source: None }
    }

    pub(crate) fn malformed(kind: Kind, name: &str, what: &'static str) -> Self {
        Self::Malformed { kind, name: name.to_owned(), what }
    }

    /// What somebody else said, cut to one line that a terminal shows as it is.
    pub(crate) fn refused(kind: Kind, what: &'static str, said: &str) -> Self {
        let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason was given");
        let said = line.chars().filter(|c| !c.is_control()).take(200).collect();
        Self::Refused { kind, what, said }
    }
}
