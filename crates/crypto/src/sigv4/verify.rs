//! Checks a signature that somebody else made.
//!
//! Stricter than it has to be where AWS is, too: what is signed twice, in the wrong order, or not covered although it
//! changes what the request means, is refused.

use std::time::Duration;

use memory::Secret;
use model::Timestamp;

use super::canonical::{More, canonical};
use super::key::{Scope, ScopedKey, TERMINATOR, parse_amz_date};
use super::{ALGORITHM, Chunks, LONGEST, Request, Rules, TokenPlace};
use crate::{compare, from_hex, to_hex};

/// What a request says about its own signature. Nothing in it is believed before [`Claim::verify`].
#[derive(Debug, Clone)]
pub struct Claim {
    access_key_id: Box<str>,
    scope: Scope,
    signed: Vec<Box<str>>,
    signature: Vec<u8>,
    form: Form,
}

/// Proof that a request was signed with a key that the caller of [`Claim::verify`] named.
#[must_use]
pub struct Genuine {
    at: Timestamp,
    chunks: Chunks,
}

/// When a signature is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The time now.
    pub now: Timestamp,
    /// How far the clock of the signer may be off. AWS allows five minutes.
    pub skew: Duration,
}

/// Why a signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// It has the wrong form.
    #[error("{0} of the signature has the wrong form")]
    Malformed(&'static str),
    /// It was made too long ago, or for a time that has not come.
    #[error("the signature is not valid at this time")]
    Time,
    /// It does not cover a header that it has to cover.
    #[error("the signature does not cover `{0}`")]
    Uncovered(Box<str>),
    /// The body is not what the headers say that was signed.
    #[error("the body is not the one that was signed")]
    Payload,
    /// It does not fit.
    #[error("the signature does not fit")]
    Forged,
}

#[derive(Debug, Clone)]
enum Form {
    Header,
    Query { date: Box<str>, expires: Duration, token: Option<Box<str>> },
}

impl Claim {
    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`Unproven::Malformed`] when it is anything but a signature of version 4.
    pub fn from_header(value: &str) -> Result<Self, Unproven> {
        let wrong = Unproven::Malformed("the header `authorization`");
        let rest =
            value.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')).ok_or(wrong.clone())?;
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim_matches(' ').split_once('=').ok_or(wrong.clone())?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => return Err(wrong),
            };
            if slot.replace(value).is_some() {
                return Err(wrong);
            }
        }
        match (credential, signed, signature) {
            (Some(credential), Some(signed), Some(signature)) => {
                Self::new(credential, signed, signature, Form::Header)
            }
            _ => Err(wrong),
        }
    }

    /// Reads the pairs of a presigned query, decoded.
    ///
    /// # Errors
    /// [`Unproven::Malformed`] when a parameter of the signature is missing, there twice, or not what it should be.
    pub fn from_query(pairs: &[(&str, &str)]) -> Result<Self, Unproven> {
        let one = |name: &'static str| {
            let mut found = pairs.iter().filter(|(other, _)| *other == name).map(|(_, value)| *value);
            match (found.next(), found.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err(Unproven::Malformed(name)),
            }
        };
        let needed = |name| one(name)?.ok_or(Unproven::Malformed(name));
        if needed("X-Amz-Algorithm")? != ALGORITHM {
            return Err(Unproven::Malformed("X-Amz-Algorithm"));
        }
        let expires = needed("X-Amz-Expires")?;
        let digits = !expires.is_empty() && expires.bytes().all(|b| b.is_ascii_digit());
        let expires = expires.parse().ok().filter(|_| digits).map(Duration::from_secs);
        let expires = expires
            .filter(|expires| !expires.is_zero() && *expires <= LONGEST)
            .ok_or(Unproven::Malformed("X-Amz-Expires"))?;
        let form = Form::Query {
            date: needed("X-Amz-Date")?.into(),
            expires,
            token: one("X-Amz-Security-Token")?.map(Into::into),
        };
        Self::new(
            needed("X-Amz-Credential")?,
            needed("X-Amz-SignedHeaders")?,
            needed("X-Amz-Signature")?,
            form,
        )
    }

    fn new(credential: &str, signed: &str, signature: &str, form: Form) -> Result<Self, Unproven> {
        let mut parts = credential.split('/');
        let mut part = || parts.next().ok_or(Unproven::Malformed("the credential"));
        let (access_key_id, day, region, service, end) = (part()?, part()?, part()?, part()?, part()?);
        let eight = day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit());
        if parts.next().is_some() || access_key_id.is_empty() || !eight || end != TERMINATOR {
            return Err(Unproven::Malformed("the credential"));
        }
        let names: Vec<Box<str>> = signed.split(';').map(Into::into).collect();
        let ordered = names.is_sorted_by(|a, b| a < b);
        let lower = |name: &str| name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase());
        if !ordered || !names.iter().all(|name| !name.is_empty() && lower(name)) {
            return Err(Unproven::Malformed("the list of headers"));
        }
        let signature = from_hex(signature).ok().filter(|bytes| bytes.len() == 32);
        let signature = signature.ok_or(Unproven::Malformed("the value"))?;
        let scope = Scope { day: day.into(), region: region.into(), service: service.into() };
        Ok(Self { access_key_id: access_key_id.into(), scope, signed: names, signature, form })
    }

    /// The id of the access key that it says it was made with. Not proven.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The region that it is for. Proven by [`Claim::verify`]; whether it is the right one is for the caller to say.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.scope.region
    }

    /// The service that it is for. As for [`Claim::region`].
    #[must_use]
    pub fn service(&self) -> &str {
        &self.scope.service
    }

    /// The session token that a presigned query carries.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match &self.form {
            Form::Header => None,
            Form::Query { token, .. } => token.as_deref(),
        }
    }

    /// Checks the signature against a request: all of its headers, and the body as the caller knows it. A body that is
    /// not here yet goes as [`Payload::Digest`](super::Payload) with what `x-amz-content-sha256` says, and is held
    /// against that later. With [`Payload::Unsigned`](super::Payload) the caller accepts a body that is not covered.
    ///
    /// # Errors
    /// See [`Unproven`].
    pub fn verify(
        &self,
        request: &Request<'_>,
        secret: &Secret,
        rules: Rules,
        window: Window,
    ) -> Result<Genuine, Unproven> {
        let (date, at) = self.date(request, window)?;
        if date.get(..8) != Some(&self.scope.day) {
            return Err(Unproven::Time);
        }
        let covered = self.covered(request, rules)?;
        let payload = self.payload(request)?;
        let query = self.query(request.query, rules);
        let signed = Request { headers: &covered, query: &query, ..*request };
        let more = More { headers: &[], query: &[], payload: &payload };
        let canonical = canonical(&signed, &more, rules).map_err(|_| Unproven::Malformed("a header"))?;
        let key = ScopedKey::derive(secret, self.scope.clone());
        let expected = key.sign(date, canonical.text.as_bytes());
        compare::same(&expected, &self.signature)
            .map(|_| Genuine { at, chunks: Chunks::new(key, date.to_owned(), to_hex(&expected)) })
            .map_err(|_| Unproven::Forged)
    }

    /// The date that was signed, when it is within the window.
    fn date<'a>(&'a self, request: &Request<'a>, window: Window) -> Result<(&'a str, Timestamp), Unproven> {
        let (date, lasts) = match &self.form {
            Form::Header => (only(request.headers, "x-amz-date")?, window.skew),
            Form::Query { date, expires, .. } => (Some(&**date), *expires),
        };
        let date = date.ok_or(Unproven::Malformed("the date"))?;
        let at = parse_amz_date(date).map_err(|_| Unproven::Malformed("the date"))?;
        if at > window.now.after(window.skew) || window.now.since(at) > lasts {
            return Err(Unproven::Time);
        }
        Ok((date, at))
    }

    /// The headers that are signed; those that have to be must be among them.
    fn covered<'a>(&self, request: &Request<'a>, rules: Rules) -> Result<Vec<(&'a str, &'a str)>, Unproven> {
        let is_signed = |name: &str| self.signed.iter().any(|signed| signed.eq_ignore_ascii_case(name));
        if !is_signed("host") {
            return Err(Unproven::Uncovered("host".into()));
        }
        for (name, _) in request.headers {
            let starts = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
            let bare =
                rules.token == TokenPlace::Unsigned && name.eq_ignore_ascii_case("x-amz-security-token");
            if starts && !bare && !is_signed(name) {
                return Err(Unproven::Uncovered(name.to_ascii_lowercase().into()));
            }
        }
        if let Some(missing) =
            self.signed.iter().find(|name| !request.headers.iter().any(|(h, _)| h.eq_ignore_ascii_case(name)))
        {
            return Err(Unproven::Uncovered(missing.clone()));
        }
        Ok(request.headers.iter().filter(|(name, _)| is_signed(name)).copied().collect())
    }

    fn payload(&self, request: &Request<'_>) -> Result<String, Unproven> {
        let text = request.payload.text();
        match only(request.headers, "x-amz-content-sha256")? {
            Some(claimed) if claimed != text => Err(Unproven::Payload),
            Some(_) | None => Ok(text),
        }
    }

    /// The query as it was signed: without the signature itself, and without a token that is not covered.
    fn query(&self, query: &str, rules: Rules) -> String {
        match self.form {
            Form::Header => query.to_owned(),
            Form::Query { .. } => {
                let outside = |pair: &str| {
                    pair.split_once('=').is_some_and(|(name, _)| match name {
                        "X-Amz-Signature" => true,
                        "X-Amz-Security-Token" => rules.token == TokenPlace::Unsigned,
                        _ => false,
                    })
                };
                query.split('&').filter(|pair| !outside(pair)).collect::<Vec<_>>().join("&")
            }
        }
    }
}

impl Genuine {
    /// When it was signed.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The check of the chunks, for a body that came with [`Payload::Streaming`](super::Payload).
    #[must_use]
    pub fn chunks(self) -> Chunks {
        self.chunks
    }
}

/// The one value of a header; there may be none, but not two.
fn only<'a>(headers: &[(&'a str, &'a str)], name: &'static str) -> Result<Option<&'a str>, Unproven> {
    let mut found = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (value, None) => Ok(value.map(|(_, value)| *value)),
        (_, Some(_)) => Err(Unproven::Malformed(name)),
    }
}
