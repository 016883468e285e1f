//! What is wrong with a command line, in the words of such programs.

use std::io;

/// A mistake on the command line. Every one ends with status 1, as in the programs whose words these are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A long flag that is not in the table.
    #[error("unknown long flag '--{}'", shown(.0))]
    UnknownLong(String),
    /// A letter that is not in the table.
    #[error("unknown short flag '-{0}'")]
    UnknownShort(String),
    /// A flag without its value.
    #[error("expected argument for flag '{0}'")]
    NoValue(String),
    /// A flag that was given twice.
    #[error("flag '{0}' cannot be repeated")]
    Repeated(&'static str),
    /// A word where a command should be.
    #[error("expected command but got {:?}", shown(.0))]
    NoCommand(String),
    /// More words than the command takes.
    #[error("unexpected {}", shown(.0))]
    Unexpected(String),
    /// An argument that has to be there.
    #[error("required argument '{0}' not provided")]
    RequiredArg(&'static str),
    /// Flags that have to be there.
    #[error("required flag(s) {0} not provided")]
    RequiredFlags(String),
    /// A value of the wrong form; the text says which.
    #[error("{0}")]
    Value(String),
    /// A file of arguments that can't be read.
    #[error("failed to open arguments file {name:?}: {source}")]
    File {
        /// Its name.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// Files of arguments that name one another.
    #[error("too many files of arguments")]
    Files,
    /// A mistake whose text stands alone.
    #[error("{0}")]
    Plain(String),
}

impl Error {
    /// The line for stderr, without its end.
    pub fn line(&self, program: &str) -> String {
        match self {
            Self::Plain(text) => format!("{program}: error: {text}"),
            other => format!("{program}: error: {other}, try --help"),
        }
    }
}

/// A word in the wrong place, as far as it is plainly one: anything else may be a secret, and would end in a log.
fn shown(word: &str) -> &str {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if word.len() <= LONGEST && word.bytes().all(plain) { word } else { "(not shown)" }
}

/// Longest word that is repeated.
const LONGEST: usize = 16;
