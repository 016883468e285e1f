//! The door for tenants and for people: the credential API under `/api/v1`, which programs of a service call with a key of their
//! tenant, and Doorward's own API under `/v1`, which does everything that the command line does ([`v1`]).
//!
//! What is said here is about the former.
//!
//! | route | operation | key |
//! |---|---|---|
//! | `POST /api/v1/integrations/{org}/{provider}/setup` | `credential.setup` | `X-API-Key` |
//! | `POST /api/v1/integrations/{org}/{provider}/validate` | `credential.validate` | `X-API-Key` |
//! | `GET /api/v1/integrations/{org}` | `credential.list` | `X-API-Key` |
//! | `GET /api/v1/integrations/{org}/{provider}` | `credential.show` | `X-API-Key` |
//! | `PUT /api/v1/integrations/{org}/{provider}` | `credential.update` | `X-API-Key` |
//! | `DELETE /api/v1/integrations/{org}/{provider}` | `credential.delete` | `X-API-Key` |
//! | `POST /api/v1/organizations/onboard` | `tenant.create`, `key.create` | `X-CA-Root-Key` |
//!
//! Who it is, whether that is allowed and how often is decided behind this door. It reads a path, carries a body that it does
//! not look into, and says what came back in the words that such programs know: `{"detail", "request_id"}` where something is
//! wrong.
//!
//! # Invariants
//!
//! - A body goes into guarded memory, and is in no log and no answer.
//! - Nothing that is wrong with a body is said before the caller is proven.
//! - A page of the web reaches nothing here: no answer says that it may, a key is in a header that no form can write, and a name that
//!   is not ours is refused before anything else ([`Names`]).

mod console;
mod names;
mod onboard;
mod reply;
mod route;
mod v1;

use std::sync::Arc;
use std::time::Duration;

use broker::{Asked, Inbound, Operate, Outbound, Payload, Worker};
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use model::{Code, Door, Fact, Inputs, Refusal};
use net::body::{Bounds, CollectError, collect_bounded};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits};

use reply::Reply;
use route::{Missing, Route};

pub use names::{Name, Names};

/// The document of the API under `/v1`: OpenAPI 3.1.
#[must_use]
pub fn openapi() -> serde_json::Value {
    v1::document()
}

/// Serves the API until the house drains.
pub async fn serve(
    worker: Arc<Worker>,
    (listener, names): (Listener, Names),
    limits: ServeLimits,
    draining: Draining,
) -> Drained {
    let names = Arc::new(names);
    let service = move |request: Request<Incoming>, peer: Peer| {
        let (worker, names) = (Arc::clone(&worker), Arc::clone(&names));
        async move { answer(&worker, &names, request, &peer).await }
    };
    net::serve(listener, service, limits, draining).await
}

async fn answer(
    worker: &Arc<Worker>,
    names: &Names,
    request: Request<Incoming>,
    peer: &Peer,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let Ok(known) = names.find(&parts) else { return v1::misdirected() };
    if v1::is_own(parts.uri.path()) {
        return v1::answer(worker, (&parts, &known), body, peer).await;
    }
    if let Some(page) = console::answer(&parts) {
        return page;
    }
    // What could not stand in a record is not sent back either.
    let named = parts.headers.get(REQUEST_ID).filter(|id| purpose(id).is_some()).cloned();
    // A refusal and its record have one to be found by in any case.
    let id = named.clone().or_else(|| made(worker));
    if let Some(id) = &id {
        parts.headers.insert(REQUEST_ID, id.clone());
    }
    let reply = match Route::of(&parts.method, parts.uri.path()) {
        Err(Missing::Path) => Reply::nothing(),
        Err(Missing::Method(methods)) => Reply::method(methods),
        Ok(Route::Onboard) => onboard::answer(worker, &parts, body, peer).await,
        Ok(Route::Credential(asked)) => {
            let inputs = asked.inputs();
            let well_shaped = route::is_slug(&asked.tenant);
            match call(worker, (asked.operation, inputs), (&parts, KEY), body, peer).await {
                Err(refusal) if refusal.code == Code::BadRequest && !well_shaped => Reply::slug(),
                // A tenant that such a name can't have has no key either, so this is its own caller's mistake.
                Err(refusal) if refusal.code == Code::Denied && !well_shaped => Reply::slug(),
                result => Reply::of(result, &asked.tenant),
            }
        }
    };
    reply.into_response(id, named.is_some())
}

/// A name for a request that has none: a random UUID (RFC 9562, section 5.4).
fn made(worker: &Worker) -> Option<HeaderValue> {
    let random = u128::from_be_bytes(worker.broker().random().ok()?);
    let number = random & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
    HeaderValue::try_from(parts.join("-")).ok()
}

/// Asks for one operation of the house, with the key in this header.
async fn call(
    worker: &Arc<Worker>,
    (operation, inputs): (&'static str, Inputs),
    (parts, header): (&Parts, &'static str),
    body: Incoming,
    peer: &Peer,
) -> Result<serde_json::Value, Refusal> {
    let payload = carried(body).await?;
    perform(worker, (operation, inputs, payload), (parts, header), peer).await
}

/// The same with what comes with it read already.
async fn perform(
    worker: &Arc<Worker>,
    (operation, inputs, payload): (&'static str, Inputs, Option<Payload>),
    (parts, header): (&Parts, &'static str),
    peer: &Peer,
) -> Result<serde_json::Value, Refusal> {
    let wrong = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
    let mut keys = parts.headers.get_all(header).iter();
    let capability = match (keys.next(), keys.next()) {
        (Some(_), Some(_)) => return Err(Refusal::new(Code::Unauthenticated, "Invalid or inactive API key")),
        (key, _) => key.cloned().map(|mut key| {
            key.set_sensitive(true);
            key
        }),
    };
    let operate =
        Operate::new(HOUSE.parse().map_err(wrong)?, operation.parse().map_err(wrong)?, inputs).with(payload);
    let purpose = parts.headers.get(REQUEST_ID).and_then(purpose);
    let facts = Fact { address: peer.address, purpose, ..Fact::default() };
    let inbound = Inbound { door: Door::Server, facts, capability, asked: Asked::Operate(operate) };
    match worker.call(inbound).await? {
        Outbound::Answer(answer) => Ok(answer.value),
        Outbound::Reply(..) | Outbound::Lease(..) => {
            Err(Refusal::new(Code::OutcomeUnknown, "the operation gave something else than an answer"))
        }
    }
}

/// What came, in guarded memory.
async fn carried(body: Incoming) -> Result<Option<Payload>, Refusal> {
    let bounds = Bounds { bytes: MOST, frame: PATIENCE, whole: PATIENCE };
    let bytes = collect_bounded(body, bounds).await.map_err(|error| {
        let code = if matches!(error, CollectError::TooLarge(_)) { Code::TooLarge } else { Code::BadRequest };
        Refusal::new(code, error.to_string())
    })?;
    if bytes.is_empty() { Ok(None) } else { Payload::new(bytes.to_vec()).map(Some) }
}

/// The caller's own name for the request, where it can stand in a record.
fn purpose(id: &HeaderValue) -> Option<String> {
    let text = id.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (text.len() <= LONGEST_ID && !text.is_empty() && text.bytes().all(plain)).then(|| text.to_owned())
}

const HOUSE: &str = "doorward";
const KEY: &str = "x-api-key";
const ROOT: &str = "x-ca-root-key";
const REQUEST_ID: &str = "x-request-id";
/// More than the largest credential and its metadata, escaped.
const MOST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_ID: usize = 100;
