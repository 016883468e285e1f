//! One text against what a rule wants of it.

use regex::{Regex, RegexBuilder};

/// What a text has to be.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// Exactly this.
    Is(Box<str>),
    /// Something that begins with this.
    Prefix(Box<str>),
    /// Something that this matches from its first to its last character.
    Regex(Regex),
    /// One of these.
    OneOf(Box<[Box<str>]>),
}

impl Test {
    /// A regular expression for whole texts.
    pub(super) fn regex(text: &str) -> Result<Self, String> {
        RegexBuilder::new(&format!("\\A(?:{text})\\z"))
            .size_limit(LARGEST)
            .build()
            .map(Self::Regex)
            .map_err(|_| "the value of `regex` is no regular expression, or too large".to_owned())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => **wanted == *text,
            Self::Prefix(start) => text.starts_with(&**start),
            Self::Regex(regex) => regex.is_match(text),
            Self::OneOf(wanted) => wanted.iter().any(|one| **one == *text),
        }
    }

    /// What it wants, for a reason: only an exact text is repeated.
    pub(super) fn shown(&self) -> Option<&str> {
        match self {
            Self::Is(wanted) => Some(wanted),
            Self::Prefix(_) | Self::Regex(_) | Self::OneOf(_) => None,
        }
    }
}

/// Largest compiled expression, in bytes.
const LARGEST: usize = 1 << 18;
