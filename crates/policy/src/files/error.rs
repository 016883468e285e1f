//! Why policy files are not accepted. Every variant names the file, and the line and rule where there is one.

use std::path::PathBuf;

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
        why: &'static str,
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
            // What is behind a link is not the file that is meant.
            Self::Unsafe { why, .. } if why.contains("link") => {
                Some("put the file itself there, or a link of yours to a file of the same folder".to_owned())
            }
            Self::Unsafe { path, why } if why.contains("others may") || why.contains("belongs to") => {
                Some(format!("`chmod go-w {0}`, and let it belong to you or root", path.display()))
            }
            Self::Unsafe { .. } => None,
            Self::Invalid { .. } => {
                Some("`doorward policy check-files DIR` tries the files; docs/guide/agent-policies.md has every key".to_owned())
            }
            Self::Read { .. } | Self::Twice { .. } | Self::Compile(_) => None,
        }
    }
}
