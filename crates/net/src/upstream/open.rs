//! Opens a connection to an upstream: through the guard or a proxy, with TLS, and with the protocol that was agreed on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use model::Scheme;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Dial, Upstream, Verify, shown};
use crate::egress::{Proxy, tunnel};
use crate::guard::{self, CheckedAddress};
use crate::pool::{Channel, Knowledge, Protocol, Slot};
use crate::way::Reuse;
use crate::{Error, Sent, Way};

impl Upstream {
    pub(super) async fn dial(&self, slot: &Slot, dial: &Dial) -> Result<Channel, Error> {
        timeout(dial.connect, self.open(slot, dial))
            .await
            .unwrap_or_else(|_| Err(Error::Timeout { upstream: shown(dial), sent: Sent::Nothing }))
    }

    /// A connection of its own over HTTP/1, whatever else the upstream speaks.
    pub(super) async fn dial_once(&self, slot: &Slot, dial: &Dial) -> Result<Channel, Error> {
        timeout(dial.connect, self.connect(slot, dial, For::Switching))
            .await
            .unwrap_or_else(|_| Err(Error::Timeout { upstream: shown(dial), sent: Sent::Nothing }))
    }

    async fn open(&self, slot: &Slot, dial: &Dial) -> Result<Channel, Error> {
        // What speaks HTTP/2, or may, is dialled by one at a time: the others can use the same connection.
        let mut turn = None;
        if slot.protocol() != Protocol::Http1 {
            turn = Some(slot.dialing.lock().await);
            if let Some(channel) = slot.take_shared() {
                return Ok(channel);
            }
        }
        if slot.protocol() == Protocol::Http1 {
            turn = None;
        }
        let channel = self.connect(slot, dial, For::Requests).await;
        drop(turn);
        channel
    }

    async fn connect(&self, slot: &Slot, dial: &Dial, purpose: For) -> Result<Channel, Error> {
        if let Some(proxy) = dial.way.as_deref().and_then(Way::proxy) {
            return self.over(self.tunnelled(proxy, dial).await?, slot, dial, purpose).await;
        }
        let addresses = guard::check(&dial.authority, dial.private, &self.names).await?;
        let stream = connect(&addresses, dial.connect)
            .await
            .map_err(|source| Error::Unreachable { upstream: shown(dial), source })?;
        self.over(stream, slot, dial, purpose).await
    }

    async fn over<T>(&self, stream: T, slot: &Slot, dial: &Dial, purpose: For) -> Result<Channel, Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match dial.authority.scheme() {
            Scheme::Http if slot.knowledge == Knowledge::Http2 => http2_over(stream, slot, dial).await,
            Scheme::Http => http1_over(stream, slot, dial, purpose).await,
            Scheme::Https => self.secured(stream, slot, dial, purpose).await,
        }
    }

    /// A tunnel through a proxy to what may be dialled.
    async fn tunnelled(&self, proxy: &Proxy, dial: &Dial) -> Result<Box<dyn tunnel::Stream>, Error> {
        match guard::check(&dial.authority, dial.private, &self.names).await {
            Ok(_) => {}
            // Where only the proxy can look names up. Whoever answers then has to have a certificate for that name.
            Err(Error::Unreachable { .. })
                if dial.authority.scheme() == Scheme::Https && dial.verify == Verify::Checked => {}
            Err(error) => return Err(error),
        }
        let unreachable = |source| Error::Unreachable { upstream: shown(dial), source };
        // Not that of the way: what is shown to the upstream is not for the proxy.
        let tls = match proxy.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(http1_only(self.tls.config(Verify::Checked)?)),
        };
        let stream = tunnel::dial(proxy, tls, &self.names, dial.connect).await.map_err(unreachable)?;
        tunnel::open(stream, proxy, &dial.authority).await.map_err(unreachable)
    }

    async fn secured<T>(&self, stream: T, slot: &Slot, dial: &Dial, purpose: For) -> Result<Channel, Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let name = ServerName::try_from(dial.authority.host().to_owned())
            .map_err(|_| Error::Request("the host is not one that a certificate can name"))?;
        let way = dial.way.as_deref();
        let tls = way.and_then(Way::tls).unwrap_or(&self.tls).config(dial.verify)?;
        let tls = match (purpose, way.map_or(Reuse::Often, Way::reuse)) {
            (For::Requests, Reuse::Often) => Arc::clone(tls),
            (For::Switching, _) | (_, Reuse::Never) => http1_only(tls),
        };
        let shaken = TlsConnector::from(tls).connect(name, stream);
        let stream = match way.and_then(Way::handshake) {
            None => shaken.await,
            Some(within) => timeout(within, shaken)
                .await
                .map_err(|_| Error::Timeout { upstream: shown(dial), sent: Sent::Nothing })?,
        };
        let stream = stream.map_err(|source| Error::Tls { upstream: shown(dial), source })?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            http2_over(stream, slot, dial).await
        } else {
            http1_over(stream, slot, dial, purpose).await
        }
    }
}

/// What a connection is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Requests,
    /// For one request, behind which another protocol may be spoken.
    Switching,
}

/// The same configuration for a connection that is for HTTP/1 whatever the other end could speak.
fn http1_only(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Connects to the first address that answers; each has its share of the time.
pub(crate) async fn connect(addresses: &[CheckedAddress], within: Duration) -> io::Result<TcpStream> {
    let share = within / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match timeout(share, TcpStream::connect(address.socket())).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// Task `upstream-http1`: drives one connection; its owner is whoever holds the sender, with which it ends.
async fn http1_over<T>(stream: T, slot: &Slot, dial: &Dial, purpose: For) -> Result<Channel, Error>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(READ_BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|source| Error::Closed { upstream: shown(dial), sent: Sent::Nothing, source })?;
    tokio::spawn(async move {
        let ended = match purpose {
            For::Requests => connection.await,
            For::Switching => connection.with_upgrades().await,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    match purpose {
        For::Requests => Ok(slot.opened_http1(sender)),
        // It says nothing of what the upstream speaks otherwise.
        For::Switching => Ok(Channel::Http1(sender)),
    }
}

/// Task `upstream-http2`: drives one shared connection; its owner is the slot, with whose last sender it ends.
async fn http2_over<T>(stream: T, slot: &Slot, dial: &Dial) -> Result<Channel, Error>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_header_list_size(HEADER_LIST)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|source| Error::Closed { upstream: shown(dial), sent: Sent::Nothing, source })?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    Ok(slot.opened_http2(sender))
}

const READ_BUFFER: usize = 256 * 1024;
const HEADER_LIST: u32 = 64 * 1024;
const PING: Duration = Duration::from_secs(20);
