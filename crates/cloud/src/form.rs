//! A form that is wiped.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// A body of `application/x-www-form-urlencoded`, and which of its parts are secrets.
pub struct Form {
    body: Zeroizing<Vec<u8>>,
    sent: Sent,
}

/// The secrets of one request: what proves who asks. Some services repeat a request in their refusals, so whatever such a service says
/// is searched for these before anybody sees it.
#[derive(Default)]
pub struct Sent(Vec<Zeroizing<Vec<u8>>>);

impl Sent {
    /// Adds a secret that is in the request.
    pub fn push(&mut self, secret: &[u8]) {
        self.0.push(Zeroizing::new(secret.to_vec()));
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|secret| secret.as_slice())
    }
}

impl Form {
    /// With room for what comes, so that no growing leaves parts of a secret behind.
    #[must_use]
    pub fn new() -> Self {
        Self { body: Zeroizing::new(Vec::with_capacity(ROOM)), sent: Sent::default() }
    }

    /// Adds a parameter.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        if !self.body.is_empty() {
            self.body.push(b'&');
        }
        for part in utf8_percent_encode(name, ESCAPED) {
            self.body.extend_from_slice(part.as_bytes());
        }
        self.body.push(b'=');
        for part in utf8_percent_encode(value, ESCAPED) {
            self.body.extend_from_slice(part.as_bytes());
        }
        self
    }

    /// Adds a parameter that is a secret.
    pub fn secret(&mut self, name: &str, value: &str) -> &mut Self {
        self.sent.push(value.as_bytes());
        self.text(name, value)
    }

    /// Adds a parameter where there is a value.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// The body, and the secrets in it.
    #[must_use]
    pub fn parts(self) -> (Zeroizing<Vec<u8>>, Sent) {
        (self.body, self.sent)
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
