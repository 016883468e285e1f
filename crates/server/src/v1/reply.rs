//! What comes back: an answer in the shape that the table says, with what HTTP says beside it.

use std::sync::OnceLock;

use broker::{Answer, Cursors};
use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use model::{EvidenceId, Quota};
use net::Body;
use serde_json::{Value, json};

use super::asked::Asked;
use super::problem::Problem;
use super::route::{Gives, Route};
use super::{openapi, page};

/// An answer that is not written yet.
pub(crate) struct Reply {
    status: StatusCode,
    content: Content,
    evidence: Option<EvidenceId>,
    quota: Option<Quota>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether who asks again may be told that nothing has changed.
    tagged: bool,
}

enum Content {
    Nothing,
    Json(Value),
    Text(&'static str, String),
}

/// What an operation gave, in the shape of its route.
pub(crate) fn shaped(route: &Route, answer: Answer, asked: (&Asked, &Cursors)) -> Result<Reply, Problem> {
    let Answer { evidence, mut value, .. } = answer;
    if let Some(problem) = value.get("problem") {
        return Err(Problem::told(problem, evidence));
    }
    let content = match route.gives {
        Gives::Nothing => Content::Nothing,
        Gives::One(_, shape) => Content::Json(shape(&mut value)),
        Gives::List(list) => Content::Json(page::of(&list, (list.shape)(&mut value), asked)?),
        Gives::Text(kind, member) => {
            let text = value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
            Content::Text(kind, text)
        }
    };
    let status = StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK);
    let tagged = route.method == "GET" && matches!(content, Content::Json(_));
    Ok(Reply { status, content, evidence: Some(evidence), quota: None, headers: Vec::new(), tagged })
}

impl Reply {
    /// A document that no operation gave.
    pub(crate) const fn json(status: StatusCode, value: Value) -> Self {
        let content = Content::Json(value);
        Self { status, content, evidence: None, quota: None, headers: Vec::new(), tagged: false }
    }

    /// The document of the API.
    pub(crate) fn document() -> Self {
        static DOCUMENT: OnceLock<Value> = OnceLock::new();
        Self { tagged: true, ..Self::json(StatusCode::OK, DOCUMENT.get_or_init(openapi::made).clone()) }
    }

    /// What there is.
    pub(crate) fn index() -> Self {
        Self::json(
            StatusCode::OK,
            json!({ "openapi": "/v1/openapi.json", "version": env!("CARGO_PKG_VERSION") }),
        )
    }

    /// The same, and nothing in it.
    pub(crate) fn nothing(self) -> Self {
        self.empty(StatusCode::NO_CONTENT)
    }

    /// The same with this status, and nothing in it.
    pub(crate) fn empty(mut self, status: StatusCode) -> Self {
        (self.status, self.content) = (status, Content::Nothing);
        self
    }

    /// The same with the record of the call.
    pub(crate) const fn recorded(mut self, evidence: EvidenceId) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// The same with how the caller's rate stands.
    pub(crate) fn within(mut self, quota: Option<&Quota>) -> Self {
        self.quota = quota.copied();
        self
    }

    /// The same with a header more.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Writes it.
    pub(crate) fn into_response(self, parts: &Parts) -> Response<Body> {
        let Self { status, content, evidence, quota, headers: more, tagged } = self;
        let (kind, text) = match content {
            Content::Nothing => (None, String::new()),
            Content::Json(value) => (Some("application/json"), value.to_string()),
            Content::Text(kind, text) => (Some(kind), text),
        };
        let tag = tagged.then(|| broker::etag(text.as_bytes()));
        let known = tag.as_ref().is_some_and(|tag| is_known(parts, tag));
        let body = if known { Body::empty() } else { Body::full(text) };
        let mut reply = Response::new(body);
        *reply.status_mut() = if known { StatusCode::NOT_MODIFIED } else { status };
        let headers = reply.headers_mut();
        if let Some(kind) = kind.filter(|_| !known) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
        if let Some(evidence) = evidence {
            net::problem::mark(headers, evidence);
        }
        if let Some(quota) = &quota {
            net::quota::mark(headers, quota);
        }
        // Two cookies are two lines.
        for (name, value) in more {
            headers.append(name, value);
        }
        reply
    }
}

/// Whether the caller has this already.
fn is_known(parts: &Parts, tag: &str) -> bool {
    let lines = parts.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

/// The methods of a path.
pub(crate) fn options(methods: &[&str]) -> Response<Body> {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        reply.headers_mut().insert(header::ALLOW, value);
    }
    finished(reply)
}

/// What every reply says: it is not to be kept, nor shown as a page, nor read by another origin.
pub(crate) fn finished(mut reply: Response<Body>) -> Response<Body> {
    let headers = reply.headers_mut();
    let all = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in all {
        headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}
