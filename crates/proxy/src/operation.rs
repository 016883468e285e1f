//! Operations by name at the gateway: `POST /v1/operations/{integration}/{operation}`, inputs in the query or as JSON.
//!
//! What is answered has the shape of the socket's door. Doorward's own operations are not among them: whoever manages it does that
//! at the socket, where the kernel says who that is.

use std::sync::Arc;

use broker::{Answer, Asked, Inbound, Operate, Outbound, Worker, inputs_of, presented, spans};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use model::{Code, Door, Fact, Inputs, Refusal, Target};
use net::{Body, Peer, problem};
use serde_json::{Value, json};

use crate::browser::Guarded;
use crate::purpose;
use crate::refused::Refused;

/// An operation that is asked for, still without its body.
#[derive(Debug)]
pub(crate) struct Ordered {
    operate: Operate,
    facts: Fact,
    capability: Option<HeaderValue>,
    json: bool,
}

/// Whether a path is one of these.
pub(crate) fn is_one(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Reads the head.
pub(crate) fn read(
    _: Guarded,
    parts: &Parts,
    target: &Target,
    peer: &Peer,
    capability: Option<HeaderValue>,
) -> Result<Ordered, Refused> {
    if parts.method != Method::POST {
        return Err(Refused::method("an operation is performed with POST", "POST"));
    }
    let mut segments = target.segments().skip(2);
    let (Some(integration), Some(operation), None) = (segments.next(), segments.next(), segments.next())
    else {
        return Err(Refused::nothing("the path names no operation").hint(FORM));
    };
    let (integration, operation) = (integration.parse()?, operation.parse()?);
    if is_ours(&integration) {
        return Err(Refused::nothing("Doorward itself is not managed here")
            .hint("its socket takes these operations, and `doorward` on the command line"));
    }
    let mut inputs = Inputs::new();
    for (name, value) in target.pairs() {
        if name.is_empty() || inputs.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::bad("an input is there more than once, or has no name"));
        }
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    let json = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let facts = facts(parts, peer)?;
    let operate = Operate::new(integration, operation, inputs).within(spans::parent(&parts.headers));
    Ok(Ordered { operate, facts, capability, json })
}

fn is_ours(integration: &model::IntegrationName) -> bool {
    integration.as_str() == "doorward"
}

/// Performs it.
pub(crate) async fn answer(
    worker: &Arc<Worker>,
    ordered: Ordered,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    let Ordered { mut operate, facts, capability, json } = ordered;
    let bytes = whole(body).await?;
    if !bytes.is_empty() {
        if !json {
            let refusal = Refusal::new(Code::BadRequest, "the body of an operation is JSON");
            return Err(refusal.hint("send `Content-Type: application/json`"));
        }
        for (name, value) in inputs_of(&bytes)? {
            if operate.inputs.insert(name, value).is_some() {
                return Err(Refusal::new(Code::BadRequest, "an input is there more than once"));
            }
        }
    }
    perform(
        worker,
        (operate, facts, capability),
        |answer| json!({ "evidence": answer.evidence, "answer": answer.value }),
    )
    .await
}

/// What is known of a caller of operations by name.
pub(crate) fn facts(parts: &Parts, peer: &Peer) -> Result<Fact, Refused> {
    let purpose = purpose::given(&parts.headers)?;
    let claims = presented::claims(&parts.headers)?;
    let certificate = peer.certificate.clone();
    Ok(Fact { address: peer.address, purpose, certificate, claims, ..Fact::default() })
}

/// The whole body of a request for an operation.
pub(crate) async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    let whole = tokio::time::timeout(WITHIN, Limited::new(body, MOST).collect()).await;
    let whole = whole.map_err(|_| Refusal::new(Code::BadRequest, "the body did not arrive in time"))?;
    let whole = whole.map_err(|_| {
        Refusal::new(Code::TooLarge, format!("the body broke off, or is larger than {MOST} bytes"))
    })?;
    Ok(whole.to_bytes())
}

/// Performs an operation; `said` is what stands in the reply.
pub(crate) async fn perform(
    worker: &Arc<Worker>,
    (operate, facts, capability): (Operate, Fact, Option<HeaderValue>),
    said: impl FnOnce(&Answer) -> Value,
) -> Result<Response<Body>, Refusal> {
    let inbound = Inbound { door: Door::Gateway, facts, capability, asked: Asked::Operate(operate) };
    let (evidence, mut reply) = match worker.call(inbound).await? {
        Outbound::Reply(evidence, reply) => (evidence, *reply),
        // A lease is for the socket alone; one that came all the same stays here.
        Outbound::Answer(answer) | Outbound::Lease(answer, _) => {
            let status = if answer.failed { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            (answer.evidence, document(status, &said(&answer)))
        }
    };
    problem::mark(reply.headers_mut(), evidence);
    Ok(reply)
}

/// A reply in JSON, which nobody keeps.
pub(crate) fn document(status: StatusCode, value: &Value) -> Response<Body> {
    let mut reply = Response::new(Body::full(value.to_string()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

const PREFIX: &str = "/v1/operations/";
const FORM: &str = "`POST /v1/operations/INTEGRATION/OPERATION`";
const MOST: usize = 1 << 20;
const WITHIN: std::time::Duration = std::time::Duration::from_secs(30);
