//! Replies, as the clouds' own servers form them.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use net::Body;

pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
/// As Go's servers write it, where programs compare the whole header.
pub(crate) const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A reply with a body that no cache keeps.
pub(crate) fn of(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Response<Body> {
    let mut reply = Response::new(Body::full(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// The same reply with one more header.
pub(crate) fn with(mut reply: Response<Body>, name: HeaderName, value: HeaderValue) -> Response<Body> {
    reply.headers_mut().insert(name, value);
    reply
}

/// A method that is not served here.
pub(crate) fn method(allowed: &'static str) -> Response<Body> {
    let reply = of(StatusCode::METHOD_NOT_ALLOWED, TEXT, "");
    with(reply, header::ALLOW, HeaderValue::from_static(allowed))
}
