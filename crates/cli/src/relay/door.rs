//! Where Slack sends what somebody pressed. The body goes to the broker as it came, with the two headers of the signature.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use net::Body;
use net::body::{Bounds, collect_bounded};
use net::plain::{Place, Plain};
use serde_json::json;

use crate::management::understood;

/// Takes answers.
pub(super) struct Door {
    broker: Plain,
    wake: Sender<()>,
}

impl Door {
    pub(super) fn new(socket: PathBuf, wake: Sender<()>) -> Self {
        Self { broker: Plain::new(Place::Unix(socket), PATIENCE, LARGEST), wake }
    }

    /// Answers one request. Slack shows whoever pressed that it failed, where the status is none of success.
    pub(super) async fn answer(&self, request: Request<hyper::body::Incoming>) -> Response<Body> {
        if request.uri().path() != PATH {
            return empty(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::POST {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let header = |name: &str| {
            let mut values = request.headers().get_all(name).iter();
            let (value, None) = (values.next()?.to_str().ok()?.to_owned(), values.next()) else {
                return None;
            };
            Some(value)
        };
        let signed = header(SIGNATURE).zip(header(TIME));
        // A stranger has us hold no body before anything like a signature is there.
        let Some((signature, time)) = signed else { return empty(StatusCode::UNAUTHORIZED) };
        let bounds = Bounds { bytes: LARGEST, frame: PATIENCE, whole: PATIENCE };
        let Ok(body) = collect_bounded(Body::from(request.into_body()), bounds).await else {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let Ok(body) = str::from_utf8(&body) else { return empty(StatusCode::BAD_REQUEST) };
        let came = json!({ "headers": { SIGNATURE: signature, TIME: time }, "body": body });
        let asked = Request::post("/v1/operations/doorward/approval.answer?via=slack")
            .header(http::header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::full(Bytes::from(came.to_string())));
        let Ok(asked) = asked else { return empty(StatusCode::BAD_REQUEST) };
        let Ok(reply) = self.broker.send(asked).await else { return empty(StatusCode::SERVICE_UNAVAILABLE) };
        let status = reply.status();
        match understood(&reply) {
            Ok(_) => {
                let _ = self.wake.send(());
                empty(StatusCode::OK)
            }
            Err(failure) => {
                tracing::warn!(why = %failure, "an answer from Slack was refused");
                empty(status)
            }
        }
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    reply
}

/// Where Slack is told to send answers.
pub(super) const PATH: &str = "/slack/interactivity";
const SIGNATURE: &str = "x-slack-signature";
const TIME: &str = "x-slack-request-timestamp";
/// Slack waits three seconds; what it waits for is not given up for that.
const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST: usize = 256 * 1024;
