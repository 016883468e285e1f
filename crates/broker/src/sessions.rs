//! A session as a browser presents it to the API.

use http::HeaderValue;
use model::{Code, Refusal};
pub use tenancy::sessions::halves;
use tenancy::sessions::{is_session, joined, over};

/// A session as a browser presented it: what its cookie says, which a browser sends to every port of a host, and the word that
/// only its page has. That the two belong together and are open, the path finds out.
#[must_use]
pub struct Presented(HeaderValue);

impl Presented {
    /// Both halves of a session.
    ///
    /// # Errors
    /// `unauthenticated` for a cookie without a word, and for a text that can't be a session.
    pub fn new(cookie: &str, word: Option<&str>) -> Result<Self, Refusal> {
        if !is_session(cookie.as_bytes()) {
            return Err(over());
        }
        let word = word.filter(|word| !word.is_empty()).ok_or_else(|| {
            Refusal::new(Code::Unauthenticated, "the cookie of a session came without the word of its page")
                .hint("send `X-CSRF-Token` with the `csrf` that `POST /v1/session` gave; where it is lost, sign in again")
        })?;
        let mut value = HeaderValue::from_str(&joined(cookie, word)).map_err(|_| over())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// What the path proves the caller by.
    #[must_use]
    pub fn into_value(self) -> HeaderValue {
        self.0
    }
}

#[cfg(test)]
mod tests;
