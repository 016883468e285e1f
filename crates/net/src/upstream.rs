//! Sends requests to upstreams over pooled connections.
//!
//! # Invariants
//!
//! - The framing of a request is derived from its body; `Host`, `:authority` and the form of its target from [`Dial`].
//! - A request is sent again only when the connection gives it back unsent, once, and on a fresh connection.
//! - Nothing is dialled but what a call asks for, and only through the guard.

use std::sync::Arc;
use std::time::Duration;

use http::uri::{PathAndQuery, Scheme as UriScheme, Uri};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use model::{Authority, Scheme};
use tokio::time::{Instant, timeout_at};

use crate::pool::{Channel, Knowledge, Pool, Slot, Waiting};
use crate::tls::Outbound;
use crate::{Body, Error, Incoming, Names, Private, Sent, Way, grpc, headers};

mod open;
mod patience;
mod switch;

pub(crate) use open::connect;
pub use patience::Patience;
use patience::Told;

/// The connections of one thread to all upstreams. Make one per runtime.
#[derive(Debug)]
pub struct Upstream {
    pool: Arc<Pool>,
    tls: Outbound,
    names: Names,
}

/// How an [`Upstream`] is set up.
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// Whom we trust; made once, shared by all threads.
    pub tls: Outbound,
    /// Most connections that wait for each upstream.
    pub idle: usize,
    /// How long they wait; shorter than upstreams do, so that it is us who close.
    pub idle_for: Duration,
    /// Where names are looked up.
    pub names: Names,
}

impl UpstreamConfig {
    /// 64 connections for 55 seconds, names from the system.
    #[must_use]
    pub const fn new(tls: Outbound) -> Self {
        Self { tls, idle: 64, idle_for: Duration::from_secs(55), names: Names::System }
    }
}

/// Where a request goes. The credential that it carries is bound to exactly this.
#[derive(Debug, Clone)]
pub struct Dial {
    /// Scheme, host and port.
    pub authority: Authority,
    /// Whether loopback and private addresses are allowed.
    pub private: Private,
    /// Whether the upstream's certificate is checked.
    pub verify: Verify,
    /// Longest time for look-up, connection and TLS handshake together.
    pub connect: Duration,
    /// What else is known of it. Connections of one way are never used for another, nor for none.
    pub way: Option<Arc<Way>>,
}

/// Whether an upstream's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verify {
    /// It is, against the roots and the host name.
    Checked,
    /// It is not. Anybody on the way can read the credential.
    Skipped,
}

impl Upstream {
    /// An empty pool. It may be made outside the runtime that uses it.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn new(config: UpstreamConfig) -> Result<Self, Error> {
        let UpstreamConfig { tls, idle, idle_for, names } = config;
        if idle_for.is_zero() {
            return Err(Error::Request("the time that connections wait is zero"));
        }
        Ok(Self { pool: Pool::new(Waiting { most: idle, longest: idle_for }), tls, names })
    }

    /// Sends one request and waits for the head of the reply, at most as long as `head` says from the moment when a connection is there.
    /// The request is best boxed: it is passed on several times, and moved each time.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::sent`] tells whether the request may have arrived.
    pub async fn send(
        &self,
        dial: &Dial,
        request: impl Into<Box<Request<Body>>>,
        head: impl Into<Patience>,
    ) -> Result<Response<Incoming>, Error> {
        let (request, head) = (request.into(), head.into());
        match dial.way.as_deref().and_then(Way::places) {
            None => self.exchange(dial, request, head).await,
            // Boxed, as it is rare, and would make every other call larger.
            Some(places) => {
                Box::pin(async move {
                    let place = places.take(dial).await?;
                    let reply = self.exchange(dial, request, head).await?;
                    Ok(reply.map(|body| body.holding(place)))
                })
                .await
            }
        }
    }

    async fn exchange(
        &self,
        dial: &Dial,
        mut request: Box<Request<Body>>,
        head: Patience,
    ) -> Result<Response<Incoming>, Error> {
        let path = sendable(&mut request)?;
        let slot = self.pool.slot(dial, Knowledge::of(dial, &request))?;
        let mut channel = match slot.take().await {
            Some(channel) => channel,
            // Boxed, as it is large and rare: a future is moved whole with every request.
            None => Box::pin(self.dial(&slot, dial)).await?,
        };
        let told = head.follows().then(|| Told::of(&mut request));
        let mut deadline = Instant::now() + head.total();
        let mut attempt = Attempt::First;
        loop {
            address(&mut request, &path, (dial, &slot), &channel)?;
            let answer = match &told {
                None => exchange(&mut channel, request, deadline).await,
                // Boxed, as it is large and rare.
                Some(told) => {
                    let patiently = told.patiently(exchange(&mut channel, request, deadline), head);
                    Box::pin(patiently).await.unwrap_or(Err(Failed::Timeout))
                }
            };
            match answer {
                Ok(reply) => {
                    check_reply(dial, &reply)?;
                    return Ok(reply.map(|body| slot.lend(body, channel)));
                }
                Err(Failed::Timeout) => {
                    return Err(Error::Timeout { upstream: shown(dial), sent: Sent::Maybe });
                }
                Err(Failed::Broken(source)) => return Err(broken(dial, source, told.as_deref())),
                // The connection was closed while it waited, before it took the request.
                Err(Failed::Unsent(given_back, source)) => {
                    if attempt == Attempt::Second {
                        return Err(Error::Closed { upstream: shown(dial), sent: Sent::Nothing, source });
                    }
                    attempt = Attempt::Second;
                    request = given_back;
                    channel = Box::pin(self.dial(&slot, dial)).await?;
                    deadline = Instant::now() + head.total();
                    told.iter().for_each(|told| told.took());
                }
            }
        }
    }
}

/// Checks and strips what the caller of [`Upstream::send`] has no say in; gives path and query apart.
fn sendable(request: &mut Request<Body>) -> Result<PathAndQuery, Error> {
    // TRACE sends the credential back to whoever asked, CONNECT makes a tunnel that nobody looks into.
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Error::Request("`CONNECT` and `TRACE` are never sent"));
    }
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    if !path.as_str().starts_with('/') {
        return Err(Error::Request("the target is not a path"));
    }
    let body = request.body();
    let bodiless = matches!(*request.method(), Method::GET | Method::HEAD);
    if bodiless && !body.is_end_stream() && body.size_hint().exact().is_none() {
        // The HTTP library would silently send it without its body.
        return Err(Error::Request("`GET` and `HEAD` have no body of unknown length"));
    }
    let headers = request.headers_mut();
    headers::remove(headers, &header::CONTENT_LENGTH);
    headers::remove(headers, &header::TRANSFER_ENCODING);
    Ok(path)
}

/// Writes the upstream's own name and the right form of the target on the request.
fn address(
    request: &mut Request<Body>,
    path: &PathAndQuery,
    (dial, slot): (&Dial, &Slot),
    channel: &Channel,
) -> Result<(), Error> {
    match channel {
        Channel::Http1(_) => {
            *request.version_mut() = Version::HTTP_11;
            request.headers_mut().insert(header::HOST, slot.host.clone());
            if request.uri().scheme().is_some() || request.uri().authority().is_some() {
                *request.uri_mut() = Uri::from(path.clone());
            }
        }
        Channel::Http2(..) => {
            *request.version_mut() = Version::HTTP_2;
            request.headers_mut().remove(header::HOST);
            request.headers_mut().remove(header::CONNECTION);
            if grpc::is(request.headers()) {
                // Of one hop, and so it is ours to say; services of gRPC answer nobody who does not.
                request.headers_mut().insert(header::TE, HeaderValue::from_static("trailers"));
            }
            let mut parts = http::uri::Parts::default();
            parts.scheme = Some(match dial.authority.scheme() {
                Scheme::Http => UriScheme::HTTP,
                Scheme::Https => UriScheme::HTTPS,
            });
            parts.authority = Some(slot.authority.clone());
            parts.path_and_query = Some(path.clone());
            *request.uri_mut() =
                Uri::from_parts(parts).map_err(|_| Error::Request("the target is malformed"))?;
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Second,
}

/// Why there is no reply on this connection.
enum Failed {
    Timeout,
    Unsent(Box<Request<Body>>, hyper::Error),
    Broken(hyper::Error),
}

async fn exchange(
    channel: &mut Channel,
    request: Box<Request<Body>>,
    deadline: Instant,
) -> Result<Response<hyper::body::Incoming>, Failed> {
    let answer = match channel {
        Channel::Http1(sender) => timeout_at(deadline, sender.try_send_request(*request)).await,
        Channel::Http2(sender, _) => timeout_at(deadline, sender.try_send_request(*request)).await,
    };
    match answer {
        Err(_) => Err(Failed::Timeout),
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(mut error)) => Err(match error.take_message() {
            Some(request) => Failed::Unsent(Box::new(request), error.into_error()),
            None => Failed::Broken(error.into_error()),
        }),
    }
}

/// A reply has one framing, and is the end of the exchange.
fn check_reply(dial: &Dial, reply: &Response<hyper::body::Incoming>) -> Result<(), Error> {
    let refuse = |what| Err(Error::Protocol { upstream: shown(dial), what, source: None });
    if reply.status() == StatusCode::SWITCHING_PROTOCOLS {
        return refuse("a change of protocol that nobody asked for");
    }
    let headers = reply.headers();
    let mut lengths = headers::all(headers, &header::CONTENT_LENGTH);
    let length = lengths.next();
    if lengths.next().is_some() {
        return refuse("more than one `content-length`");
    }
    let mut codings = headers::all(headers, &header::TRANSFER_ENCODING);
    let Some(coding) = codings.next() else { return Ok(()) };
    if length.is_some() {
        return refuse("`content-length` beside `transfer-encoding`");
    }
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return refuse("a `transfer-encoding` other than `chunked`");
    }
    Ok(())
}

fn broken(dial: &Dial, source: hyper::Error, told: Option<&Told>) -> Error {
    let upstream = shown(dial);
    if let Some(why) = patience::cut(&source, told) {
        return Error::Upload { upstream, why };
    }
    if source.is_parse() {
        return Error::Protocol { upstream, what: "malformed HTTP", source: Some(source) };
    }
    Error::Closed { upstream, sent: Sent::Maybe, source }
}

fn shown(dial: &Dial) -> Box<str> {
    dial.authority.to_string().into()
}

#[cfg(test)]
mod tests;
