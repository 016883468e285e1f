//! The one error of this crate: a text that is not what it should be.

/// A text was not a valid name, id, reference, target or time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {what}: expected {expected}")]
pub struct ParseError {
    what: &'static str,
    text: String,
    expected: &'static str,
}

impl ParseError {
    /// `what` was read, `text` is what stood there (shortened and escaped for display), `expected` says what should.
    #[must_use]
    pub fn new(what: &'static str, text: &str, expected: &'static str) -> Self {
        let shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
        Self { what, text: shown, expected }
    }

    /// The same without the text, for places where a secret may have been typed by mistake.
    #[must_use]
    pub fn hidden(what: &'static str, expected: &'static str) -> Self {
        Self { what, text: "(not shown)".to_owned(), expected }
    }

    /// What should have stood there.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

/// Longest part of a wrong text that is repeated to the reader, in characters.
const SHOWN: usize = 80;
