//! Names and forms under which sessions and tokens are kept in a keyring.
//!
//! They are those of aws-vault (specification, 4 and 12.1), so that either program opens what the other one wrote. Its
//! names say too little: they hold neither role nor chain. So what we write carries a fingerprint of everything that
//! decides what the credentials are ([`Key`]), in a field that aws-vault ignores; what has another one, or none, is not used.
//!
//! # Invariants
//!
//! - Secrets go straight from the bytes of an item into [`memory::Secret`] and back; what lies between is wiped.
//! - An error never repeats what stood in an item.

use std::time::Duration;

use crypto::Digest;
use model::Timestamp;

mod error;
mod form;
mod name;

pub use error::Error;
pub use form::{
    Kept, KeptToken, cli_token_json, keys_from_json, keys_to_json, rfc3339, session_from_json,
    session_to_json, token_from_json, token_to_json,
};
pub use name::{Entry, Kind, Name, sso_token_entry};

/// Which cached session a call may use instead of being made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// How the credentials came about.
    pub kind: Kind,
    /// The profile.
    pub profile: String,
    /// The MFA device that was used; for SSO the start URL; else empty.
    pub mfa: String,
    /// SHA-256 over everything that decides what the credentials are. Not secret.
    pub fingerprint: Digest,
}

impl Key {
    /// The name for a session of this key that ends at `expires`.
    #[must_use]
    pub fn name(&self, expires: Timestamp) -> Name {
        let (profile, mfa) = (self.profile.clone(), self.mfa.clone());
        Name { kind: self.kind, profile, mfa, expires }
    }

    /// The entries that may hold a session for this key with more than `margin` left, the one that lasts longest first.
    /// Which of them does is known when it was read ([`Key::fits`]).
    #[must_use]
    pub fn candidates<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a str>,
        now: Timestamp,
        margin: Duration,
    ) -> Vec<(&'a str, Name)> {
        let mut found: Vec<(&str, Name)> = entries
            .into_iter()
            .filter_map(|entry| match Entry::of(entry) {
                Entry::Session(name) => Some((entry, name)),
                Entry::OtherSession { .. }
                | Entry::OldSession
                | Entry::SsoToken { .. }
                | Entry::Keys { .. } => None,
            })
            .filter(|(_, name)| {
                name.kind == self.kind && name.profile == self.profile && name.mfa == self.mfa
            })
            .filter(|(_, name)| name.expires > now.after(margin))
            .collect();
        found.sort_by_key(|(_, name)| std::cmp::Reverse(name.expires));
        found
    }

    /// The session, if it is one of this key and has more than `margin` left.
    #[must_use]
    pub fn fits(&self, kept: Kept, now: Timestamp, margin: Duration) -> Option<crate::Lease> {
        let lasts = kept.lease.expiration.is_some_and(|end| end > now.after(margin));
        (lasts && kept.fingerprint == Some(self.fingerprint)).then_some(kept.lease)
    }
}

/// The entries to delete before anything else is done with sessions: those that ended, and those in the three forms of
/// name that older versions wrote.
pub fn stale<'a>(
    entries: impl IntoIterator<Item = &'a str>,
    now: Timestamp,
) -> impl Iterator<Item = &'a str> {
    entries.into_iter().filter(move |entry| match Entry::of(entry) {
        Entry::Session(Name { expires, .. }) | Entry::OtherSession { expires, .. } => expires <= now,
        Entry::OldSession => true,
        Entry::SsoToken { .. } | Entry::Keys { .. } => false,
    })
}

/// The entries of all sessions of a profile.
pub fn of_profile<'a>(
    entries: impl IntoIterator<Item = &'a str>,
    profile: &str,
) -> impl Iterator<Item = &'a str> {
    entries.into_iter().filter(move |entry| match Entry::of(entry) {
        Entry::Session(Name { profile: owner, .. }) | Entry::OtherSession { profile: owner, .. } => {
            owner == profile
        }
        Entry::OldSession | Entry::SsoToken { .. } | Entry::Keys { .. } => false,
    })
}

/// How a stored SSO token shows in a list: the name of its `[sso-session]`, or the host of the start URL.
#[must_use]
pub fn sso_label(start_url: &str, session: Option<&str>) -> String {
    let host = || {
        let rest = start_url.split_once("://").map_or(start_url, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or(rest)
    };
    format!("oidc:{}", session.unwrap_or_else(host))
}

/// The name of the file, without its ending, in which the AWS CLI keeps the token of a sign-in: SHA-1 of the name of the
/// session, or of the start URL where it has none.
#[must_use]
pub fn cli_cache_name(session_or_url: &str) -> String {
    crypto::to_hex(&crypto::legacy_sha1(session_or_url.as_bytes()))
}

/// The label of an item with keys.
#[must_use]
pub fn keys_item_label(profile: &str) -> String {
    format!("aws-vault ({profile})")
}

/// The label of an item with a session.
#[must_use]
pub fn session_item_label(profile: &str, expires: Timestamp) -> String {
    format!("aws-vault session for {profile} (expires {})", rfc3339(expires))
}

/// The description of an item with a session.
pub const SESSION_ITEM_DESCRIPTION: &str = "aws-vault session";

#[cfg(test)]
mod tests;
