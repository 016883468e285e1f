//! Pairs of names and values as queries and forms have them, with secrets in them.

use memory::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// Everything but the unreserved characters of RFC 3986: what is written so has one reading everywhere.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A query or a form that is written pair by pair and wiped.
pub(crate) struct Form(Zeroizing<String>);

impl Form {
    /// An empty form.
    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(String::with_capacity(ROOM)))
    }

    /// The form of a request in the query protocol of AWS.
    pub(crate) fn of_action(action: &str, version: &str) -> Self {
        Self::new().pair("Action", action).pair("Version", version)
    }

    /// Adds a pair.
    pub(crate) fn pair(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.push("&");
        }
        self.encoded(name);
        self.push("=");
        self.encoded(value);
        self
    }

    /// Adds a pair where there is a value.
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    /// Adds a list as the query protocol writes it: `NAME.member.1=..&NAME.member.2=..`.
    pub(crate) fn list<T: AsRef<str>>(mut self, name: &str, values: &[T]) -> Self {
        for (index, value) in values.iter().enumerate() {
            self = self.pair(&format!("{name}.member.{}", index + 1), value.as_ref());
        }
        self
    }

    /// Adds the text of a secret; `None` where it is not text.
    pub(crate) fn secret(self, name: &str, value: &Secret) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "puts a token into a request")]
        value.expose(|bytes| std::str::from_utf8(bytes).ok().map(|text| self.pair(name, text)))
    }

    /// The whole text.
    pub(crate) fn end(self) -> Zeroizing<String> {
        self.0
    }

    /// The whole text as a body.
    pub(crate) fn into_body(self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.as_bytes().to_vec())
    }

    fn encoded(&mut self, text: &str) {
        for piece in utf8_percent_encode(text, RESERVED) {
            self.push(piece);
        }
    }

    fn push(&mut self, text: &str) {
        if self.0.capacity() - self.0.len() < text.len() {
            let mut larger = Zeroizing::new(String::with_capacity(2 * (self.0.len() + text.len())));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }
}

/// One value, percent-encoded for a place in a URL.
pub(crate) fn escaped(text: &str) -> Zeroizing<String> {
    Zeroizing::new(utf8_percent_encode(text, RESERVED).to_string())
}

const ROOM: usize = 1024;
