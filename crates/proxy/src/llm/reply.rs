//! What the service answered, as the client wants it.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Response, StatusCode};
use net::Body;
use net::body::{Bounds, collect_bounded};
use serde_json::Value;

use super::events::Events;
use super::stream::{Chunks, Ended, Whole, completion};
use super::{Wants, told};

/// Reads a reply.
pub(super) async fn read(reply: Response<Body>, wants: Wants) -> Response<Body> {
    let streams = reply
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/event-stream"));
    match wants {
        Wants::Same if reply.status().is_success() => reply,
        Wants::Same | Wants::Response | Wants::Chat | Wants::ChatStream(_)
            if !reply.status().is_success() =>
        {
            explained(reply, wants).await
        }
        _ if !streams => {
            let (parts, _) = reply.into_parts();
            broken(Response::from_parts(parts, ()), "the service did not answer with events")
        }
        Wants::ChatStream(usage) => {
            let (mut parts, body) = reply.into_parts();
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, Body::stream(Chunks::new(body, usage)))
        }
        Wants::Same => reply,
        Wants::Response | Wants::Chat => whole(reply, wants).await,
    }
}

/// All events of a reply as one document.
async fn whole(reply: Response<Body>, wants: Wants) -> Response<Body> {
    let (parts, body) = reply.into_parts();
    let head = Response::from_parts(parts, ());
    let Ok(bytes) = collect_bounded(body, EVENTS).await else {
        return broken(head, "the answer of the service broke off");
    };
    let (mut events, mut whole) = (Events::default(), Whole::default());
    let Ok(all) = events.feed(&bytes) else { return broken(head, "the answer of the service can't be read") };
    all.iter().for_each(|event| whole.event(event));
    match (whole.ended, wants) {
        (Some(Ended::With(response)), Wants::Chat) => told::json_body(head, &completion(&response)),
        (Some(Ended::With(response)), _) => told::json_body(head, &response),
        (Some(Ended::Failed(code, message)), _) => {
            told::instead(head, StatusCode::BAD_GATEWAY, &message, &code)
        }
        (None, _) => broken(head, "the answer of the service has no end"),
    }
}

/// A refusal of the service in the shape of the API that was asked; one that has that shape stays.
async fn explained(reply: Response<Body>, wants: Wants) -> Response<Body> {
    if wants == Wants::Same {
        return reply;
    }
    let (parts, body) = reply.into_parts();
    let head = Response::from_parts(parts, ());
    let status = head.status();
    let said: Value = match collect_bounded(body, ERROR).await {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    if said.get("error").is_some_and(Value::is_object) {
        return told::json_body(head, &said);
    }
    let message = match said.get("detail") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "the service refused".to_owned(),
    };
    told::instead(head, status, &message, "upstream_refused")
}

/// What was asked for may have been done, so nobody is told to repeat it.
fn broken(mut head: Response<()>, message: &str) -> Response<Body> {
    let never = http::HeaderValue::from_static("false");
    head.headers_mut().insert(http::HeaderName::from_static("x-should-retry"), never);
    told::instead(head, StatusCode::BAD_GATEWAY, message, "upstream_reply")
}

/// The broker bounds the reply itself; this is a little more than it allows.
const EVENTS: Bounds =
    Bounds { bytes: 16 << 20, frame: Duration::from_secs(300), whole: Duration::from_secs(3_660) };
const ERROR: Bounds =
    Bounds { bytes: 256 << 10, frame: Duration::from_secs(60), whole: Duration::from_secs(120) };
