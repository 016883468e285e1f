//! A form that is wiped.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// A body of `application/x-www-form-urlencoded`.
pub struct Form(pub(crate) Zeroizing<Vec<u8>>);

impl Form {
    /// With room for what comes, so that no growing leaves parts of a secret behind.
    #[must_use]
    pub fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(ROOM)))
    }

    /// Adds a parameter.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push(b'&');
        }
        for part in utf8_percent_encode(name, ESCAPED) {
            self.0.extend_from_slice(part.as_bytes());
        }
        self.0.push(b'=');
        for part in utf8_percent_encode(value, ESCAPED) {
            self.0.extend_from_slice(part.as_bytes());
        }
        self
    }

    /// Adds a parameter where there is a value.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

/// What may stand in a form as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ROOM: usize = 64 * 1024;
