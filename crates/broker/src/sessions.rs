//! A session as a browser presents it to the API.

use http::HeaderValue;
use model::{Code, Refusal};
use tenancy::sessions::{csrf, is_session, over};

/// A session as a browser presented it, which may be asked with: its text, and, for what changes something, the proof that a
/// page of ours asks. That the session is open, the path finds out.
#[must_use]
pub struct Presented(HeaderValue);

impl Presented {
    /// For a request that changes nothing.
    ///
    /// # Errors
    /// `unauthenticated` for a text that can't be a session.
    pub fn reading(cookie: &[u8]) -> Result<Self, Refusal> {
        if !is_session(cookie) {
            return Err(over());
        }
        let mut value = HeaderValue::from_bytes(cookie).map_err(|_| over())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// For a request that may change something: with the token that only a page of ours can have read.
    ///
    /// # Errors
    /// `denied` without it.
    pub fn writing(cookie: &[u8], token: Option<&[u8]>) -> Result<Self, Refusal> {
        let presented = Self::reading(cookie)?;
        let wanted = csrf(cookie);
        let _same = crypto::same(wanted.as_bytes(), token.unwrap_or_default()).map_err(|_| {
            Refusal::new(Code::Denied, "the request did not come from a page of ours")
                .hint("send `X-CSRF-Token` with what `GET /v1/session` gives as `csrf`")
        })?;
        Ok(presented)
    }

    /// What the path proves the caller by.
    #[must_use]
    pub fn into_value(self) -> HeaderValue {
        self.0
    }
}

#[cfg(test)]
mod tests;
