//! Sign-ins of people at a service of language models: the tokens that other programs keep in files, and our document of them.
//!
//! A sign-in is an access token, mostly with a refresh token that can be used once. So it has one owner: the document
//! ([`Profiles`]) in which it is renewed, and no other copy of it. Where it came from ([`codex`], [`openclaw`]) is read and never written.
//! Pure but for [`Endpoint`], which asks the issuer.
//!
//! # Invariants
//!
//! - A token is a [`Secret`] from the moment when it was read; no error and no list repeats one.
//! - A sign-in is renewed only where its [`Renew`] says so.

mod claims;
mod codex;
mod endpoint;
mod openclaw;
mod profiles;
mod text;

use memory::Secret;
use model::Timestamp;

use crate::Granted;

pub use codex::codex;
pub use endpoint::{Code, Endpoint};
pub use openclaw::openclaw;
pub use profiles::{Began, Profiles, Rank};

/// The provider whose sign-ins these are.
pub const CODEX: &str = "openai-codex";
/// The provider of API keys.
pub const OPENAI: &str = "openai";
/// Who signs people in to ChatGPT.
pub const ISSUER: &str = "https://auth.openai.com";
/// The client of the Codex command line, which is the one that the service behind it accepts.
pub const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// Whether a sign-in is renewed when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renew {
    /// It is not: whoever it was taken from renews it.
    Never,
    /// It is, which signs out whoever else has the refresh token.
    WhenDue,
}

/// Tokens as they were found somewhere.
pub struct Found {
    /// The access token.
    pub access: Secret,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// The account at the service.
    pub account: Option<String>,
    /// When the access token ends, where that is known.
    pub ends: Option<Timestamp>,
    /// Where they were found: `codex-auth`, `openclaw-auth`, `manual`, `pkce`.
    pub source: &'static str,
}

/// One sign-in with a name.
pub struct Profile {
    /// Its name, such as `openai-codex:ACCOUNT`.
    pub id: String,
    /// Whose it is.
    pub provider: String,
    /// The account at the service.
    pub account: Option<String>,
    /// The access token.
    pub access: Secret,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// When the access token ends, where that is known.
    pub ends: Option<Timestamp>,
    /// Where it came from.
    pub source: String,
    /// Whether we renew it.
    pub renew: Renew,
}

/// Why a sign-in can't be read, kept or used. No variant carries a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The Codex file has no token in it.
    #[error("codex access token missing")]
    CodexMissing,
    /// The Codex file has an API key in it.
    #[error("the Codex file holds an API key and no sign-in, and a key is of the provider `openai`")]
    CodexKey,
    /// The file of the other program names no sign-in of this provider.
    #[error("openclaw auth profile not found")]
    OpenClawMissing,
    /// The file of the other program has API keys only.
    #[error("openclaw auth profile not found: `{0}` is an API key, and a key is of the provider `openai`")]
    OpenClawKey(String),
    /// The sign-in in the file has no access token.
    #[error("openclaw access token required")]
    OpenClawRequired,
    /// There is no sign-in to use.
    #[error("codex access token required")]
    Required,
    /// It has ended, and is not renewed.
    #[error("{0} access token expired")]
    Expired(&'static str),
    /// A document that is none.
    #[error("`{what}` can't be read: {why}")]
    Damaged {
        /// Which one.
        what: String,
        /// What is wrong with it; no byte of it is repeated.
        why: String,
    },
    /// There is no sign-in of that name.
    #[error("auth profile not found: `{0}`")]
    NoProfile(String),
    /// A name that can't be one.
    #[error("a profile is named with 1 to 200 visible characters, without quotes and backslashes")]
    Name,
    /// It can't be renewed.
    #[error("the profile `{0}` {1}")]
    Unrenewable(String, &'static str),
    /// No guarded memory for it.
    #[error("a token could not be kept in memory")]
    Memory(#[from] memory::Error),
}

impl Error {
    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::CodexMissing => Some(
                "sign in with `codex login`; where Codex keeps its tokens in a keyring, `cli_auth_credentials_store = \"file\"` in `~/.codex/config.toml` makes it write the file",
            ),
            Self::CodexKey | Self::OpenClawKey(_) => {
                Some("store the key as what it is: `doorward secret put openai/token`")
            }
            Self::OpenClawMissing | Self::OpenClawRequired => {
                Some("sign in there first, or name the file: `--openclaw-auth PATH`")
            }
            Self::Required => {
                Some("`doorward llm auth login` signs in, `doorward llm auth import` takes a sign-in over")
            }
            Self::Expired(_) => Some(
                "import it again once its own program has renewed it, sign in with `doorward llm auth login`, or let it be renewed here: `--refresh`",
            ),
            Self::NoProfile(_) => Some("`llm auth list` shows the profiles"),
            Self::Unrenewable(..) => Some("sign in once more: `llm auth login`"),
            Self::Damaged { .. } | Self::Name | Self::Memory(_) => None,
        }
    }
}

impl Found {
    /// Sees that it has not ended, or will be renewed. `whose` is the first word of the refusal.
    ///
    /// # Errors
    /// [`Error::Expired`].
    pub fn fresh(self, whose: &'static str, renew: Renew, now: Timestamp) -> Result<Self, Error> {
        let ended = self.ends.is_some_and(|ends| ends <= now);
        let renewable = renew == Renew::WhenDue && self.refresh.is_some();
        if ended && !renewable { Err(Error::Expired(whose)) } else { Ok(self) }
    }

    /// The same under a name: the one that is given, else provider and account.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Unrenewable`] where it is to be renewed and has no refresh token.
    pub fn named(self, provider: &str, id: Option<String>, renew: Renew) -> Result<Profile, Error> {
        let Self { access, refresh, account, ends, source } = self;
        let last = match source {
            MANUAL => MANUAL,
            _ => account.as_deref().unwrap_or("default"),
        };
        let id = id.unwrap_or_else(|| format!("{provider}:{last}"));
        if !is_name(&id) || !is_name(provider) {
            return Err(Error::Name);
        }
        if renew == Renew::WhenDue && refresh.is_none() {
            return Err(Error::Unrenewable(id, "has no refresh token, so it can't be renewed"));
        }
        let (provider, source) = (provider.to_owned(), source.to_owned());
        Ok(Profile { id, provider, account, access, refresh, ends, source, renew })
    }
}

impl Profile {
    /// Tokens that somebody typed in. What the access token says of itself counts where nothing else is said.
    #[must_use]
    pub fn manual(access: Secret, refresh: Option<Secret>, ends: Option<Timestamp>) -> Found {
        let claims = claims::of(&access);
        Found { account: claims.account, ends: ends.or(claims.ends), access, refresh, source: MANUAL }
    }

    /// Whether the access token is good for a while yet.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.ends.is_none_or(|ends| now.after(MARGIN) < ends)
    }

    /// Whether the access token has ended.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    /// The same sign-in with what came for its refresh token. A service that gave no new refresh token leaves the old one.
    ///
    /// # Errors
    /// When there is no guarded memory.
    pub fn renewed(&self, granted: Granted) -> Result<Self, Error> {
        let claims = claims::of(&granted.token.value);
        let refresh = match granted.refresh {
            Some(refresh) => Some(refresh),
            None => self.refresh.as_ref().map(text::copied).transpose()?,
        };
        Ok(Self {
            id: self.id.clone(),
            provider: self.provider.clone(),
            account: self.account.clone().or(claims.account),
            ends: Some(claims.ends.unwrap_or(granted.token.ends)),
            access: granted.token.value,
            refresh,
            source: self.source.clone(),
            renew: self.renew,
        })
    }

    /// The account, as the profile or the access token says it.
    #[must_use]
    pub fn account(&self) -> Option<String> {
        self.account.clone().or_else(|| claims::of(&self.access).account)
    }
}

/// Whether an issuer's refusal means that this refresh token is spent, and another one may be tried.
#[must_use]
pub fn is_spent(fault: &crate::Fault) -> bool {
    SPENT.contains(&fault.code.as_str())
}

/// What may be the name of a profile: it is printed, recorded and typed.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    (1..=200).contains(&text.len()) && text.bytes().all(plain)
}

const MANUAL: &str = "manual";
/// A token is renewed so long before it ends.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(60);
/// RFC 6749, section 5.2; the others are this issuer's own.
const SPENT: [&str; 4] =
    ["invalid_grant", "refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated"];

#[cfg(test)]
mod tests;
