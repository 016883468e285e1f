//! Another gateway's words, for programs that were written for that one.
//!
//! A reply of ours then has that gateway's status, reason and body, beside our own headers; and what a header or host may
//! name follows that gateway's settings.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use model::{Code, IntegrationName, Refusal};
use net::Body;

use crate::health::Question;
use crate::host::{self, Addressed};
use crate::refused::{Refused, Speech};
pub use numbers::Numbers;

mod numbers;

/// Whose words the gateway speaks besides its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Nobody else's.
    #[default]
    Own,
    /// Those of AuthTranslator.
    AuthTranslator(Speaking),
}

/// How far another gateway's words go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Speaking {
    /// Whether its header names an integration.
    pub header: IntHeader,
    /// Whether health is shown on the door of the gateway itself, under its path.
    pub health: bool,
    /// Whether the counters are shown there.
    pub numbers: bool,
}

/// Whether the header `X-AT-Int` names an integration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IntHeader {
    /// Whatever the host is.
    #[default]
    Always,
    /// Never: it is ignored.
    Never,
    /// Where the request addresses this host, in lower case, without a port.
    At(String),
}

impl Dialect {
    /// Whether this is another gateway's.
    pub(crate) const fn is_foreign(&self) -> bool {
        matches!(self, Self::AuthTranslator(_))
    }

    /// Whether the other gateway's header counts for a request.
    pub(crate) fn honours(&self, parts: &Parts) -> bool {
        let Self::AuthTranslator(Speaking { header, .. }) = self else { return true };
        match header {
            IntHeader::Always => true,
            IntHeader::Never => false,
            IntHeader::At(wanted) => host::written(parts)
                .ok()
                .and_then(host::without_port)
                .is_some_and(|host| host.eq_ignore_ascii_case(wanted)),
        }
    }

    /// The host that is addressed; a foreign one is refused. Where another gateway's programs are, it is not, and one that can be no
    /// integration's is just a host.
    pub(crate) fn served(&self, addressed: Result<Addressed, Refused>) -> Result<Addressed, Refused> {
        match addressed {
            Err(refused) if self.is_foreign() && refused.is_about_a_name() => Ok(Addressed::Foreign),
            Ok(Addressed::Foreign) if !self.is_foreign() => Err(host::foreign()),
            other => other,
        }
    }

    /// The host that is addressed, beside the integration that a header names. The other gateway may itself be called by one
    /// label, so only two integrations contradict one another there.
    pub(crate) fn beside(
        &self,
        named: Option<&IntegrationName>,
        addressed: Addressed,
        known: &dyn Fn(&IntegrationName) -> bool,
    ) -> Result<Addressed, Refused> {
        match (addressed, named) {
            (Addressed::Foreign, None) => Err(Refused::nothing("no integration is served under this host")),
            (Addressed::Integration(host), Some(_)) if self.is_foreign() && !known(&host) => {
                Ok(Addressed::Foreign)
            }
            (addressed, _) => Ok(addressed),
        }
    }

    /// Another gateway has more names than ours: one that can't be ours is one that nothing goes by.
    pub(crate) fn unknown<T>(&self, named: Result<T, Refused>) -> Result<T, Refused> {
        match named {
            Err(refused) if self.is_foreign() && refused.is_about_a_name() => {
                Err(Refused::nothing("no integration has this name"))
            }
            other => other,
        }
    }
}

/// What names mean here.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The integration that has this further name.
    pub(crate) aliased: &'a dyn Fn(&str) -> Option<IntegrationName>,
    /// Whether there is such an integration.
    pub(crate) known: &'a dyn Fn(&IntegrationName) -> bool,
}

/// What a path under the other gateway's own folder asks; `None` where it is none of them, or it asks nothing here.
pub(crate) fn internal(dialect: &Dialect, path: &str) -> Option<Result<Question, Refused>> {
    let Dialect::AuthTranslator(Speaking { health, numbers, .. }) = dialect else { return None };
    match path.strip_prefix("/_at_internal/")? {
        "healthz" if *health => Some(Ok(Question::Peer)),
        "metrics" if *numbers => Some(Ok(Question::Numbers)),
        _ => Some(Err(Refused::nothing("nothing is served under this path of the gateway")
            .hint("`--metrics ADDR` shows health and counters on an address of their own"))),
    }
}

/// Marks what came from the upstream: a success carries nothing, as there.
pub(crate) fn mark_upstream(reply: &mut Response<Body>) {
    if !reply.status().is_success() {
        reply.headers_mut().insert(UPSTREAM_ERROR, HeaderValue::from_static("true"));
    }
}

/// Puts a reply of ours into the other gateway's words. `name` is what the request named: a host, or an integration; `status` is one
/// that is closer than that of the code.
pub(crate) fn translate(
    reply: &mut Response<Body>,
    (refusal, status): (&Refusal, Option<StatusCode>),
    name: &str,
    speech: Speech,
) {
    let (status, reason) = match status {
        None => told(refusal),
        Some(StatusCode::METHOD_NOT_ALLOWED) => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
        Some(status) => (status, "bad request"),
    };
    let headers = reply.headers_mut();
    headers.insert(UPSTREAM_ERROR, HeaderValue::from_static("false"));
    if let Ok(value) = HeaderValue::from_str(reason) {
        headers.insert(ERROR_REASON, value);
    }
    if speech == Speech::Grpc {
        return;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    *reply.status_mut() = status;
    if speech == Speech::Http {
        *reply.body_mut() = Body::full(body(status, reason, refusal, name));
    }
}

/// The status of a refusal there.
pub(crate) fn status(refusal: &Refusal) -> StatusCode {
    told(refusal).0
}

/// Marks a delivery that was carried before, which is no refusal there: nothing else of it changes.
pub(crate) fn mark_ours(headers: &mut HeaderMap) {
    headers.insert(UPSTREAM_ERROR, HeaderValue::from_static("false"));
}

/// Status and reason. Reasons that the other gateway has are in its words; it says nothing where it can't reach a service.
fn told(refusal: &Refusal) -> (StatusCode, &str) {
    // Of a rate it is whose it was, which the body says.
    let finer = refusal.reason.as_deref().filter(|_| refusal.code != Code::RateLimited);
    let (status, reason) = match refusal.code {
        Code::NotFound => (StatusCode::NOT_FOUND, "integration not found"),
        Code::Unauthenticated | Code::Expired | Code::Revoked => {
            (StatusCode::UNAUTHORIZED, "authentication failed")
        }
        Code::RateLimited if is_of_all(refusal) => {
            (StatusCode::TOO_MANY_REQUESTS, "integration rate limited")
        }
        Code::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "caller rate limited"),
        Code::Denied => (StatusCode::FORBIDDEN, "no allowlist match"),
        Code::ApprovalRequired => (StatusCode::FORBIDDEN, "approval required"),
        Code::UsesExhausted => (StatusCode::FORBIDDEN, "uses exhausted"),
        Code::BadRequest if refusal.message.starts_with("invalid destination") => {
            (StatusCode::BAD_REQUEST, "invalid destination")
        }
        Code::BadRequest => (StatusCode::BAD_REQUEST, "bad request"),
        Code::Conflict => (StatusCode::CONFLICT, "conflict"),
        Code::Replayed => (StatusCode::CONFLICT, "replayed"),
        Code::BodyBroken => (StatusCode::BAD_REQUEST, "body broken"),
        Code::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body too large"),
        // Our credential, not the caller's: nobody has to look for a fault of theirs.
        Code::SecretMissing | Code::SourceUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "credential unavailable")
        }
        Code::Sealed => (StatusCode::SERVICE_UNAVAILABLE, "gateway sealed"),
        Code::EvidenceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "evidence unavailable"),
        Code::AddressForbidden => (StatusCode::BAD_GATEWAY, "destination forbidden"),
        Code::UpstreamUnreachable => (StatusCode::BAD_GATEWAY, "upstream unreachable"),
        Code::UpstreamReply => (StatusCode::BAD_GATEWAY, "upstream reply unusable"),
        Code::OutcomeUnknown => (StatusCode::BAD_GATEWAY, "outcome unknown"),
        Code::UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, "upstream timeout"),
        // A code that this table does not have is ours to mend.
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "refused"),
    };
    (status, finer.unwrap_or(reason))
}

fn body(status: StatusCode, reason: &str, refusal: &Refusal, name: &str) -> String {
    let finer = refusal.reason.as_deref();
    match refusal.code {
        Code::NotFound => format!("integration for host {name} not found\n"),
        Code::Unauthenticated | Code::Expired | Code::Revoked => {
            format!("Unauthorized: authentication failed for integration {name}\n")
        }
        Code::RateLimited if is_of_all(refusal) => {
            format!("Too Many Requests: host {name} exceeded rate limit\n")
        }
        Code::RateLimited => {
            let whose = finer.map_or_else(|| format!("of {name}"), ToOwned::to_owned);
            format!("Too Many Requests: caller {whose} exceeded rate limit\n")
        }
        Code::BadRequest => match refusal.message.strip_prefix("invalid destination: ") {
            Some("missing") => "Bad Request: missing X-AT-Destination header\n".to_owned(),
            Some(why) => format!("Bad Request: invalid X-AT-Destination header: {why}\n"),
            None => format!("{}: {}\n", status.canonical_reason().unwrap_or("Bad Request"), refusal.message),
        },
        _ => format!("{}: {reason}\n", status.canonical_reason().unwrap_or("Refused")),
    }
}

/// Whether the rate that was broken is that of all callers together.
fn is_of_all(refusal: &Refusal) -> bool {
    refusal.quota.as_ref().is_some_and(|quota| quota.policy == "integration")
}

const UPSTREAM_ERROR: HeaderName = HeaderName::from_static("x-at-upstream-error");
const ERROR_REASON: HeaderName = HeaderName::from_static("x-at-error-reason");

#[cfg(test)]
mod tests;
