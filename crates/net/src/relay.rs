//! The way out of a sandbox: a proxy that connects to the hosts of one operation and to no other.
//!
//! A program that runs without a network of its own finds a proxy on the loopback of its sandbox (`CONNECT`, RFC 9110, section
//! 9.3.6). The listener was made in there and handed out; what is accepted on it is served here. What passes is not looked at: it
//! is TLS between the program and the host. Where the host is on this machine, the program finds a listener at the same port,
//! for many programs send nothing for a loopback address to a proxy.
//!
//! # Invariants
//!
//! - A host is dialled only when it is one of the relay's, by name and port, and through [`crate::guard`].
//! - A connection belongs to the relay's own future: when that is dropped, nothing is passed on any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::upstream::connect;
use crate::{Error, Names, Private, guard};

/// A way out to a few hosts.
#[derive(Debug)]
pub struct Relay {
    allowed: Vec<Authority>,
    private: Private,
    names: Names,
    refused: Mutex<Vec<String>>,
}

/// What a listener of a sandbox leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// Any host of the relay, as each connection asks.
    Proxy,
    /// This one, without being asked.
    Host(Authority),
}

impl Relay {
    /// A way out to these hosts, and to private addresses among them only where that is allowed.
    #[must_use]
    pub fn new(allowed: Vec<Authority>, private: Private) -> Self {
        Self { allowed, private, names: Names::default(), refused: Mutex::default() }
    }

    /// The hosts that were asked for and are none of the relay's, a few of them, as they were written.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves a listener for as long as it is waited for.
    ///
    /// # Errors
    /// When the listener can't be listened to any more.
    pub async fn serve(
        self: Arc<Self>,
        listener: std::net::TcpListener,
        serves: Serves,
    ) -> std::io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= MOST {
                connections.join_next().await;
            }
            let (stream, _) = listener.accept().await?;
            let (relay, serves) = (Arc::clone(&self), serves.clone());
            connections.spawn(async move {
                // It is between the program and the host what went wrong.
                if let Err(error) = relay.carry(stream, &serves).await {
                    tracing::debug!(%error, "a connection of a program ended");
                }
            });
        }
    }

    async fn carry(&self, mut inside: TcpStream, serves: &Serves) -> std::io::Result<()> {
        let _ = inside.set_nodelay(true);
        let authority = match serves {
            Serves::Host(authority) => authority.clone(),
            Serves::Proxy => {
                let asked = timeout(PATIENCE, head(&mut inside)).await.map_err(|_| slow())??;
                match self.admitted(&asked) {
                    Ok(authority) => authority,
                    Err(status) => return answer(&mut inside, status).await,
                }
            }
        };
        let outside = match self.dial(&authority).await {
            Ok(outside) => outside,
            Err(error) => {
                self.note(&authority.to_string());
                tracing::debug!(%authority, %error, "a program could not be connected");
                return match serves {
                    Serves::Proxy => answer(&mut inside, "502 Bad Gateway").await,
                    Serves::Host(_) => Ok(()),
                };
            }
        };
        if *serves == Serves::Proxy {
            inside.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        }
        let mut outside = outside;
        tokio::io::copy_bidirectional(&mut inside, &mut outside).await.map(drop)
    }

    /// The host that a request asks for, where it is one of ours; else the status that it gets.
    fn admitted(&self, head: &[u8]) -> Result<Authority, &'static str> {
        let line = head.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| "400 Bad Request")?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err("400 Bad Request");
        };
        if !version.starts_with("HTTP/1.") {
            return Err("400 Bad Request");
        }
        if method != "CONNECT" {
            self.note(target);
            return Err("405 Method Not Allowed");
        }
        // A target without a port has none to be compared (RFC 9112, section 3.2.3).
        let asked =
            target.rsplit_once(':').and_then(|_| format!("https://{target}").parse::<Authority>().ok());
        let same = |asked: &Authority| {
            let mut ours = self.allowed.iter();
            ours.find(|ours| ours.host() == asked.host() && ours.port() == asked.port()).cloned()
        };
        asked.as_ref().and_then(same).ok_or_else(|| {
            self.note(target);
            "403 Forbidden"
        })
    }

    async fn dial(&self, authority: &Authority) -> Result<TcpStream, Error> {
        let addresses = guard::check(authority, self.private, &self.names).await?;
        connect(&addresses, PATIENCE)
            .await
            .map_err(|source| Error::Unreachable { upstream: authority.to_string().into(), source })
    }

    /// Notes what was asked for in vain. It is said to people, so only what can be a host is.
    fn note(&self, asked: &str) {
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '/');
        let shown: String = asked.chars().filter(plain).take(LONGEST_SHOWN).collect();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < MOST_NOTED && !refused.contains(&shown) {
            refused.push(shown);
        }
    }
}

/// The head of a request, whole and nothing behind it: a client waits for the answer before it sends more.
async fn head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let read = stream.read(&mut piece).await?;
        all.extend_from_slice(piece.get(..read).unwrap_or_default());
        if all.ends_with(b"\r\n\r\n") {
            return Ok(all);
        }
        if read == 0 || all.len() > LONGEST_HEAD {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
}

async fn answer(stream: &mut TcpStream, status: &str) -> std::io::Result<()> {
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn slow() -> std::io::Error {
    std::io::ErrorKind::TimedOut.into()
}

/// Connections of one program at a time.
const MOST: usize = 64;
/// Hosts that are noted.
const MOST_NOTED: usize = 8;
const LONGEST_SHOWN: usize = 120;
const LONGEST_HEAD: usize = 8 * 1024;
/// For a head, and for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
