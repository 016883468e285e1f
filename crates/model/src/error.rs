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
    /// `what` was read, `text` is what stood there (escaped for display), `expected` says what should. A text that may be a
    /// secret in the wrong place is not repeated: messages are printed, logged and sent back.
    #[must_use]
    pub fn new(what: &'static str, text: &str, expected: &'static str) -> Self {
        if may_be_a_secret(text) {
            return Self::hidden(what, expected);
        }
        Self { what, text: text.escape_debug().collect(), expected }
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

/// Whether a text is longer than what people mistype, or begins as the keys of well-known services do: then it is not repeated.
#[must_use]
pub fn may_be_a_secret(text: &str) -> bool {
    text.len() > LONGEST || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// Longest wrong text that is repeated, in bytes: shorter than the keys that services give out.
const LONGEST: usize = 24;
const BEGINNINGS: [&str; 10] =
    ["sk-", "sk_", "rk_", "xox", "ghp_", "ghs_", "github_pat_", "glpat-", "eyJ", "cap1_"];

#[cfg(test)]
mod tests;
