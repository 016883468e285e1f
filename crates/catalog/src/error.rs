//! What can be wrong with the catalogue. Never holds the text that stood where a secret reference belongs.

use std::path::PathBuf;

use model::IntegrationName;

/// Why an integration or a case file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No integration has this name.
    #[error("there is no integration `{name}`{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        name: IntegrationName,
        /// A name that exists and looks like it.
        nearest: Option<String>,
    },
    /// The text of a file does not have the form that it should.
    #[error("{}: {problem}{}", place(file, *line), did_you_mean(nearest.as_deref()))]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1; 0 where it is not known.
        line: u64,
        /// What is wrong with it.
        problem: String,
        /// A word that exists and looks like the one that was written.
        nearest: Option<String>,
    },
    /// A file can be read, but does not make sense.
    #[error("{}: {problem}", place(file, *line))]
    Invalid {
        /// The file.
        file: String,
        /// The line, from 1; 0 where it is not known.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A file or folder cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The integration lives at an address of your own, which was not given.
    #[error("the integration `{name}` needs your own domain")]
    Domain {
        /// The integration.
        name: IntegrationName,
    },
    /// A ready-made narrowing was asked for with the wrong parameters.
    #[error("could not narrow with `{narrowing}`: {problem}")]
    Narrowing {
        /// The narrowing.
        narrowing: String,
        /// What is wrong with the parameters.
        problem: String,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } => Some("`doorward integration list` shows every integration"),
            Self::Domain { .. } => Some(
                "write a file of your own with `extends:` and `domain:`, such as `domain: ghe.example.com`",
            ),
            Self::Narrowing { .. } => Some("`doorward integration show NAME` shows the parameters"),
            Self::Syntax { file, .. } | Self::Invalid { file, .. } => Some(shape_of(file)),
            Self::Read { .. } => None,
        }
    }
}

/// Where it is said how such a file looks.
fn shape_of(file: &str) -> &'static str {
    if file.ends_with("providers.yaml") {
        "docs/guide/tenants.md, \"Providers of your own\", shows such a file"
    } else if file.contains("cases/") {
        "`doorward integration new NAME` writes cases to start from"
    } else {
        "the schema is shown by `doorward integration schema`"
    }
}

/// A place in a file, as far as it is known.
pub(crate) fn place(file: &str, line: u64) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}:{line}") }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`"))
}
