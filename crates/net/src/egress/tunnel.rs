//! The way to a place: a connection, TLS over it, and a tunnel through a proxy (RFC 9110, section 9.3.6).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Authority;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::proxy::Proxy;
use crate::Names;

/// Bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the first address that answers; each has its share of the time.
pub(crate) async fn first_of(addresses: &[SocketAddr], within: Duration) -> io::Result<TcpStream> {
    let share = within / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
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

/// Connects to a proxy, with TLS where it wants that. The user named it, so any address that it has is dialled.
pub(crate) async fn dial(
    proxy: &Proxy,
    tls: Option<Arc<ClientConfig>>,
    names: &Names,
    within: Duration,
) -> io::Result<Box<dyn Stream>> {
    let failed =
        |source| io::Error::other(ProxyFailed { proxy: proxy.to_string(), why: Why::Connect(source) });
    let authority = proxy.authority();
    let (host, port) = (authority.host(), authority.port());
    let addresses: Vec<SocketAddr> = match names {
        Names::System => tokio::net::lookup_host((host, port)).await.map_err(failed)?.collect(),
        Names::Table(table) => match host.parse() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => table.get(host).into_iter().flatten().map(|ip| SocketAddr::new(*ip, port)).collect(),
        },
    };
    let stream = first_of(&addresses, within).await.map_err(failed)?;
    match tls {
        None => Ok(Box::new(stream)),
        Some(tls) => Ok(Box::new(secured(stream, host, tls).await.map_err(failed)?)),
    }
}

/// TLS with a host over a connection.
pub(crate) async fn secured<S: Stream>(
    stream: S,
    host: &str,
    tls: Arc<ClientConfig>,
) -> io::Result<TlsStream<S>> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, "the host is not one that a certificate can name")
    })?;
    TlsConnector::from(tls).connect(name, stream).await
}

/// Asks a proxy for a tunnel.
pub(crate) async fn open(
    mut stream: Box<dyn Stream>,
    proxy: &Proxy,
    to: &Authority,
) -> io::Result<Box<dyn Stream>> {
    let refused = |why| io::Error::other(ProxyFailed { proxy: proxy.to_string(), why });
    let host = if to.host().contains(':') { format!("[{}]", to.host()) } else { to.host().to_owned() };
    let place = format!("{host}:{}", to.port());
    let authorization = proxy.authorization();
    let mut request = Zeroizing::new(Vec::with_capacity(1024));
    request.extend_from_slice(format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n").as_bytes());
    if let Some(value) = &authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(|source| refused(Why::Connect(source)))?;
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte, so that nothing behind the head is taken from whoever speaks next.
        let byte = stream.read_u8().await.map_err(|source| refused(Why::Connect(source)))?;
        head.push(byte);
        if head.len() > LONGEST_HEAD {
            return Err(refused(Why::Answer));
        }
    }
    match status(&head) {
        Some(200..=299) => Ok(stream),
        Some(407) => Err(refused(Why::Credentials)),
        Some(status) => Err(refused(Why::Status(status))),
        None => Err(refused(Why::Answer)),
    }
}

/// The status of an answer of HTTP/1.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let ends = rest.get(3).is_none_or(|byte| *byte == b' ');
    std::str::from_utf8(digits).ok().filter(|_| ends)?.parse().ok()
}

/// What a proxy did instead of passing us on.
#[derive(Debug, thiserror::Error)]
#[error("the proxy `{proxy}` {why}")]
struct ProxyFailed {
    proxy: String,
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("cannot be reached: {0}")]
    Connect(io::Error),
    #[error("wants a name and a password, or other ones")]
    Credentials,
    #[error("refused the connection with status {0}")]
    Status(u16),
    #[error("did not answer as an HTTP proxy")]
    Answer,
}

const LONGEST_HEAD: usize = 16 * 1024;
