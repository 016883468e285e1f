//! Asks a metadata service of the machine or the container that this process runs in.
//!
//! Such services are at link-local addresses, which nothing else may ever dial (`crate::guard`), because a program that is made to
//! fetch an address must not reach them. Here the caller names the few numbers that are meant; a name is never looked up.
//!
//! # Invariants
//!
//! - Only loopback and the addresses that the caller knows are dialled; no proxy, no redirect, no TLS.
//! - An answer is bounded in size, and wiped when it is dropped. The caller bounds the time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// One metadata service.
pub struct Neighbour {
    address: SocketAddr,
    authority: String,
}

/// Why a metadata service gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeighbourError {
    /// The address is another one.
    #[error("`{0}` is no address of a metadata service")]
    Address(String),
    /// It could not be reached, or broke off.
    #[error("could not ask the metadata service at `{authority}`")]
    Talk {
        /// Where.
        authority: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered otherwise.
    #[error("the metadata service at `{authority}` answered {status}")]
    Status {
        /// Where.
        authority: String,
        /// How.
        status: StatusCode,
    },
}

impl Neighbour {
    /// The service at `http://HOST[:PORT]`, where the host is loopback or one of the numbers in `known`.
    ///
    /// # Errors
    /// [`NeighbourError::Address`] for anything else.
    pub fn at(base: &str, known: &[IpAddr]) -> Result<Self, NeighbourError> {
        let wrong = || NeighbourError::Address(base.to_owned());
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            host => host.parse().map_err(|_| wrong())?,
        };
        if !ip.is_loopback() && !known.contains(&ip) || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let address = SocketAddr::new(ip, authority.port_u16().unwrap_or(80));
        Ok(Self { address, authority: authority.to_string() })
    }

    /// Sends one request with one header, and reads the answer.
    ///
    /// # Errors
    /// See [`NeighbourError`]; every status but 200 is one.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        (name, value): (HeaderName, HeaderValue),
    ) -> Result<Zeroizing<Vec<u8>>, NeighbourError> {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| NeighbourError::Address(path.to_owned()))?;
        let host = HeaderValue::from_str(&self.authority);
        let host = host.map_err(|_| NeighbourError::Address(self.authority.clone()))?;
        request.headers_mut().insert(header::HOST, host);
        request.headers_mut().insert(name, value);
        let (status, body) = self.send(request).await.map_err(|source| {
            let authority = self.authority.clone();
            NeighbourError::Talk { authority, source }
        })?;
        match status {
            StatusCode::OK => Ok(body),
            status => Err(NeighbourError::Status { authority: self.authority.clone(), status }),
        }
    }

    async fn send(
        &self,
        request: Request<Empty<Bytes>>,
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let talking = async {
            let reply = sender.send_request(request).await?;
            let status = reply.status();
            let body = Limited::new(reply.into_body(), MOST).collect().await?;
            Ok((status, Zeroizing::new(body.to_bytes().to_vec())))
        };
        tokio::pin!(talking);
        tokio::pin!(connection);
        // The connection has to be driven while the answer is read; it may end first.
        tokio::select! {
            answered = &mut talking => answered,
            ended = &mut connection => {
                ended?;
                talking.await
            }
        }
    }
}

/// Most bytes of an answer.
const MOST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
