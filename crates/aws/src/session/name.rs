//! What the name of a keyring entry says.
//!
//! # Invariants
//!
//! - A name that is read and written again is the same name.
//! - A name that is none of the forms is that of stored keys, so it is never deleted as a session.

use std::fmt;
use std::time::Duration;

use model::Timestamp;

use crate::profile::show_duration;

/// How credentials came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `sts:GetSessionToken`.
    SessionToken,
    /// `sts:AssumeRole`.
    AssumeRole,
    /// `sts:AssumeRoleWithWebIdentity`.
    WebIdentity,
    /// `sso:GetRoleCredentials`.
    SsoRole,
    /// A program printed them.
    Process,
}

impl Kind {
    /// As it stands in names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionToken => "sts.GetSessionToken",
            Self::AssumeRole => "sts.AssumeRole",
            Self::WebIdentity => "sts.AssumeRoleWithWebIdentity",
            Self::SsoRole => "sso.GetRoleCredentials",
            Self::Process => "credential_process",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::SessionToken, Self::AssumeRole, Self::WebIdentity, Self::SsoRole, Self::Process]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a session's entry: `TYPE,base64url(profile),base64url(mfa),EXPIRY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// How the credentials came about.
    pub kind: Kind,
    /// The profile.
    pub profile: String,
    /// The MFA device, for SSO the start URL, else empty.
    pub mfa: String,
    /// When it ends, to the second.
    pub expires: Timestamp,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (profile, mfa) =
            (crypto::to_base64url(self.profile.as_bytes()), crypto::to_base64url(self.mfa.as_bytes()));
        write!(f, "{},{profile},{mfa},{}", self.kind, self.expires.millis() / 1000)
    }
}

impl Name {
    /// How the session shows in a list: `TYPE:59m53s`.
    #[must_use]
    pub fn label(&self, now: Timestamp) -> String {
        let left = self.expires.since(now);
        format!("{}:{}", self.kind, show_duration(Duration::from_secs(left.as_secs())))
    }
}

/// What an entry of the keyring is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A session.
    Session(Name),
    /// A session of a type that is not known here; never used, deleted when it ended.
    OtherSession {
        /// The profile.
        profile: String,
        /// When it ends.
        expires: Timestamp,
    },
    /// A session in a form that older versions wrote; only deleted.
    OldSession,
    /// An SSO token.
    SsoToken {
        /// The start URL that it is for.
        start_url: String,
    },
    /// Keys, stored under the name of a profile.
    Keys {
        /// The profile.
        profile: String,
    },
}

impl Entry {
    /// Reads a name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if let Some(start_url) = name.strip_prefix(TOKEN) {
            return Self::SsoToken { start_url: start_url.to_owned() };
        }
        if is_old(name) {
            return Self::OldSession;
        }
        session(name).unwrap_or_else(|| Self::Keys { profile: name.to_owned() })
    }
}

/// The name of the entry of the SSO token for a start URL.
#[must_use]
pub fn sso_token_entry(start_url: &str) -> String {
    format!("{TOKEN}{start_url}")
}

fn session(name: &str) -> Option<Entry> {
    let mut parts = name.split(',');
    let (kind, profile, mfa, expires) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || kind.is_empty() || profile.is_empty() {
        return None;
    }
    let text = |part: &str| String::from_utf8(crypto::from_base64url(part).ok()?).ok();
    let (profile, mfa) = (text(profile)?, text(mfa)?);
    let seconds: u64 = Some(expires).filter(|digits| is_number(digits))?.parse().ok()?;
    let expires = Timestamp::from_millis(seconds.checked_mul(1000)?);
    Some(match Kind::of(kind) {
        Some(kind) => Entry::Session(Name { kind, profile, mfa, expires }),
        None => Entry::OtherSession { profile, expires },
    })
}

/// `session,…,…,DIGITS`, `session:…:…:…`, `NAME session (DIGITS)`.
fn is_old(name: &str) -> bool {
    let comma = || {
        let parts: Vec<&str> = name.strip_prefix("session,")?.split(',').collect();
        matches!(parts.as_slice(), [profile, _, expires] if !profile.is_empty() && is_number(expires))
            .then_some(())
    };
    let colon = || {
        let rest = name.strip_prefix("session:").filter(|rest| !rest.contains(' '))?;
        let (rest, expires) = rest.rsplit_once(':')?;
        let (profile, _) = rest.rsplit_once(':')?;
        (!profile.is_empty() && !expires.is_empty()).then_some(())
    };
    let digits = || {
        let (owner, number) = name.strip_suffix(')')?.rsplit_once(" session (")?;
        (!owner.is_empty() && is_number(number)).then_some(())
    };
    comma().or_else(colon).or_else(digits).is_some()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

const TOKEN: &str = "oidc:";
