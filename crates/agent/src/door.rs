//! The door itself: reads a request, hands it on, prints what comes back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use broker::{Answer, Asked, Inbound, Operate, Outbound, Payload, State, Worker, presented};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use model::{Clock, Code, Door, Fact, Inputs, Refusal, RunId, Target};
use net::{Body, Drain, Drained, Draining, Listener, Peer, ServeLimits, problem};
use serde_json::{Value, json};

use crate::gauges::Gauges;
use crate::holder::Still;
use crate::limits::{Buckets, Limits};
use crate::lines::{Dialect, seen};
use crate::owner::Owner;
use crate::payload;
use crate::routes::{self, Route, Unrouted};
use crate::runs::{Known, Runs};
use crate::wishes::Wishes;

/// An unsealing that is under way.
pub type Unsealing = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;
/// Unseals the broker with a passphrase. Given by the wiring, which knows the home.
pub type Unseal = Arc<dyn Fn(Payload) -> Unsealing + Send + Sync>;

/// A reading of files that is under way; what it gives is the payload of the answer.
pub type Reloading = Pin<Box<dyn Future<Output = Result<Value, Refusal>> + Send>>;

/// What the owner may tell the house to do. Given by the wiring, which knows files and settings.
#[derive(Clone)]
pub struct Control {
    /// How the broker is unsealed.
    pub unseal: Unseal,
    /// Reads the files again; a bad one keeps the former set.
    pub reload: Arc<dyn Fn() -> Reloading + Send + Sync>,
    /// The settings that are in force.
    pub config: Arc<dyn Fn() -> Value + Send + Sync>,
    /// How many policies are in force, and since when.
    pub policies: Arc<dyn Fn() -> Value + Send + Sync>,
    /// Stops the house.
    pub drain: Arc<Drain>,
}

/// The door on a Unix socket.
#[derive(Clone)]
pub struct Socket {
    /// What its owner may tell the house.
    pub control: Control,
    /// The doors that are open, by name, for whoever asks where they are: `gateway`, `metrics`.
    pub doors: BTreeMap<String, String>,
    /// Where this socket is.
    pub path: PathBuf,
    /// Limits of the line protocol.
    pub limits: Limits,
    /// What is counted; all sockets of a house share it.
    pub gauges: Arc<Gauges>,
    /// The time that answers carry.
    pub clock: Arc<dyn Clock>,
    /// The runs that are open; all sockets of a house share them.
    pub runs: Arc<Runs>,
}

impl Socket {
    /// Serves the door until the house drains.
    pub async fn serve(
        &self,
        worker: Arc<Worker>,
        listener: Listener,
        limits: ServeLimits,
        draining: Draining,
    ) -> Drained {
        let owner = rustix::process::geteuid().as_raw();
        let buckets = Buckets::default();
        let wishes = Wishes::new(Arc::clone(&worker), draining.clone());
        let waits = wishes.clone();
        let agent = Arc::new(Agent { socket: self.clone(), worker, owner, buckets, over: None, wishes });
        // Some more than the line protocol may have, so that one too many is told so, and HTTP has room.
        let limits = ServeLimits { connections: self.limits.connections + SPARE, ..limits };
        let grace = limits.grace;
        let drained = agent.carry(listener, limits, draining).await;
        waits.ended(grace).await;
        drained
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("path", &self.path).field("doors", &self.doors).finish_non_exhaustive()
    }
}

/// One socket that is served.
pub(crate) struct Agent {
    pub(crate) socket: Socket,
    pub(crate) worker: Arc<Worker>,
    pub(crate) owner: u32,
    pub(crate) buckets: Buckets,
    /// The run whose socket it is.
    pub(crate) over: Option<RunId>,
    pub(crate) wishes: Wishes,
}

impl Agent {
    /// Serves one socket.
    pub(crate) async fn carry(
        self: Arc<Self>,
        listener: Listener,
        limits: ServeLimits,
        draining: Draining,
    ) -> Drained {
        let lines = Dialect(Arc::clone(&self));
        let service = move |request, peer: Peer| {
            let agent = Arc::clone(&self);
            async move { agent.answer(request, &peer).await }
        };
        net::serve_lines(listener, service, lines, limits, draining).await
    }

    /// The same house at the socket of a run.
    pub(crate) fn over_run(&self, run: RunId) -> Self {
        let (socket, worker) = (self.socket.clone(), Arc::clone(&self.worker));
        let (owner, buckets, wishes) = (self.owner, Buckets::default(), self.wishes.clone());
        Self { socket, worker, owner, buckets, over: Some(run), wishes }
    }

    /// The user of a peer that shares connections with others: neither the owner nor root, who could stop the agent anyway.
    pub(crate) fn shared(&self, peer: &Peer) -> Option<u32> {
        let uid = peer.process.as_ref()?.uid;
        (uid != self.owner && uid != 0).then_some(uid)
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: &Peer) -> Response<Body> {
        let version = request.version();
        let mut reply = match self.routed(request, peer).await {
            Ok(reply) => reply,
            Err(Unrouted::Refused(refusal)) => {
                // What has a record was an operation, or is on record as one that was refused.
                if refusal.evidence.is_none() {
                    self.worker.broker().audit_refused(Door::Socket, &seen(peer), None, &refusal).await;
                }
                problem::reply(&refusal)
            }
            Err(Unrouted::Method(allowed)) => {
                let refusal = Refusal::new(Code::BadRequest, "the method is not served under this path")
                    .hint(format!("send {allowed}"));
                let mut reply = problem::reply_as(&refusal, StatusCode::METHOD_NOT_ALLOWED);
                reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
                reply
            }
        };
        if version <= Version::HTTP_11 && reply.status() != StatusCode::SWITCHING_PROTOCOLS {
            reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }

    async fn routed(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: &Peer,
    ) -> Result<Response<Body>, Unrouted> {
        let (mut parts, body) = request.into_parts();
        let target: Target =
            parts
                .uri
                .path_and_query()
                .map_or("", http::uri::PathAndQuery::as_str)
                .parse()
                .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, unquoted(&error)))?;
        let known =
            Known::of(peer, self.worker.broker().program_needs(), &self.socket.runs, self.over).await?;
        if let Route::Wish = routes::read(&parts.method, &target)? {
            let owner = Owner::alone(&known.holder(), self.owner)?;
            return Ok(self.wishes.begin(owner, &mut parts, known)?);
        }
        let reply = self.done((&known, peer), parts, &target, body).await?;
        // Whoever asked may be gone by now, and somebody else hold the socket.
        let Still { .. } = known.still()?;
        Ok(reply)
    }

    async fn done(
        self: &Arc<Self>,
        (known, peer): (&Known, &Peer),
        parts: Parts,
        target: &Target,
        body: Incoming,
    ) -> Result<Response<Body>, Unrouted> {
        match routes::read(&parts.method, target)? {
            Route::Operate(integration, operation, mut inputs) => {
                let mut payload = payload::read(body).await?;
                // Doorward's own operations take what comes with them as it is.
                if integration.as_str() != "doorward"
                    && states_inputs(&parts.headers)
                    && let Some(stated) = payload.take()
                {
                    join(&mut inputs, broker::inputs_of(stated.text()?.as_bytes())?)?;
                }
                let operate = Operate::new(integration, operation, inputs).with(payload);
                let facts = Fact { holder: known.holder(), ..Fact::default() };
                Ok(self.operate(&parts.headers, facts, operate).await?)
            }
            Route::Offers => {
                let capability = presented::capability(&parts.headers)?.ok_or_else(|| {
                    Refusal::new(Code::Unauthenticated, "no capability was presented")
                        .hint("send one as `Authorization: Bearer cap1_...`")
                })?;
                let facts = Fact { holder: known.holder(), ..Fact::default() };
                Ok(json_reply(&self.worker.offers(Door::Socket, facts, capability)?))
            }
            Route::Status => Ok(json_reply(&status(self.worker.broker().state(), &self.socket.doors))),
            Route::Metrics => Ok(metrics(self.worker.broker().metrics_text())),
            Route::Open(wanted) => Ok(json_reply(&self.open_run((known, peer), wanted, body).await?)),
            Route::End(run) => Ok(json_reply(&self.end_run(known, run)?)),
            Route::Forward(integration, target) => {
                match self.forward(known, parts, (integration, target), body).await? {
                    Outbound::Reply(evidence, mut reply) => {
                        problem::mark(reply.headers_mut(), evidence);
                        Ok(*reply)
                    }
                    // Nothing that is forwarded mints a lease; one that came all the same stays here.
                    Outbound::Answer(answer) | Outbound::Lease(answer, _) => Ok(json_reply(&answer.value)),
                }
            }
            Route::Unseal => {
                let Owner { .. } = Owner::proven(&known.holder(), self.owner)?;
                let passphrase = payload::read(body).await?.ok_or_else(no_passphrase)?;
                (self.socket.control.unseal)(passphrase).await?;
                Ok(json_reply(&json!({ "state": word(self.worker.broker().state()) })))
            }
            Route::Drain => {
                let Owner { .. } = Owner::proven(&known.holder(), self.owner)?;
                self.socket.control.drain.start();
                Ok(json_reply(&json!({ "draining": true })))
            }
            // A connection that ends as HTTP; it was taken before this.
            Route::Wish => Err(Refusal::new(Code::BadRequest, "the connection was taken already").into()),
        }
    }

    async fn operate(
        &self,
        headers: &HeaderMap,
        mut facts: Fact,
        operate: Operate,
    ) -> Result<Response<Body>, Refusal> {
        let capability = presented::capability(headers)?;
        facts.claims = presented::claims(headers)?;
        let inbound = Inbound { door: Door::Socket, facts, capability, asked: Asked::Operate(operate) };
        match self.worker.call(inbound).await? {
            Outbound::Answer(Answer { evidence, value, failed }) => {
                let mut reply = json_reply(&json!({ "evidence": evidence, "answer": value }));
                if failed {
                    *reply.status_mut() = StatusCode::BAD_GATEWAY;
                }
                problem::mark(reply.headers_mut(), evidence);
                Ok(reply)
            }
            Outbound::Lease(answer, lease) => {
                let mut reply = Response::new(Body::full(broker::mint::spoken(&answer, &lease)?));
                reply
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                problem::mark(reply.headers_mut(), answer.evidence);
                Ok(reply)
            }
            Outbound::Reply(evidence, mut reply) => {
                problem::mark(reply.headers_mut(), evidence);
                Ok(*reply)
            }
        }
    }
}

/// Whether the body is JSON.
fn states_inputs(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

/// Inputs of the query and of the body; one that is in both has two readings.
fn join(inputs: &mut Inputs, stated: Inputs) -> Result<(), Refusal> {
    for (name, value) in stated {
        if inputs.contains_key(&name) {
            return Err(Refusal::new(
                Code::BadRequest,
                format!("the input `{name}` is there more than once"),
            ));
        }
        inputs.insert(name, value);
    }
    Ok(())
}

fn status(state: State, doors: &BTreeMap<String, String>) -> serde_json::Value {
    json!({
        "state": word(state),
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "doors": doors,
    })
}

const fn word(state: State) -> &'static str {
    match state {
        State::Sealed => "sealed",
        State::Unsealed => "unsealed",
    }
}

fn json_reply(value: &serde_json::Value) -> Response<Body> {
    text_reply(value.to_string(), HeaderValue::from_static("application/json"))
}

fn metrics(text: String) -> Response<Body> {
    text_reply(text, HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"))
}

fn text_reply(text: String, content_type: HeaderValue) -> Response<Body> {
    let mut reply = Response::new(Body::full(text));
    reply.headers_mut().insert(header::CONTENT_TYPE, content_type);
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// What is wrong with a target, without the target: somebody may have put a secret there by mistake.
fn unquoted(error: &model::ParseError) -> String {
    format!("the request target is malformed: expected {}", error.expected())
}

fn no_passphrase() -> Refusal {
    Refusal::new(Code::BadRequest, "there is no passphrase in the request").hint("send it as the body")
}

/// Connections beside those of the line protocol.
const SPARE: usize = 28;

#[cfg(test)]
mod tests;
