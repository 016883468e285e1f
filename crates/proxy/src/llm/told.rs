//! Errors in the vendor's shape: `{"error": {"message", "type", "param", "code"}}`.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use model::{Refusal, Retry};
use net::{Body, problem};
use serde_json::{Value, json};

/// A refusal of ours. It keeps the headers by which programs know it.
pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    let mut reply = problem::reply(refusal);
    let hint = refusal.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let document = error(reply.status(), &format!("{}{hint}", refusal.message), refusal.code.as_str());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if refusal.retry == Retry::No {
        // The vendor's clients repeat what was answered with some statuses; this header stops them.
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    *reply.body_mut() = Body::full(document.to_string());
    reply
}

/// The same reply with an error in it.
pub(super) fn instead(
    mut reply: Response<()>,
    status: StatusCode,
    message: &str,
    code: &str,
) -> Response<Body> {
    *reply.status_mut() = status;
    json_body(reply, &error(status, message, code))
}

/// The same reply with a document in it.
pub(super) fn json_body(mut reply: Response<()>, document: &Value) -> Response<Body> {
    reply.headers_mut().remove(CONTENT_LENGTH);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.map(|()| Body::full(document.to_string()))
}

/// The error of a status.
pub(super) fn error(status: StatusCode, message: &str, code: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}
