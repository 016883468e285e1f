//! Which headers cross the house, and whether a request's head has exactly one reading.
//!
//! # Invariants
//!
//! - What speaks about one hop ends with that hop: `Connection`, everything that it names, and the fixed list.
//! - What claims where a request came from, or asks the upstream to read another method or path than the one that was
//!   matched, is never passed on.
//! - The caller's own credential never reaches an upstream, under any of the usual names, and a session cookie that an
//!   upstream hands out for an injected credential never reaches the caller, unless the integration says so.
//! - `a_b` counts as `a-b`, because CGI-like upstreams read them as the same.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Version};

/// Whether cookies cross, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookies {
    /// `Cookie` and `Set-Cookie` end here.
    Dropped,
    /// The integration works with cookies; they pass.
    Kept,
}

/// Prepares a caller's headers for the upstream: strips what belongs to the hop, claims about the origin, and the
/// caller's own credentials. The credential of the call is put on afterwards. Allocates only where something is stripped.
pub fn outgoing(headers: &mut HeaderMap, cookies: Cookies) {
    let dropped = |name: &str| cookies == Cookies::Dropped && name == "cookie";
    strip(headers, |name| {
        is_hop(name) || is_claim(name) || credential(name) || is_packing(name) || dropped(name)
    });
}

/// Prepares an upstream's headers for the caller: strips what belongs to the hop and what would bind the caller's agent
/// to the upstream's host. Whoever changes the body has to drop `Content-Length` as well.
pub fn incoming(headers: &mut HeaderMap, cookies: Cookies) {
    let dropped = |name: &str| cookies == Cookies::Dropped && name == "set-cookie";
    strip(headers, |name| is_hop(name) || is_ours(name) || is_host_bound(name) || dropped(name));
}

/// The values of a header, in order. For names that are absent mostly: comparing with the few names of a head costs a
/// fraction of hashing the name, which is what [`HeaderMap::get_all`] does.
pub fn all<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
    headers.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
}

/// The lines of a header by its name in lower case, and those that some services read as the same: `a_b` counts as `a-b`.
pub fn alike<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> + use<'a> {
    let dashed = |name: &str| name.replace('_', "-");
    let wanted = dashed(name);
    headers.iter().filter(move |(known, _)| {
        let known = known.as_str();
        known.len() == wanted.len() && (known == wanted || dashed(known) == wanted)
    })
}

/// Whether there is such a header; see [`all`].
#[must_use]
pub fn has(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.keys().any(|known| known == name)
}

/// Removes a header that is absent mostly; see [`all`].
pub fn remove(headers: &mut HeaderMap, name: &HeaderName) {
    if has(headers, name) {
        headers.remove(name);
    }
}

/// Whether a caller's own credential for an upstream stands under this name.
#[must_use]
pub fn is_credential(name: &HeaderName) -> bool {
    credential(name.as_str()) && !is_ours(name.as_str())
}

/// Proof that the head of a request has one reading: one host, one length, one content type, one credential. Only
/// [`well_formed`] makes one.
#[derive(Debug)]
#[must_use]
pub struct WellFormed<'a> {
    host: Option<&'a str>,
}

impl<'a> WellFormed<'a> {
    /// Host and port that the caller addressed, as written; `None` only for HTTP/1.0.
    #[must_use]
    pub const fn host(&self) -> Option<&'a str> {
        self.host
    }
}

/// Why a request's head has more than one reading, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A header that may be there once is there twice.
    #[error("the header `{0}` is there more than once")]
    Twice(&'static str),
    /// Both framings at once.
    #[error("`content-length` and `transfer-encoding` are both there")]
    TwoFramings,
    /// A transfer coding other than exactly `chunked`.
    #[error("`transfer-encoding` is not exactly `chunked`")]
    Coding,
    /// A length that is not digits.
    #[error("`content-length` is not a number")]
    Length,
    /// No host, a host with strange characters, or two that differ.
    #[error("the host is missing, malformed, or not the one of the request target")]
    Host,
    /// `Connection` names a header that belongs to the message and not to the hop.
    #[error("`connection` names a header of the message")]
    Nominated,
    /// `CONNECT` or `TRACE`.
    #[error("the method is not served")]
    Method,
}

/// Checks the head of a request that came in. [`serve`](crate::serve) does so before a service sees it.
///
/// # Errors
/// When it has more than one reading.
pub fn well_formed(parts: &Parts) -> Result<WellFormed<'_>, Malformed> {
    if parts.method == Method::TRACE || parts.method == Method::CONNECT {
        return Err(Malformed::Method);
    }
    let mut seen = Seen::default();
    for (name, value) in &parts.headers {
        seen.note(name, value)?;
    }
    if seen.length.is_some() && seen.coding.is_some() {
        return Err(Malformed::TwoFramings);
    }
    if seen.coding.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(Malformed::Coding);
    }
    if seen.length.is_some_and(|value| !is_number(value.as_bytes())) {
        return Err(Malformed::Length);
    }
    let host = one_host(parts, seen.host)?;
    Ok(WellFormed { host })
}

fn one_host<'a>(parts: &'a Parts, header: Option<&'a HeaderValue>) -> Result<Option<&'a str>, Malformed> {
    let header = match header {
        Some(value) => Some(value.to_str().map_err(|_| Malformed::Host)?),
        None => None,
    };
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = match (target, header) {
        (Some(target), Some(header)) if !target.eq_ignore_ascii_case(header) => return Err(Malformed::Host),
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) if parts.version == Version::HTTP_10 => return Ok(None),
        (None, None) => return Err(Malformed::Host),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    if host.is_empty() || !host.bytes().all(plain) { Err(Malformed::Host) } else { Ok(Some(host)) }
}

/// What stood in a head so far; each of these may stand there once.
#[derive(Default)]
struct Seen<'a> {
    host: Option<&'a HeaderValue>,
    length: Option<&'a HeaderValue>,
    coding: Option<&'a HeaderValue>,
    content_type: Option<&'a HeaderValue>,
    credential: Option<&'a HeaderValue>,
}

impl<'a> Seen<'a> {
    fn note(&mut self, name: &HeaderName, value: &'a HeaderValue) -> Result<(), Malformed> {
        let (place, shown) = match *name {
            header::HOST => (&mut self.host, "host"),
            header::CONTENT_LENGTH => (&mut self.length, "content-length"),
            header::TRANSFER_ENCODING => (&mut self.coding, "transfer-encoding"),
            header::CONTENT_TYPE => (&mut self.content_type, "content-type"),
            header::AUTHORIZATION => (&mut self.credential, "authorization"),
            header::CONNECTION if nominated(value).any(is_of_the_message) => {
                return Err(Malformed::Nominated);
            }
            _ => return Ok(()),
        };
        if place.replace(value).is_some() { Err(Malformed::Twice(shown)) } else { Ok(()) }
    }
}

/// Removes what `unwanted` says and what `Connection` names, looking at each name once.
fn strip(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let mut stripped: Vec<HeaderName> = Vec::new();
    for name in headers.keys() {
        let text = name.as_str();
        let out = if memchr::memchr(b'_', text.as_bytes()).is_some() {
            unwanted(&text.replace('_', "-"))
        } else {
            unwanted(text)
        };
        if out {
            stripped.push(name.clone());
        }
    }
    if stripped.is_empty() {
        return;
    }
    let named: Vec<HeaderName> = all(headers, &header::CONNECTION)
        .filter(|value| *value != "close" && *value != "keep-alive")
        .flat_map(nominated)
        // What nearly everybody names: the one is no header, the other is stripped anyway.
        .filter(|name| !name.eq_ignore_ascii_case(b"close") && !name.eq_ignore_ascii_case(b"keep-alive"))
        .filter(|name| !is_of_the_message(name))
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in stripped.iter().chain(&named) {
        headers.remove(name);
    }
}

fn nominated(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

fn is_of_the_message(name: &[u8]) -> bool {
    MESSAGE.iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn is_hop(name: &str) -> bool {
    match name.as_bytes().first() {
        Some(b'c') => name == "connection",
        Some(b'e') => name == "expect",
        Some(b'h') => name == "http2-settings",
        Some(b'k') => name == "keep-alive",
        Some(b'p') => name.starts_with("proxy-"),
        Some(b't') => matches!(name, "te" | "trailer" | "transfer-encoding"),
        Some(b'u') => name == "upgrade",
        _ => false,
    }
}

/// Asks a service of gRPC to pack its messages, so that nobody could look into them. Encodings of HTTP are asked for elsewhere.
fn is_packing(name: &str) -> bool {
    name == "grpc-accept-encoding"
}

/// Claims about where a request came from, and requests to read another method or path than the one on the line.
fn is_claim(name: &str) -> bool {
    match name.as_bytes().first() {
        // `_method`, where `_` counts as `-`.
        Some(b'-') => name == "-method",
        Some(b'c') => matches!(name, "cf-connecting-ip" | "cf-connecting-ipv6" | "client-ip" | "cdn-loop"),
        Some(b'f') => matches!(name, "forwarded" | "forwarded-for" | "fastly-client-ip"),
        Some(b'h') => matches!(name, "http-method" | "http-method-override"),
        Some(b't') => name == "true-client-ip",
        Some(b'v') => name == "via",
        Some(b'x') => {
            name.starts_with("x-forwarded") || name.starts_with("x-envoy-") || CLAIMS.contains(&name)
        }
        _ => false,
    }
}

fn credential(name: &str) -> bool {
    match name.as_bytes().first() {
        Some(b'a') => matches!(name, "authorization" | "api-key"),
        Some(b'j') => name == "job-token",
        Some(b'p') => name == "private-token",
        Some(b'x') => {
            matches!(name, "x-api-key" | "x-auth-token" | "x-access-token" | "x-goog-api-key")
                || is_ours(name)
        }
        _ => false,
    }
}

/// Headers by which the house itself speaks; an upstream may not forge them.
fn is_ours(name: &str) -> bool {
    name.starts_with("x-doorward-") || name.starts_with("x-at-")
}

fn is_host_bound(name: &str) -> bool {
    matches!(
        name,
        "alt-svc" | "strict-transport-security" | "public-key-pins" | "public-key-pins-report-only"
    )
}

const CLAIMS: &[&str] = &[
    "x-break-glass",
    "x-break-glass-reason",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-http-override",
    "x-method",
    "x-method-override",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-rest-method",
    "x-rewrite-url",
];

/// Headers that `Connection` cannot name: without them the message would be another one.
const MESSAGE: &[&str] = &[
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "host",
    "transfer-encoding",
];

#[cfg(test)]
mod tests;
