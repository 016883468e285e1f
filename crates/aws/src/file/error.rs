//! Why a profile file can't be read or written.

use std::path::PathBuf;

/// Why a profile file can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system gives no bytes.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not UTF-8.
    #[error("could not read {}: line {line} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A line is not what it should be.
    #[error("could not read {}: line {line}: {problem}: `{text}`", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The line, shortened, with long words left out, as they may be keys.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Something stands at the path that is not a file.
    #[error("could not write {}: it is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Somebody else wrote the file since it was read.
    #[error("could not write {}: it was changed by another program meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system takes no bytes.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A name or value does not read back as what was asked for.
    #[error("could not write the {what} `{text}` into a profile file")]
    Unwritable {
        /// `name` or `value of …`.
        what: String,
        /// What was asked for, escaped and shortened.
        text: String,
    },
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } => Some("check who may read the file, or name another with AWS_CONFIG_FILE"),
            Self::NotText { .. } => Some("save the file as UTF-8"),
            Self::Malformed { .. } => {
                Some("a line is `[profile NAME]`, `key = value`, or a comment that starts with `#` or `;`")
            }
            Self::NotAFile { .. } => Some("name a file with AWS_CONFIG_FILE"),
            Self::Changed { .. } => Some("type the command again"),
            Self::Write { .. } => Some("check who may write the file and its directory"),
            Self::Unwritable { .. } => Some(
                "line breaks, ` #`, ` ;`, surrounding quotes or spaces, and `]` in a name have no spelling in this file",
            ),
        }
    }

    /// The words of aws-vault for the same thing, for its command line.
    #[must_use]
    pub fn compatible(&self) -> String {
        match self {
            Self::NotText { path, line } => {
                format!("Error parsing config file {}: line {line}: not UTF-8", path.display())
            }
            Self::Malformed { path, line, text, problem } => {
                format!("Error parsing config file {}: line {line}: {problem}: {text}", path.display())
            }
            other => other.to_string(),
        }
    }
}

/// A piece of the file that is safe to show: short, and without words that may be keys.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut word = String::new();
    for letter in text.trim().chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || "+/_-".contains(letter) {
            word.push(letter);
            continue;
        }
        shown.push_str(if word.len() > LONGEST_WORD { "…" } else { &word });
        shown.extend(letter.escape_debug());
        word.clear();
    }
    let shown = shown.trim_end();
    match shown.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown.to_owned(),
    }
}

/// In bytes. An access key id has 20, a secret key 40.
const LONGEST_WORD: usize = 19;
/// In characters.
const LONGEST_LINE: usize = 80;
