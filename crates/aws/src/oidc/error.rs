//! Why nobody was signed in.

use crate::wire;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service refused, or did not answer.
    #[error(transparent)]
    Wire(#[from] wire::Error),
    /// Nobody confirmed in time.
    #[error("the sign-in expired before it was confirmed (ExpiredTokenException)")]
    Expired,
    /// Somebody declined.
    #[error("the sign-in was declined (AccessDeniedException: access denied)")]
    Declined,
    /// A code or a refresh token is not good any more.
    #[error("the sign-in has ended")]
    SignInAgain(#[source] wire::Error),
    /// The browser came back with an error.
    #[error("the sign-in page answered `{0}`")]
    Page(Box<str>),
    /// The address for the browser to come back to could not be opened.
    #[error("could not wait for the browser")]
    Redirect(#[source] net::Error),
}

impl Error {
    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Wire(error) => error.hint(),
            Self::Expired | Self::Declined | Self::SignInAgain(_) | Self::Page(_) => Some("sign in again"),
            Self::Redirect(_) => Some("sign in with a device code instead"),
        }
    }

    /// What AWS says of a code or a token that was spent, has ended, or belongs to another registration.
    pub(super) fn of_spent(error: wire::Error) -> Self {
        match error.code() {
            Some(
                "InvalidGrantException"
                | "invalid_grant"
                | "ExpiredTokenException"
                | "expired_token"
                | "InvalidClientException"
                | "invalid_client"
                | "UnauthorizedClientException"
                | "unauthorized_client",
            ) => Self::SignInAgain(error),
            _ => Self::Wire(error),
        }
    }
}
