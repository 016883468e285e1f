//! Which fields may stand behind a body (RFC 9110, section 6.5), in both directions.
//!
//! # Invariants
//!
//! - What frames, routes or changes a message, proves somebody, or says how to read the content never stands behind it: whoever merges
//!   trailers into the head would read another message than the one that was looked at.
//! - Of a request only fields pass that say something about the bytes which went before them, as checksums and signatures do, for rules
//!   and policies read heads.

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};

use crate::headers::{self, Cookies};

/// The fields that a head announces and that may stand behind its body. Those of a request are fewer.
#[must_use]
pub fn announced(headers: &HeaderMap, of: Of) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = Vec::new();
    let listed =
        headers::all(headers, &header::TRAILER).flat_map(|value| value.as_bytes().split(|b| *b == b','));
    for name in listed.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()) {
        if names.len() < MOST && may_trail(&name, of) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Says in a head what will stand behind the body.
pub fn announce(headers: &mut HeaderMap, names: &[HeaderName]) {
    let text = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
    if let Ok(value) = HeaderValue::from_str(&text)
        && !names.is_empty()
    {
        headers.insert(header::TRAILER, value);
    }
}

/// Removes from the trailers of a reply what may not stand there.
pub fn incoming(trailers: &mut HeaderMap) {
    // Whoever merges them into the head must not find a cookie or a word of ours there.
    headers::incoming(trailers, Cookies::Dropped);
    let out: Vec<HeaderName> = trailers.keys().filter(|name| !may_trail(name, Of::Reply)).cloned().collect();
    for name in out {
        trailers.remove(name);
    }
}

/// Whose trailers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A caller's.
    Request,
    /// An upstream's.
    Reply,
}

fn may_trail(name: &HeaderName, of: Of) -> bool {
    let name = name.as_str();
    match of {
        Of::Reply => !NEVER.contains(&name) && !name.starts_with("if-") && !name.starts_with("proxy-"),
        Of::Request => name != "authorization" && ABOUT_BYTES.iter().any(|word| name.contains(word)),
    }
}

/// RFC 9110, section 6.5.1: framing, routing, modifiers, authentication, control data of replies, and how the content is read.
const NEVER: &[&str] = &[
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "refresh",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "warning",
    "www-authenticate",
];
/// `Content-Digest`, `Repr-Digest`, `Content-MD5`, `x-amz-checksum-crc32`, `Signature` and `Signature-Input` of RFC 9421.
const ABOUT_BYTES: &[&str] = &["checksum", "digest", "md5", "signature"];
/// More are not announced.
const MOST: usize = 16;

#[cfg(test)]
mod tests;
