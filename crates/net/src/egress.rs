//! Asks the control plane of a cloud, or a sign-in service, for a process that lives for seconds.
//!
//! Where [`Upstream`](crate::Upstream) carries other people's requests through a pool, this sends a few requests of our
//! own, the way that command line tools are expected to: through the proxy that the user's environment names, trusting
//! the authorities that the user's settings name. It reads neither environment nor settings; [`EgressConfig`] says all.
//!
//! # Invariants
//!
//! - Without a proxy, an address is dialled only through `crate::guard`. Private addresses are allowed, as
//!   clouds have private endpoints, whose certificate is checked like any other; plain http goes to loopback and private
//!   addresses only, whether through a proxy or not.
//! - A proxy sees the host and port of an https request, and nothing else.
//! - TLS is set up when the first https request is sent, so that a process that needs none does not pay for it.
//! - A reply is bounded in size and time, and wiped when it is dropped. No redirect is followed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use model::{Authority, Scheme};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::{Body, Error, Names, Private, Sent, guard};
use tunnel::Stream;

mod proxy;
mod reply;
mod roots;
pub(crate) mod tunnel;

pub(crate) use proxy::Proxy;
pub use proxy::{Proxies, ProxyError};
pub use roots::Roots;

/// How an [`Egress`] is set up.
#[derive(Default)]
pub struct EgressConfig {
    /// Which proxies to use, and for what not.
    pub proxies: Proxies,
    /// Whose certificates are believed.
    pub roots: Roots,
    /// Where names are looked up, but for those that a proxy looks up.
    pub names: Names,
    /// How long and how much.
    pub limits: EgressLimits,
}

/// How long a request may take, and how large a reply may be.
#[derive(Debug, Clone, Copy)]
pub struct EgressLimits {
    /// Longest time for look-up, connection, proxy and TLS handshake together.
    pub connect: Duration,
    /// Longest time for the reply, from the moment when a connection is there.
    pub reply: Duration,
    /// Most bytes of a reply's body.
    pub bytes: usize,
}

impl Default for EgressLimits {
    /// 15 seconds to connect, 30 for the reply, a megabyte.
    fn default() -> Self {
        Self { connect: Duration::from_secs(15), reply: Duration::from_secs(30), bytes: 1 << 20 }
    }
}

/// Sends requests of our own. Belongs to one runtime; keeps a few connections open for as long as it lives.
pub struct Egress {
    proxies: Proxies,
    roots: Roots,
    names: Names,
    limits: EgressLimits,
    tls: OnceLock<Arc<ClientConfig>>,
    idle: Mutex<Vec<Open>>,
}

/// A connection that is free for a request to one place.
struct Open {
    authority: Authority,
    sender: SendRequest<Body>,
}

impl Egress {
    /// Nothing is read or opened yet.
    #[must_use]
    pub fn new(config: EgressConfig) -> Self {
        let EgressConfig { proxies, roots, names, limits } = config;
        Self { proxies, roots, names, limits, tls: OnceLock::new(), idle: Mutex::default() }
    }

    /// Sends a request whose target is a path, and reads the whole reply. `Host` and the framing are set here.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::sent`] tells whether the request may have arrived.
    pub async fn send(
        &self,
        authority: &Authority,
        request: Request<Bytes>,
    ) -> Result<Response<Zeroizing<Vec<u8>>>, Error> {
        let (parts, body) = request.into_parts();
        let mut request = Request::from_parts(parts, Body::full(body));
        self.address(authority, &mut request)?;
        let mut sender = match self.take(authority) {
            Some(sender) => sender,
            None => self.connect(authority).await?,
        };
        let mut deadline = Instant::now() + self.limits.reply;
        let mut attempts = 0;
        let reply = loop {
            let answer = timeout_at(deadline, sender.try_send_request(request)).await;
            let Ok(answer) = answer else { return Err(late(authority, Sent::Maybe)) };
            let mut failed = match answer {
                Ok(reply) => break reply,
                Err(failed) => failed,
            };
            let given_back = failed.take_message();
            let source = failed.into_error();
            // The connection was closed while it waited, before it took the request.
            match given_back {
                Some(again) if attempts == 0 => request = again,
                Some(_) => {
                    return Err(Error::Closed { upstream: shown(authority), sent: Sent::Nothing, source });
                }
                None => return Err(broken(authority, source)),
            }
            attempts += 1;
            sender = self.connect(authority).await?;
            deadline = Instant::now() + self.limits.reply;
        };
        let (parts, body) = reply.into_parts();
        let bytes = reply::collect(body, self.limits.bytes, deadline).await?;
        self.keep(authority, sender);
        Ok(Response::from_parts(parts, bytes))
    }

    /// Writes `Host`, and the form of the target that the next hop wants.
    fn address(&self, authority: &Authority, request: &mut Request<Body>) -> Result<(), Error> {
        let host = HeaderValue::from_str(&authority.host_header())
            .map_err(|_| Error::Request("the host cannot be written in a header"))?;
        let path = request.uri().path_and_query().filter(|path| path.as_str().starts_with('/'));
        let path = path.cloned().ok_or(Error::Request("the target is not a path"))?;
        let headers = request.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::TRANSFER_ENCODING);
        headers.insert(header::HOST, host);
        let mut parts = http::uri::Parts::default();
        if let (Scheme::Http, Some(proxy)) = (authority.scheme(), self.proxies.of(authority)) {
            // RFC 9112, section 3.2.2: to a proxy, the whole address.
            headers.extend(proxy.authorization().map(|value| (header::PROXY_AUTHORIZATION, value)));
            parts.scheme = Some(http::uri::Scheme::HTTP);
            parts.authority =
                Some(authority.host_header().parse().map_err(|_| Error::Request("the host is malformed"))?);
        }
        parts.path_and_query = Some(path);
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Error::Request("the target is malformed"))?;
        Ok(())
    }

    async fn connect(&self, authority: &Authority) -> Result<SendRequest<Body>, Error> {
        timeout(self.limits.connect, self.open(authority))
            .await
            .unwrap_or_else(|_| Err(late(authority, Sent::Nothing)))
    }

    async fn open(&self, authority: &Authority) -> Result<SendRequest<Body>, Error> {
        let proxy = self.proxies.of(authority);
        let unreachable = |source| Error::Unreachable { upstream: shown(authority), source };
        let stream: Box<dyn Stream> = match (proxy, authority.scheme()) {
            (None, _) => Box::new(self.direct(authority).await?),
            (Some(proxy), scheme) => {
                if scheme == Scheme::Http {
                    // What a proxy may be asked for in the clear is what we would ask for ourselves.
                    guard::check(authority, Private::Allowed, &self.names).await?;
                }
                let tls = (proxy.scheme() == Scheme::Https).then(|| self.tls()).transpose()?;
                let stream = tunnel::dial(proxy, tls, &self.names, self.limits.connect).await;
                let stream = stream.map_err(unreachable)?;
                match scheme {
                    Scheme::Http => stream,
                    Scheme::Https => tunnel::open(stream, proxy, authority).await.map_err(unreachable)?,
                }
            }
        };
        match authority.scheme() {
            Scheme::Http => speak(stream, authority).await,
            Scheme::Https => {
                let stream = tunnel::secured(stream, authority.host(), self.tls()?).await;
                let stream = stream.map_err(|source| Error::Tls { upstream: shown(authority), source })?;
                speak(stream, authority).await
            }
        }
    }

    async fn direct(&self, authority: &Authority) -> Result<TcpStream, Error> {
        let checked = guard::check(authority, Private::Allowed, &self.names).await?;
        let addresses: Vec<SocketAddr> = checked.iter().map(guard::CheckedAddress::socket).collect();
        tunnel::first_of(&addresses, self.limits.connect)
            .await
            .map_err(|source| Error::Unreachable { upstream: shown(authority), source })
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(made) = self.tls.get() {
            return Ok(Arc::clone(made));
        }
        let made = roots::config(&self.roots)?;
        Ok(Arc::clone(self.tls.get_or_init(|| made)))
    }

    fn take(&self, authority: &Authority) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|open| !open.sender.is_closed());
        let at = idle.iter().position(|open| open.authority == *authority)?;
        Some(idle.swap_remove(at).sender)
    }

    fn keep(&self, authority: &Authority, sender: SendRequest<Body>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.is_ready() && idle.len() < MOST_IDLE {
            idle.push(Open { authority: authority.clone(), sender });
        }
    }
}

/// Task `egress-http1`: drives one connection; its owner is whoever holds the sender, with which it ends.
async fn speak<S: Stream + 'static>(stream: S, authority: &Authority) -> Result<SendRequest<Body>, Error> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(READ_BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|source| Error::Closed { upstream: shown(authority), sent: Sent::Nothing, source })?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of our own ended");
        }
    });
    Ok(sender)
}

fn broken(authority: &Authority, source: hyper::Error) -> Error {
    let upstream = shown(authority);
    if source.is_parse() {
        return Error::Protocol { upstream, what: "malformed HTTP", source: Some(source) };
    }
    Error::Closed { upstream, sent: Sent::Maybe, source }
}

fn late(authority: &Authority, sent: Sent) -> Error {
    Error::Timeout { upstream: shown(authority), sent }
}

fn shown(authority: &Authority) -> Box<str> {
    authority.to_string().into()
}

const READ_BUFFER: usize = 256 * 1024;
const MOST_IDLE: usize = 4;

#[cfg(test)]
mod tests;
