//! A refusal as an HTTP reply: problem details (RFC 9457), or a gRPC status for those who speak gRPC.
//!
//! Every door refuses in these words, so that programs can tell our answers from those of the upstream: a reply with the
//! header [`REFUSAL`] is ours, and no other has it, because [`headers::incoming`](crate::headers::incoming) strips it from
//! what an upstream says.
//!
//! # Invariants
//!
//! - The members of the body are exactly those of [`Refusal`], which never holds secret material.
//! - A refusal is never kept by a cache and never read as another type.

use std::fmt::Write as _;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use model::{Code, EvidenceId, Fault, Refusal, Retry};

use crate::{Body, quota};

/// The record of a call, on every reply that has one.
pub const EVIDENCE: HeaderName = HeaderName::from_static("x-doorward-evidence");
/// The code of a refusal, on refusals and on nothing else.
pub const REFUSAL: HeaderName = HeaderName::from_static("x-doorward-refusal");

/// The approval that a refusal waits for, and the one that a caller says that its call has.
pub const APPROVAL: HeaderName = HeaderName::from_static("x-doorward-approval");

/// The refusal as problem details, with the status that its code has.
#[must_use]
pub fn reply(refusal: &Refusal) -> Response<Body> {
    reply_as(refusal, status(refusal.code))
}

/// The same with another status, where HTTP has a closer one: 405, 421.
#[must_use]
pub fn reply_as(refusal: &Refusal, status: StatusCode) -> Response<Body> {
    let (body, reply) = whole(refusal, status);
    reply.map(|()| Body::full(body))
}

/// The same in two halves, for where there is no HTTP library to put them together.
pub(crate) fn whole(refusal: &Refusal, status: StatusCode) -> (String, Response<()>) {
    let mut reply = Response::new(());
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"doorward\""));
    }
    if let Retry::After(wait) = refusal.retry {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    }
    mark_refused(headers, refusal);
    (json(refusal, status), reply)
}

/// The refusal for somebody who speaks gRPC: a reply of trailers only, as the protocol calls it.
#[must_use]
pub fn grpc(refusal: &Refusal) -> Response<Body> {
    let mut reply = Response::new(Body::empty());
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(grpc_status(refusal.code)));
    if let Ok(message) = HeaderValue::from_str(&grpc_message(&refusal.message)) {
        headers.insert(HeaderName::from_static("grpc-message"), message);
    }
    mark_refused(headers, refusal);
    reply
}

/// Puts the id of a call's record on its reply.
pub fn mark(headers: &mut HeaderMap, evidence: EvidenceId) {
    if let Ok(value) = HeaderValue::from_bytes(&evidence.to_text()) {
        headers.insert(EVIDENCE, value);
    }
}

fn mark_refused(headers: &mut HeaderMap, refusal: &Refusal) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFUSAL, HeaderValue::from_static(refusal.code.as_str()));
    if let Some(quota) = &refusal.quota {
        quota::mark(headers, quota);
    }
    if let Some(evidence) = refusal.evidence {
        mark(headers, evidence);
    }
    if let Some(approval) = refusal.approval()
        && let Ok(value) = HeaderValue::from_str(&approval.to_string())
    {
        headers.insert(APPROVAL, value);
    }
}

/// The status of a code.
#[must_use]
pub fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whole seconds, rounded up: whoever comes back a moment too early is refused again.
fn seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

pub(crate) fn json(refusal: &Refusal, status: StatusCode) -> String {
    let Refusal { code, retry, message, hint, evidence, reason: _, quota: _ } = refusal;
    let word = code.as_str();
    let mut out = String::with_capacity(256 + message.len());
    let _ = write!(out, r#"{{"type":"urn:doorward:refusal:{word}","title":"#);
    quote(&mut out, &word.replace('_', " "));
    let _ = write!(out, r#","status":{},"detail":"#, status.as_u16());
    quote(&mut out, message);
    let _ = write!(out, r#","code":"{word}","fault":"{}","retry":"#, fault(code.fault()));
    let _ = match retry {
        Retry::No => out.write_str(r#""no""#),
        Retry::Safe => out.write_str(r#""safe""#),
        Retry::After(wait) => write!(out, r#""after","retry_after":{}"#, seconds(*wait)),
    };
    if let Some(hint) = hint {
        out.push_str(r#","hint":"#);
        quote(&mut out, hint);
    }
    if let Some(approval) = refusal.approval() {
        let _ = write!(out, r#","approval":"{approval}""#);
    }
    if let Some(evidence) = evidence {
        let _ = write!(out, r#","evidence":"{evidence}""#);
    }
    out.push('}');
    out
}

const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Caller => "caller",
        Fault::Operator => "operator",
        Fault::Upstream => "upstream",
    }
}

/// A JSON string (RFC 8259, section 7).
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The status of gRPC whose advice on trying again fits the code.
const fn grpc_status(code: Code) -> u16 {
    match code {
        Code::BadRequest | Code::BodyBroken => 3,
        Code::UpstreamTimeout => 4,
        Code::NotFound => 5,
        Code::Denied | Code::ApprovalRequired | Code::AddressForbidden => 7,
        Code::TooLarge | Code::RateLimited | Code::UsesExhausted => 8,
        Code::SecretMissing => 9,
        Code::Conflict => 10,
        // ALREADY_EXISTS.
        Code::Replayed => 6,
        Code::UpstreamReply => 13,
        Code::SourceUnavailable | Code::Sealed | Code::EvidenceUnavailable | Code::UpstreamUnreachable => 14,
        Code::Unauthenticated | Code::Expired | Code::Revoked => 16,
        // `UNKNOWN` is what an unknown outcome is, and the only safe reading of a code that this table does not have.
        _ => 2,
    }
}

/// Percent-encoded as the protocol wants it: visible ASCII and spaces stay, but for `%`.
fn grpc_message(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
