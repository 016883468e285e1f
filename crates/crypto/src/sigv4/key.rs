//! The derived key and its scope, and times as signatures write them.

use std::fmt;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use memory::Secret;
use model::Timestamp;
use zeroize::Zeroizing;

use crate::{Error, MacKey, Tag, sha256, to_hex};

/// What a derived key is good for: one day, one region, one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// `YYYYMMDD`.
    pub(super) day: Box<str>,
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
}

/// A derived key with its scope.
pub(super) struct ScopedKey {
    key: MacKey,
    pub(super) scope: Scope,
}

impl ScopedKey {
    /// `HMAC(HMAC(HMAC(HMAC("AWS4" ‖ secret, day), region), service), "aws4_request")`.
    pub(super) fn derive(secret: &Secret, scope: Scope) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "derives the signing key of one day from the secret key"
        )]
        let day = secret.expose(|bytes| {
            let mut start = Zeroizing::new(Vec::with_capacity(bytes.len() + 4));
            start.extend_from_slice(b"AWS4");
            start.extend_from_slice(bytes);
            let tag = sign(&Key::new(HMAC_SHA256, &start), scope.day.as_bytes());
            let mut first: Tag = [0; 32];
            for (to, from) in first.iter_mut().zip(tag.as_ref()) {
                *to = *from;
            }
            MacKey::new(first)
        });
        let key = [&*scope.region, &*scope.service, TERMINATOR]
            .iter()
            .fold(day, |key, part| MacKey::new(key.tag(&[part.as_bytes()])));
        Self { key, scope }
    }

    /// Signs a canonical request that was made at `date`.
    pub(super) fn sign(&self, date: &str, canonical: &[u8]) -> Tag {
        let hash = to_hex(&sha256(&[canonical]));
        self.tag(&["AWS4-HMAC-SHA256", date, &self.scope.to_string(), &hash])
    }

    /// Signs lines.
    pub(super) fn tag(&self, lines: &[&str]) -> Tag {
        self.key.tag(&[lines.join("\n").as_bytes()])
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.day, self.region, self.service)
    }
}

/// A time as `x-amz-date` has it: `20150830T123600Z`, whole seconds.
#[must_use]
pub fn amz_date(at: Timestamp) -> String {
    let shown = at.to_string();
    let seconds = shown.get(..19).unwrap_or_default();
    seconds.chars().filter(|sign| !matches!(sign, '-' | ':')).chain(['Z']).collect()
}

/// Reads a time as `x-amz-date` has it.
///
/// # Errors
/// [`Error::Malformed`] when it is anything but `YYYYMMDDTHHMMSSZ` and a time that exists.
pub fn parse_amz_date(text: &str) -> Result<Timestamp, Error> {
    let wrong = || Error::Malformed("the date of the signature");
    let fixed = text.len() == 16 && text.is_ascii() && text.get(8..9) == Some("T") && text.ends_with('Z');
    if !fixed {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| {
        text.get(from..to).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).ok_or_else(wrong)
    };
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        part(13, 15)?
    );
    written.parse().map_err(|_| wrong())
}

pub(super) const TERMINATOR: &str = "aws4_request";
