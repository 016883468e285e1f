//! Whether this process is alive, and whether it would serve. Says nothing else, so anybody may ask.

use broker::{Broker, Readiness};
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use net::Body;

use crate::refused::Refused;

/// A question about health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Is the process alive?
    Alive,
    /// Would it serve a call?
    Ready,
    /// Is the process alive, as another gateway is asked: an empty answer.
    Peer,
    /// The counters, as another gateway shows them beside its health.
    Numbers,
}

/// Where health is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// At the gateway as well.
    #[default]
    Here,
    /// At a door of its own, and nowhere else.
    Elsewhere,
}

/// What a path of the gateway asks, where it is one of those that belong to the house and to no integration.
pub(crate) fn reserved(path: &str, place: Place) -> Option<Result<Question, Refused>> {
    let rest = path.strip_prefix("/_doorward")?;
    match rest {
        _ if place == Place::Elsewhere && (rest.is_empty() || rest.starts_with('/')) => {
            Some(Err(Refused::nothing("nothing is served under this path of the gateway")))
        }
        "/healthz" => Some(Ok(Question::Alive)),
        "/readyz" => Some(Ok(Question::Ready)),
        rest if rest.is_empty() || rest.starts_with('/') => {
            Some(Err(Refused::nothing("nothing is served under this path of the gateway")
                .hint("ask `/_doorward/healthz` or `/_doorward/readyz`")))
        }
        _ => None,
    }
}

/// The answer of a broker to a question; `more` are the counters of another gateway.
pub(crate) fn answer_of(
    question: Question,
    method: &Method,
    (broker, more): (&Broker, &dyn Fn() -> String),
) -> Result<Response<Body>, Refused> {
    match question {
        Question::Alive | Question::Ready => answer(question, method, broker.readiness()),
        Question::Numbers => {
            let all = more() + &broker.metrics_text();
            text(method, HeaderValue::from_static(OPEN_METRICS), all)
        }
        Question::Peer => {
            let mut reply = answer(question, method, broker.readiness())?;
            if let Ok(value) = HeaderValue::from_str(&broker.last_reload().to_string()) {
                reply.headers_mut().insert("x-last-reload", value);
            }
            Ok(reply)
        }
    }
}

/// The answer to a question that needs no more than the state.
pub(crate) fn answer(
    question: Question,
    method: &Method,
    readiness: Readiness,
) -> Result<Response<Body>, Refused> {
    let (status, word) = match (question, readiness) {
        (Question::Alive, _) => (StatusCode::OK, "ok\n"),
        (Question::Ready, Readiness::Ready) => (StatusCode::OK, "ready\n"),
        (Question::Ready, Readiness::Sealed) => (StatusCode::SERVICE_UNAVAILABLE, "sealed\n"),
        (Question::Ready, Readiness::Unrecorded) => {
            (StatusCode::SERVICE_UNAVAILABLE, "evidence can't be written\n")
        }
        (Question::Peer | Question::Numbers, _) => (StatusCode::OK, ""),
    };
    let mut reply = text(method, HeaderValue::from_static("text/plain; charset=utf-8"), word)?;
    *reply.status_mut() = status;
    Ok(reply)
}

/// A reply of text to `GET`, its head to `HEAD`.
pub(crate) fn text(
    method: &Method,
    content_type: HeaderValue,
    text: impl Into<String>,
) -> Result<Response<Body>, Refused> {
    let body = match *method {
        Method::GET => Body::full(text.into()),
        Method::HEAD => Body::empty(),
        _ => return Err(Refused::method("the method is not served here", "GET, HEAD")),
    };
    let mut reply = Response::new(body);
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(reply)
}

/// The format of the counters.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests;
