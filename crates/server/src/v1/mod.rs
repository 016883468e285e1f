//! Doorward's own API, under `/v1`: what the command line does, for programs and for the console.
//!
//! Each route is a line of a table ([`table`]): which operations of Doorward it performs, what it takes, what it gives. The router
//! and the document at `/v1/openapi.json` are made of the same table, so neither says what the other does not.
//!
//! Who it is, whether that is allowed and how often is decided behind this door, down the one path, with evidence. What is here:
//! paths, methods, JSON, pages of lists, `ETag`, cookies.
//!
//! # Invariants
//!
//! - What the table does not name is refused: a path, a method, a member of a body, a word of a query.
//! - Nothing that is wrong with a body is said before the caller is proven.
//! - A secret comes in and never goes out but in the four answers that make one: a key, a capability, its narrowing, the two halves
//!   of a session.
//! - No answer lets a page of another origin read it.

mod asked;
mod caller;
mod find;
mod metrics;
mod oidc;
mod openapi;
mod page;
mod problem;
mod reply;
mod route;
mod session;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::once::{Done, Once};
use broker::{Answer, Outbound, Payload, Welcome, Worker, presented};
use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use model::{Code, Fact, Inputs, Refusal};
use net::body::{Bounds, CollectError, collect_bounded};
use net::{Body, Peer};
use zeroize::Zeroizing;

use asked::Asked;
use find::Found;
use problem::{Problem, Wrong};
use reply::Reply;
use route::{Does, Gives, Pages, Route};

use crate::PATIENCE;
use crate::names::Known;

pub(crate) use openapi::document;

/// Whether a path is one of this API.
pub(crate) fn is_own(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// Answers one request.
pub(crate) async fn answer(
    worker: &Arc<Worker>,
    (parts, known): (&Parts, &Known),
    body: Incoming,
    peer: &Peer,
) -> Response<Body> {
    let (route, places) = match find::find(parts.method.as_str(), parts.uri.path()) {
        Found::Route(route, places) => (route, places),
        Found::Methods(methods) if parts.method == http::Method::OPTIONS => return reply::options(&methods),
        Found::Methods(methods) => return reply::finished(Problem::method(&methods).into_response()),
        Found::Nothing => return reply::finished(Problem::nothing().into_response()),
    };
    let asking = Asking { worker, parts, known, peer };
    let result = match route.does {
        Does::Document => Ok(Reply::document()),
        Does::Index => Ok(Reply::index()),
        Does::Ways => Ok(session::ways(&asking)),
        Does::SignInElsewhere => oidc::begin(&asking).await,
        Does::ComeBack => oidc::end(&asking).await,
        Does::SignIn => session::sign_in(&asking, route, body).await,
        Does::SignOut => session::sign_out(&asking, body).await,
        Does::Operation(operation) => performed(&asking, (route, operation), &places, body).await,
    };
    let reply = match result {
        Ok(reply) => reply.into_response(parts),
        Err(problem) => problem.into_response(),
    };
    reply::finished(reply)
}

/// Refuses whoever asks under a name that is not ours.
pub(crate) fn misdirected() -> Response<Body> {
    reply::finished(Problem::misdirected().into_response())
}

/// Who asks, by which connection, under which name of ours.
pub(crate) struct Asking<'a> {
    worker: &'a Arc<Worker>,
    parts: &'a Parts,
    known: &'a Known,
    peer: &'a Peer,
}

/// Performs the operation of a route.
async fn performed(
    asking: &Asking<'_>,
    (route, operation): (&'static Route, &'static str),
    places: &BTreeMap<&'static str, String>,
    body: Incoming,
) -> Result<Reply, Problem> {
    let proof = caller::presented(asking.parts, asking.known).map_err(Problem::of)?;
    let welcome = welcomed(asking, proof.as_ref(), "session.show").await?;
    let bytes = collected(asking.parts, body).await?;
    let mut asked = Asked::read(route, places, (asking.parts.uri.query(), &asking.parts.headers), &bytes)?;
    let (mut inputs, payload) = (std::mem::take(&mut asked.inputs), asked.payload.take());
    let cursors = asking.worker.cursors(&welcome, route.id).map_err(Problem::of)?;
    if let Gives::List(list) = &route.gives
        && list.pages == Pages::Operation
    {
        inputs.insert("limit".to_owned(), asked.limit.to_string());
        if let Some(cursor) = &asked.cursor {
            inputs.insert("before".to_owned(), cursors.read(cursor).map_err(Problem::of)?);
        }
    }
    let wanted = (operation, inputs, payload);
    let (answer, again) = match once(asking, route, &bytes)? {
        None => (call(asking, proof, wanted).await, false),
        Some(once) => {
            let inbound = broker::inbound_of_api(facts(asking)?, proof, wanted).map_err(Problem::of)?;
            match asking.worker.call_once(inbound, &welcome, once).await {
                Ok(Done { answer, again }) => (Ok(answer), again),
                Err(refusal) => (Err(refusal), false),
            }
        }
    };
    let answer = answer.map_err(|refusal| {
        let problem = Problem::of(refusal);
        if route.id == "putPolicy" { problem.placed("text") } else { problem }
    })?;
    let reply = reply::shaped(route, answer, (&asked, &cursors))?.within(welcome.quota());
    Ok(if again { reply.with(REPLAYED, HeaderValue::from_static("true")) } else { reply })
}

/// The key under which a request is performed once, where its caller gave one.
fn once(asking: &Asking<'_>, route: &Route, body: &[u8]) -> Result<Option<Once>, Problem> {
    let mut keys = asking.parts.headers.get_all(ONCE).iter();
    let (Some(key), another) = (keys.next(), keys.next()) else { return Ok(None) };
    if !openapi::takes_key(route) {
        // A read; where anything else is done, it was refused.
        return Ok(None);
    }
    // The draft of the IETF writes it as a string of a structured field, with quotes around it; most clients write it bare.
    let bare =
        |text| str::strip_prefix(text, '"').and_then(|rest: &str| rest.strip_suffix('"')).unwrap_or(text);
    let text = key.to_str().ok().map(bare).filter(|_| another.is_none());
    let fits = |text: &&str| (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let text = text.filter(fits).ok_or_else(|| {
        let what = "is 1 to 255 letters, digits and signs of ASCII without white space, once";
        Problem::wrong(vec![Wrong::field("Idempotency-Key", what)])
    })?;
    let target = asking.parts.uri.path_and_query().map_or("", |target| target.as_str());
    let about = vec![route.id.into(), target.into(), body.to_vec()];
    Ok(Some(Once { key: text.to_owned(), about }))
}

/// Sees that somebody is known before anything is read of what they want. Who is not, is refused by the path, and on record.
async fn welcomed(
    asking: &Asking<'_>,
    proof: Option<&HeaderValue>,
    operation: &str,
) -> Result<Welcome, Problem> {
    let refusal = match asking.worker.welcome(&facts(asking)?, proof, operation).await {
        Ok(welcome) => return Ok(welcome),
        Err(refusal) if refusal.code == Code::RateLimited => return Err(Problem::of(refusal)),
        Err(refusal) => refusal,
    };
    let recorded = call(asking, proof.cloned(), (operation, Inputs::new(), None)).await;
    Err(Problem::of(recorded.err().unwrap_or(refusal)))
}

/// Asks for one operation of the house.
async fn call(
    asking: &Asking<'_>,
    proof: Option<HeaderValue>,
    wanted: (&str, Inputs, Option<Payload>),
) -> Result<Answer, Refusal> {
    let facts = facts(asking).map_err(Problem::into_refusal)?;
    match asking.worker.call(broker::inbound_of_api(facts, proof, wanted)?).await? {
        Outbound::Answer(answer) => Ok(answer),
        Outbound::Reply(..) | Outbound::Lease(..) => {
            Err(Refusal::new(Code::OutcomeUnknown, "the operation gave something else than an answer"))
        }
    }
}

/// What is known of the connection, and what the caller says of approvals.
fn facts(asking: &Asking<'_>) -> Result<Fact, Problem> {
    let headers = &asking.parts.headers;
    let claims = presented::claims(headers).map_err(Problem::of)?;
    let purpose = headers.get(crate::REQUEST_ID).and_then(crate::purpose);
    Ok(Fact { address: asking.peer.address, purpose, claims, ..Fact::default() })
}

/// The body, which is JSON where there is one: what a form of another page could send is none.
async fn collected(parts: &Parts, body: Incoming) -> Result<Collected, Problem> {
    let bounds = Bounds { bytes: MOST, frame: PATIENCE, whole: PATIENCE };
    let bytes = collect_bounded(body, bounds).await.map_err(|error| {
        let code = if matches!(error, CollectError::TooLarge(_)) { Code::TooLarge } else { Code::BadRequest };
        Problem::of(Refusal::new(code, error.to_string()))
    })?;
    let read = Collected(Zeroizing::new(bytes.to_vec()));
    if read.is_empty() {
        return Ok(read);
    }
    let named = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = named.and_then(|named| named.split(';').next()).map(str::trim);
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Ok(read),
        _ => {
            let refusal = Refusal::new(Code::BadRequest, "a body has to be `Content-Type: application/json`");
            Err(Problem::of(refusal).status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

/// A body, wiped when it was read.
struct Collected(Zeroizing<Vec<u8>>);

impl std::ops::Deref for Collected {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

const ONCE: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// More than the largest credential and its metadata, escaped.
const MOST: usize = 1 << 20;
