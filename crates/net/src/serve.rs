//! Serves a door: accepts, limits, checks the head of every request, and drains.
//!
//! # Invariants
//!
//! - A service sees a request only when its head is well formed and its framing has one reading.
//! - Who is at the other end comes from the kernel. Where the kernel does not say who holds a Unix socket, or somebody else
//!   writes to it than who connected, the connection is closed.
//! - Every phase of a connection has a limit: TLS handshake, first head, each further head, a reply that nobody takes.
//! - All connection tasks are owned by the call of [`serve`], and none outlives it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use hyper::ext::ReasonPhrase;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use model::{Code, Refusal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;

use crate::fellow::Handed;
use crate::listen::Kind;
use crate::{Body, Draining, FromPeer, Listener, Peer, headers, problem, tls};

mod connection;
mod dialect;
mod lent;
mod taken;
mod transport;

pub use dialect::Lines;
use dialect::NoLines;
pub use lent::gave_back;
pub(crate) use taken::Taken;
pub use taken::TakesOver;
use transport::{Accepted, Transport};

/// Limits of a door.
#[derive(Debug, Clone)]
pub struct ServeLimits {
    /// Most connections at a time; more wait in the kernel's queue.
    pub connections: usize,
    /// Longest time for the head of a request, and so for an idle connection.
    pub head: Duration,
    /// Longest time for a whole request from the end of its head, where there is such a time. The service holds it: some read bodies by
    /// bounds of their own.
    pub whole: Option<Duration>,
    /// Most headers of a request.
    pub headers: usize,
    /// Most bytes of a request's head; at least 8192.
    pub head_bytes: usize,
    /// Longest time for a TLS handshake.
    pub handshake: Duration,
    /// Most requests at a time on one HTTP/2 connection.
    pub streams: u32,
    /// Longest time in which a caller may take nothing of a reply.
    pub write_stall: Duration,
    /// How long connections may end in their own time when the house drains.
    pub grace: Duration,
    /// How long nothing is asked over a connection until it gives its buffers back; at most twice that.
    pub quiet: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 10_240,
            head: Duration::from_secs(30),
            whole: None,
            headers: LIBRARY_HEADERS,
            head_bytes: 64 * 1024,
            handshake: Duration::from_secs(10),
            streams: 128,
            write_stall: Duration::from_secs(60),
            grace: Duration::from_secs(20),
            quiet: Duration::from_secs(1),
        }
    }
}

/// How a door closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because the grace was over.
    pub cut: usize,
}

/// Serves a door until the house drains; then stops accepting, lets connections end within the grace, and cuts the rest.
pub async fn serve<S, F>(listener: Listener, service: S, limits: ServeLimits, draining: Draining) -> Drained
where
    S: Fn(Request<hyper::body::Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    serve_lines(listener, service, NoLines, limits, draining).await
}

/// The same for a Unix socket on which programs may speak lines of JSON instead of HTTP: the first byte of a connection says
/// which it is.
pub async fn serve_lines<S, F, L>(
    mut listener: Listener,
    service: S,
    lines: L,
    limits: ServeLimits,
    mut draining: Draining,
) -> Drained
where
    S: Fn(Request<hyper::body::Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
    L: Lines,
{
    let grace = limits.grace;
    let service: Service = Arc::new(move |request, peer| Box::pin(service(request, peer)));
    let door = Door { builder: builder(&limits), limits, service, draining: draining.clone() };
    let mut tasks = JoinSet::new();
    let mut pause = PAUSE_FIRST;
    let mut handed = listener.handed.take();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = draining.started() => break,
            _ = beat.tick() => {}
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            accepted = accept(&listener.kind, &mut handed), if tasks.len() < door.limits.connections => match accepted {
                Ok((stream, peer)) => {
                    pause = PAUSE_FIRST;
                    let Some(place) = lines.place(&peer, door.limits.connections) else { continue };
                    // One whole task for each connection, `door-connection`, which this function drains.
                    let carried = carry(door.clone(), lines.clone(), stream, peer, listener.tls.clone());
                    tasks.spawn(async move {
                        carried.await;
                        drop(place);
                    });
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of descriptors or memory: accepting again at once would only spin.
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::select! {
                        () = draining.started() => break,
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MOST),
                    }
                }
            },
        }
    }
    listener.close();
    let ended = tokio::time::timeout(grace, async { while tasks.join_next().await.is_some() {} }).await;
    let cut = if ended.is_ok() { 0 } else { tasks.len() };
    tasks.shutdown().await;
    Drained { cut }
}

/// One connection, to its end: TLS where the door has it, else lines or HTTP as the first byte says.
async fn carry<L: Lines>(
    door: Door,
    lines: L,
    stream: Accepted,
    mut peer: Peer,
    tls: Option<tokio_rustls::TlsAcceptor>,
) {
    match (stream, tls) {
        (stream, Some(tls)) => {
            if let Some(stream) = door.secured(tls, stream, &mut peer).await {
                door.connection(Transport::Secured(Box::new(stream)), peer).await;
            }
        }
        (Accepted::Unix(stream), None) => match door.first_byte(&stream, lines.patience()).await {
            Some(byte) if L::begins_with(byte) => lines.carry(stream, peer, door.draining).await,
            Some(_) => door.connection(Transport::Plain(Accepted::Unix(stream)), peer).await,
            None => {}
        },
        (stream, None) => door.connection(Transport::Plain(stream), peer).await,
    }
}

/// Who answers at a door, as one type: the HTTP library's server is compiled for each type of service and of its future.
type Service = Arc<dyn Fn(Request<hyper::body::Incoming>, Peer) -> Answering + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// What every connection of a door shares.
#[derive(Clone)]
struct Door {
    builder: auto::Builder<TokioExecutor>,
    limits: ServeLimits,
    service: Service,
    draining: Draining,
}

impl Door {
    /// The first byte of a connection; `None` where none came in time, or the house drains: nothing was asked yet, so
    /// nothing is lost.
    async fn first_byte(&self, stream: &FromPeer, patience: Option<Duration>) -> Option<u8> {
        let mut draining = self.draining.clone();
        let patience = patience.unwrap_or(self.limits.head);
        tokio::select! {
            biased;
            first = tokio::time::timeout(patience, stream.first_byte()) => first.ok()?.ok()?,
            () = draining.started() => None,
        }
    }

    /// The handshake; `None` where it fails. Whose certificate was shown is noted of the peer.
    async fn secured(
        &self,
        tls: tokio_rustls::TlsAcceptor,
        stream: Accepted,
        peer: &mut Peer,
    ) -> Option<TlsStream<Accepted>> {
        match tokio::time::timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                peer.certificate = stream.get_ref().1.peer_certificates().and_then(tls::shown);
                return Some(stream);
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake of a caller failed"),
            Err(_) => tracing::debug!("TLS handshake of a caller took too long"),
        }
        None
    }
}

/// Answers one request: the service's answer, or 400 where the head has more than one reading.
async fn answer(
    service: Service,
    request: Request<hyper::body::Incoming>,
    peer: Peer,
    taken: Arc<Taken>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Err(reason) = headers::well_formed(&parts).map(|_| ()) {
        tracing::debug!(%reason, "a request was malformed");
        let refusal =
            Refusal::new(Code::BadRequest, format!("the head of the request has no one reading: {reason}"));
        let unserved = matches!(reason, headers::Malformed::Method);
        let status = if unserved { StatusCode::METHOD_NOT_ALLOWED } else { problem::status(refusal.code) };
        let mut refused = problem::reply_as(&refusal, status);
        if unserved {
            refused.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(SERVED));
        }
        if parts.version <= http::Version::HTTP_11 {
            refused.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        return refused;
    }
    let mut reply = service(Request::from_parts(parts, body), peer).await;
    match (reply.status(), reply.extensions_mut().remove::<TakesOver>()) {
        (StatusCode::SWITCHING_PROTOCOLS, Some(takes_over)) => taken.over(takes_over),
        (StatusCode::SWITCHING_PROTOCOLS, None) => {
            tracing::warn!("a reply that switches protocols was not let through");
            reply = Response::new(Body::empty());
            *reply.status_mut() = StatusCode::BAD_GATEWAY;
        }
        _ => {}
    }
    // For a status that it has no words for, the library would say `<none>`; nothing is what stands there then (RFC 9112, section 4).
    if reply.status().canonical_reason().is_none() {
        reply.extensions_mut().insert(ReasonPhrase::from_static(b""));
    }
    // A refusal without any header is what the library says by itself of a head that it can't read (see `wire::refused`), and gets
    // a body that says so. This one is the service's.
    if reply.status().is_client_error() && reply.headers().is_empty() {
        reply.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    }
    reply
}

fn builder(limits: &ServeLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    // Each connection has a timer of its own, see `connection`.
    http1.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes.max(8192));
    // Any other number than its own costs the library an allocation for each request.
    if limits.headers != LIBRARY_HEADERS {
        http1.max_headers(limits.headers);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        // Streams that are begun and reset faster than they can be looked at (rapid reset), and those that we had to reset.
        // Beyond these the connection ends. Floods of CONTINUATION end at the size of the head, which the library counts.
        .max_pending_accept_reset_streams(Some(RESETS))
        .max_local_error_reset_streams(Some(RESETS))
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

async fn accept(
    listener: &Kind,
    handed: &mut Option<mpsc::Receiver<Handed>>,
) -> io::Result<(Accepted, Peer)> {
    let Some(others) = handed else { return accept_own(listener).await };
    tokio::select! {
        own = accept_own(listener) => own,
        other = others.recv() => match other {
            Some(Handed { stream, address }) => {
                Ok((Accepted::Handed(stream), Peer { address: Some(address), ..Peer::default() }))
            }
            None => {
                *handed = None;
                Err(io::ErrorKind::Interrupted.into())
            }
        },
    }
}

async fn accept_own(listener: &Kind) -> io::Result<(Accepted, Peer)> {
    match listener {
        Kind::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            // On a socket for both families an IPv4 caller has a mapped address; rules speak of the plain one.
            let peer = Peer { address: Some(address.ip().to_canonical()), ..Peer::default() };
            Ok((Accepted::Tcp(stream), peer))
        }
        Kind::Unix(listener, _) => {
            let (stream, _) = listener.accept().await?;
            let (stream, process) = FromPeer::accepted(stream)?;
            Ok((Accepted::Unix(stream), Peer { process: Some(process), ..Peer::default() }))
        }
    }
}

/// Errors that are the end of one connection and say nothing about the next one.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// The number of headers that the library reads without an allocation.
const LIBRARY_HEADERS: usize = 100;
const PING: Duration = Duration::from_secs(20);
const RESETS: usize = 20;
/// A timer that is always near. Without one, each timer of a call is the earliest, and tokio wakes its own thread for it with a
/// system call: measured at one `write` for each request.
const BEAT: Duration = Duration::from_millis(250);
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MOST: Duration = Duration::from_secs(1);

/// The methods that a door may serve; which of them a resource has, it says itself.
pub const SERVED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

#[cfg(test)]
mod tests;
