//! AWS Signature Version 4: signing headers and presigned queries, streaming chunks, and checking what others signed.
//!
//! Source: the AWS General Reference, "Create a signed AWS API request", and the Amazon S3 API reference, "Authenticating
//! requests (AWS Signature Version 4)". The secret key and the session token come as [`memory::Secret`] and leave only as
//! an HMAC, or as the token that a presigned query has to carry; why this is not a library is decision 0009.
//!
//! # Invariants
//!
//! - What is signed is computed from the bytes as they are sent: path and query as they stand on the wire.
//! - Buffers that hold the session token, a derived key or a presigned query are wiped when they are dropped.
//! - A signature of somebody else is compared in constant time, and the answer is a proof ([`Genuine`]).

use std::time::Duration;

use memory::Secret;
use model::Timestamp;
use zeroize::Zeroizing;

use crate::{Digest, Error, to_hex};
use canonical::{More, canonical};
use key::{Scope, ScopedKey};

mod canonical;
mod chunks;
mod key;
mod verify;

pub use canonical::percent_encode;
pub use chunks::Chunks;
pub use key::{amz_date, parse_amz_date};
pub use verify::{Claim, Genuine, Unproven, Window};

/// Who signs, for which service, by which rules.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The id of the access key.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret: &'a Secret,
    /// The session token of temporary credentials.
    pub token: Option<&'a Secret>,
    /// The region to sign for, such as `eu-central-1`. Empty where a private endpoint has none.
    pub region: &'a str,
    /// The service's signing name, such as `sts`.
    pub service: &'a str,
    /// The service's rules.
    pub rules: Rules,
}

/// What is signed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as it is sent, percent-encoded.
    pub path: &'a str,
    /// The query as it is sent, without its `?`; empty where there is none.
    pub query: &'a str,
    /// The headers to sign, `host` among them. For [`Claim::verify`], all headers of the request.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub payload: Payload<'a>,
}

/// The body of a request, as far as the signature covers it.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Bytes with this SHA-256.
    Digest(Digest),
    /// Not covered: `UNSIGNED-PAYLOAD`. Amazon S3 only, and only over TLS.
    Unsigned,
    /// Not covered, with a checksum behind it: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. Amazon S3 only, and only over TLS.
    UnsignedTrailer,
    /// Covered chunk by chunk: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`. Amazon S3 only; see [`Chunks`].
    Streaming,
}

/// How a service reads a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What is done to dot segments and double slashes of the path.
    pub path: PathForm,
    /// How often the path is percent-encoded.
    pub encoding: Encoding,
    /// Whether the signature covers the session token.
    pub token: TokenPlace,
    /// Whether the hash of the body is a header of its own.
    pub content: ContentHash,
}

/// What is done to dot segments and double slashes of a path before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathForm {
    /// They are resolved (RFC 3986, section 5.2.4).
    Normalised,
    /// They are kept: to Amazon S3 they are part of a key.
    AsSent,
}

/// How often a path is percent-encoded before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Once: Amazon S3.
    Once,
    /// Once more than it is on the wire: all other services.
    Twice,
}

/// Whether the signature covers the session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlace {
    /// It does.
    Signed,
    /// The token is added behind the signature, as a few services want it (AWS IoT).
    Unsigned,
}

/// Whether the hash of the body is sent as `x-amz-content-sha256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentHash {
    /// It is. Amazon S3 demands it.
    Header,
    /// It is part of the signature only.
    Implied,
}

/// What has to be added to a request that was signed in its headers. The session token, where there is one, is added by
/// the caller as `x-amz-security-token`: it stays a [`Secret`] here.
pub struct Signed {
    /// The value of `x-amz-date`.
    pub date: String,
    /// The value of `x-amz-content-sha256`, where the rules or the payload want it.
    pub content_sha256: Option<String>,
    /// The value of `authorization`.
    pub authorization: String,
    key: ScopedKey,
    signature: String,
}

impl Rules {
    /// All services but Amazon S3.
    pub const STANDARD: Self = Self {
        path: PathForm::Normalised,
        encoding: Encoding::Twice,
        token: TokenPlace::Signed,
        content: ContentHash::Implied,
    };
    /// Amazon S3 and what speaks its protocol.
    pub const S3: Self = Self {
        path: PathForm::AsSent,
        encoding: Encoding::Once,
        token: TokenPlace::Signed,
        content: ContentHash::Header,
    };
}

impl Signer<'_> {
    /// Signs a request in its headers.
    ///
    /// # Errors
    /// [`Error::Malformed`] when a header is not one line of text, `host` is missing, or a header is there that the
    /// signature itself adds.
    pub fn sign(&self, request: &Request<'_>, at: Timestamp) -> Result<Signed, Error> {
        self.refuse_reserved(request.headers)?;
        let date = amz_date(at);
        let payload = request.payload.text();
        let content = match (self.rules.content, request.payload) {
            (ContentHash::Header, _)
            | (_, Payload::Unsigned | Payload::UnsignedTrailer | Payload::Streaming) => Some(payload.clone()),
            (ContentHash::Implied, Payload::Bytes(_) | Payload::Digest(_)) => None,
        };
        let token = self.token.filter(|_| self.rules.token == TokenPlace::Signed);
        let canonical = with_text(token, |token| {
            let mut added = vec![("x-amz-date", date.as_str())];
            added.extend(content.as_deref().map(|hash| ("x-amz-content-sha256", hash)));
            added.extend(token.map(|token| ("x-amz-security-token", token)));
            canonical(request, &More { headers: &added, query: &[], payload: &payload }, self.rules)
        })?;
        let key = self.key(&date);
        let signature = to_hex(&key.sign(&date, canonical.text.as_bytes()));
        let authorization = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
            self.access_key_id, key.scope, canonical.signed_headers,
        );
        Ok(Signed { date, content_sha256: content, authorization, key, signature })
    }

    /// Signs a request in its query, so that whoever holds the address may send it until it expires. Gives the whole
    /// query, which is as secret as the request that it allows.
    ///
    /// # Errors
    /// As for [`Signer::sign`], and when `expires` is not between a second and seven days.
    pub fn presign(
        &self,
        request: &Request<'_>,
        at: Timestamp,
        expires: Duration,
    ) -> Result<Zeroizing<String>, Error> {
        self.refuse_reserved(request.headers)?;
        if expires < Duration::from_secs(1) || expires > LONGEST {
            return Err(Error::Malformed("the time for which the request is signed"));
        }
        let date = amz_date(at);
        let key = self.key(&date);
        let credential = format!("{}/{}", self.access_key_id, key.scope);
        let expires = expires.as_secs().to_string();
        let names = canonical::signed_headers(request.headers, &[])?;
        let payload = request.payload.text();
        let parameters = [
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", &expires),
            ("X-Amz-SignedHeaders", &names),
        ];
        with_text(self.token, |token| {
            let token = token.map(|token| ("X-Amz-Security-Token", token));
            let covered = token.filter(|_| self.rules.token == TokenPlace::Signed);
            let query: Vec<_> = parameters.iter().copied().chain(covered).collect();
            let canonical =
                canonical(request, &More { headers: &[], query: &query, payload: &payload }, self.rules)?;
            let signature = to_hex(&key.sign(&date, canonical.text.as_bytes()));
            let signature = [("X-Amz-Signature", signature.as_str())];
            let added: Vec<_> = parameters.iter().copied().chain(token).chain(signature).collect();
            let length: usize = added.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
            // With room for all of it, or growing would leave copies of the token behind.
            let mut whole = Zeroizing::new(String::with_capacity(request.query.len() + length));
            whole.push_str(request.query);
            for (name, value) in added {
                if !whole.is_empty() {
                    whole.push('&');
                }
                whole.push_str(name);
                whole.push('=');
                percent_encode(&mut whole, value.as_bytes());
            }
            Ok(whole)
        })
    }

    fn key(&self, date: &str) -> ScopedKey {
        let day = date.get(..8).unwrap_or_default();
        ScopedKey::derive(
            self.secret,
            Scope { day: day.into(), region: self.region.into(), service: self.service.into() },
        )
    }

    fn refuse_reserved(&self, headers: &[(&str, &str)]) -> Result<(), Error> {
        if headers.iter().any(|(name, _)| RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)))
        {
            return Err(Error::Malformed("a header that the signature adds itself"));
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b',');
        if self.access_key_id.is_empty() || !self.access_key_id.bytes().all(plain) {
            return Err(Error::Malformed("the id of the access key"));
        }
        Ok(())
    }
}

impl Payload<'_> {
    /// What stands for the body in the canonical request and in `x-amz-content-sha256`.
    fn text(&self) -> String {
        match self {
            Self::Bytes(bytes) => to_hex(&crate::sha256(&[bytes])),
            Self::Digest(digest) => to_hex(digest),
            Self::Unsigned => UNSIGNED.to_owned(),
            Self::UnsignedTrailer => UNSIGNED_TRAILER.to_owned(),
            Self::Streaming => STREAMING.to_owned(),
        }
    }
}

impl Signed {
    /// The signatures of the chunks behind a request that was signed with [`Payload::Streaming`].
    #[must_use]
    pub fn chunks(self) -> Chunks {
        Chunks::new(self.key, self.date, self.signature)
    }
}

/// Lends the text of a secret that has to be one line, or nothing.
fn with_text<R>(
    secret: Option<&Secret>,
    use_it: impl FnOnce(Option<&str>) -> Result<R, Error>,
) -> Result<R, Error> {
    let Some(secret) = secret else { return use_it(None) };
    #[expect(clippy::disallowed_methods, reason = "the signature covers the session token")]
    secret.expose(|bytes| match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(u8::is_ascii_graphic) => use_it(Some(text)),
        Ok(_) | Err(_) => Err(Error::Malformed("the session token")),
    })
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
/// Headers that signing adds; a second one of the name would make two readings.
const RESERVED: &[&str] = &["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];
/// Longest life of a presigned request.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

#[cfg(test)]
mod tests;
