//! Why a program was not run, or not to its end.

use std::path::PathBuf;

/// Why a program was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A private folder could not be made, filled or wiped.
    #[error("could not {what} the private folder `{}`", path.display())]
    Room {
        /// What was attempted.
        what: &'static str,
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No sandbox works here, or not the one that was asked for.
    #[error("no sandbox works here: {0}")]
    Sandbox(String),
    /// The sandbox was not set up, so the program was not started.
    #[error("the sandbox could not be set up: {0}")]
    SetUp(String),
    /// The program could not be started.
    #[error("`{}` could not be started: {why}", program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The system refused something on the way.
    #[error("could not {what}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// As many programs run as may, and others wait already.
    #[error("as many programs run as may at a time, and others wait already")]
    Busy,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Sandbox(_) | Self::SetUp(_) => Some(
                "install `bubblewrap`, or allow user namespaces; `sandbox = \"none\"` in settings.toml runs programs without one",
            ),
            Self::Busy => Some("try again in a moment"),
            Self::Room { .. } => Some("a folder on a memory file system is wanted, such as /dev/shm"),
            Self::Start { .. } | Self::System { .. } => None,
        }
    }
}

/// What the system refused.
pub(crate) fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::System { what, source }
}
