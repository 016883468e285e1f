//! Asks a door of this house, on this machine: how the command line talks to a running broker.
//!
//! One connection per request, over a Unix socket or a loopback address and nothing else. Not for upstreams.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::body::{Bounds, collect_bounded};
use crate::{Body, Error, Sent};

/// Where a door of this house is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A Unix socket.
    Unix(PathBuf),
    /// A loopback address; any other is refused.
    Loopback(SocketAddr),
}

/// Asks one door.
#[derive(Debug, Clone)]
pub struct Plain {
    place: Place,
    within: Duration,
    most: usize,
}

impl Plain {
    /// Asks the door at `place`; an answer has to be there whole `within` that time, and has at most `most` bytes of body.
    #[must_use]
    pub const fn new(place: Place, within: Duration, most: usize) -> Self {
        Self { place, within, most }
    }

    /// Asks with `GET`.
    ///
    /// # Errors
    /// When the door does not answer in time and within bounds.
    pub async fn get(&self, path: &str) -> Result<Response<Bytes>, Error> {
        self.send(request(Method::GET, path, Body::empty())?).await
    }

    /// Asks with `POST` and a JSON body.
    ///
    /// # Errors
    /// When the door does not answer in time and within bounds.
    pub async fn post(&self, path: &str, json: Bytes) -> Result<Response<Bytes>, Error> {
        let mut request = request(Method::POST, path, Body::full(json))?;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(request).await
    }

    /// Asks with any request whose target is a path; its `Host` is set here.
    ///
    /// # Errors
    /// When the door does not answer in time and within bounds.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Bytes>, Error> {
        let host = match &self.place {
            Place::Unix(_) => HeaderValue::from_static("localhost"),
            Place::Loopback(address) => HeaderValue::from_str(&address.to_string())
                .map_err(|_| Error::Request("the address cannot be written in a header"))?,
        };
        request.headers_mut().insert(header::HOST, host);
        let deadline = Instant::now() + self.within;
        let reply = match &self.place {
            Place::Unix(path) => {
                let stream = self.connected(deadline, tokio::net::UnixStream::connect(path)).await?;
                self.exchange(stream, request, deadline).await?
            }
            Place::Loopback(address) if address.ip().is_loopback() => {
                let stream = self.connected(deadline, tokio::net::TcpStream::connect(address)).await?;
                self.exchange(stream, request, deadline).await?
            }
            Place::Loopback(_) => return Err(Error::Request("the address is not a loopback address")),
        };
        let (parts, body) = reply.into_parts();
        let left = deadline.saturating_duration_since(Instant::now());
        let bytes = collect_bounded(body, Bounds { bytes: self.most, frame: left, whole: left }).await?;
        Ok(Response::from_parts(parts, bytes))
    }

    async fn connected<T>(
        &self,
        deadline: Instant,
        connecting: impl Future<Output = io::Result<T>>,
    ) -> Result<T, Error> {
        match timeout_at(deadline, connecting).await {
            Ok(stream) => stream.map_err(|source| Error::Unreachable { upstream: self.shown(), source }),
            Err(_) => Err(self.late(Sent::Nothing)),
        }
    }

    async fn exchange<T>(
        &self,
        stream: T,
        request: Request<Body>,
        deadline: Instant,
    ) -> Result<Response<hyper::body::Incoming>, Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let closed = |sent, source| Error::Closed { upstream: self.shown(), sent, source };
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|source| closed(Sent::Nothing, source))?;
        // Task `plain-connection`; its owner is the reply, with which it ends.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to our own door ended");
            }
        });
        match timeout_at(deadline, sender.send_request(request)).await {
            Ok(reply) => reply.map_err(|source| closed(Sent::Maybe, source)),
            Err(_) => Err(self.late(Sent::Maybe)),
        }
    }

    fn late(&self, sent: Sent) -> Error {
        Error::Timeout { upstream: self.shown(), sent }
    }

    fn shown(&self) -> Box<str> {
        match &self.place {
            Place::Unix(path) => path.display().to_string().into(),
            Place::Loopback(address) => address.to_string().into(),
        }
    }
}

/// A connection to a door on a Unix socket that speaks another protocol from here on, or the door's reply instead. Blocks.
///
/// # Errors
/// When nobody listens there, or what answers is no door.
pub fn switched(
    socket: &Path,
    path: &str,
    protocol: &str,
) -> io::Result<Result<UnixStream, Response<Bytes>>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(SWITCHING))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: {protocol}\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut reply = Vec::new();
    let end = loop {
        // The other end says nothing behind the head until it is spoken to, so a read takes no more than that.
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece)?;
        reply.extend_from_slice(piece.get(..count).unwrap_or_default());
        match reply.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None if count == 0 || reply.len() > HEAD => return Err(io::ErrorKind::InvalidData.into()),
            None => {}
        }
    };
    let status = reply.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|digits| http::StatusCode::from_bytes(digits).ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    if status == http::StatusCode::SWITCHING_PROTOCOLS {
        stream.set_read_timeout(None)?;
        return if reply.len() == end { Ok(Ok(stream)) } else { Err(io::ErrorKind::InvalidData.into()) };
    }
    // The door closes behind a reply.
    let mut body = reply.split_off(end);
    stream.take(LONGEST_REFUSAL).read_to_end(&mut body)?;
    let mut told = Response::new(Bytes::from(body));
    *told.status_mut() = status;
    Ok(Err(told))
}

fn request(method: Method, path: &str, body: Body) -> Result<Request<Body>, Error> {
    if !path.starts_with('/') {
        return Err(Error::Request("the target is not a path"));
    }
    Request::builder()
        .method(method)
        .uri(path)
        .body(body)
        .map_err(|_| Error::Request("the target is malformed"))
}

const SWITCHING: Duration = Duration::from_secs(30);
const HEAD: usize = 16 * 1024;
const LONGEST_REFUSAL: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
