//! Why policy files are not accepted. Every variant names the file, and the line and rule where there is one.

use std::path::{Path, PathBuf};

/// Policy files that can't be read whole. None of them is loaded then, and the former set stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder, or a file in it, can't be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Somebody else could change it.
    #[error("`{}` is not read, because {why}", path.display())]
    Unsafe {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        why: Why,
    },
    /// A mistake in a file.
    #[error("{file}:{line}: {}{problem}", rule.as_ref().map(|rule| format!("rule `{rule}`: ")).unwrap_or_default())]
    Invalid {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The rule, where it is in one.
        rule: Option<String>,
        /// What is wrong.
        problem: String,
        /// The known word that is nearest to an unknown one.
        nearest: Option<String>,
    },
    /// Two policies have one id.
    #[error("{place}: the id `{id}` is taken by the policy at {earlier}")]
    Twice {
        /// The id.
        id: String,
        /// File and line of the second one.
        place: String,
        /// File and line of the first one.
        earlier: String,
    },
    /// The rules could not be compiled.
    #[error("could not compile the rules: {0}")]
    Compile(String),
}

impl Error {
    /// What to do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Unsafe { path, why } => why.hint(path),
            Self::Invalid { .. } => {
                Some("`doorward policy check-files DIR` tries the files; docs/guide/agent-policies.md has every key".to_owned())
            }
            Self::Read { .. } | Self::Twice { .. } | Self::Compile(_) => None,
        }
    }
}

/// Why a file or a folder of policies is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Somebody else says where it leads.
    #[error("it is a link of another user")]
    LinkOfAnother,
    /// Somebody else may write where it leads.
    #[error("it is a link that leads out of its folder")]
    LinkOut,
    /// A pipe, a device or a folder.
    #[error("it is not a plain file")]
    NotPlain,
    /// Larger than a file of policies ever is.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// Bytes that are no text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// Neither of this user nor of root.
    #[error("it belongs to another user")]
    OfAnother,
    /// Its mode lets others write.
    #[error("others may write it")]
    Writable,
    /// A folder with more than are read.
    #[error("it holds more than 1000 policy files")]
    TooMany,
}

impl Why {
    fn hint(self, path: &Path) -> Option<String> {
        match self {
            // What is behind a link is not the file that is meant.
            Self::LinkOfAnother | Self::LinkOut => {
                Some("put the file itself there, or a link of yours to a file of the same folder".to_owned())
            }
            Self::OfAnother | Self::Writable => {
                Some(format!("`chmod go-w {0}`, and let it belong to you or root", path.display()))
            }
            Self::NotPlain | Self::TooLarge | Self::NotText | Self::TooMany => None,
        }
    }
}
