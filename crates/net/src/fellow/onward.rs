//! The doors of a broker that stands by: what comes goes on to the one that leads.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::{Code, Refusal, Retry};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Entrance, FellowKeys, PATIENCE, PAUSE, TAKEN, preface};
use crate::listen::Kind;
use crate::{Draining, Listener, problem};

/// Tells where the broker listens that leads, as it says itself; `None` where nobody says so now.
pub type Leader = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<String>> + Send>> + Send + Sync>;

/// What a door speaks, to answer where nobody leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// HTTP in the clear: the caller is told.
    Http,
    /// TLS, which ends at the broker that leads: the connection is closed.
    Not,
}

/// Hands connections on.
#[derive(Clone)]
pub struct Onward {
    keys: FellowKeys,
    leader: Leader,
    under_way: Arc<AtomicUsize>,
    wait: Duration,
}

impl Onward {
    /// To whoever leads, as this tells.
    #[must_use]
    pub fn new(keys: FellowKeys, leader: Leader) -> Self {
        Self { keys, leader, under_way: Arc::default(), wait: WAIT }
    }

    /// The same that waits as long for somebody who leads.
    #[cfg(test)]
    pub(super) fn within(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Waits until no connection is under way, but not longer than this.
    pub fn settled(&self, longest: Duration) {
        let until = std::time::Instant::now() + longest;
        while self.under_way.load(Ordering::Acquire) > 0 && std::time::Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }

    /// Hands on what comes to a door until it is told to stop. Connections that it took by then go on by themselves until they end.
    pub async fn serve(self, listener: Listener, entrance: Entrance, plain: Plain, mut draining: Draining) {
        let Kind::Tcp(socket) = listener.kind else { return };
        let places = Arc::new(Semaphore::new(MOST));
        loop {
            let place = tokio::select! {
                biased;
                () = draining.started() => return,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let accepted = tokio::select! {
                biased;
                () = draining.started() => return,
                accepted = socket.accept() => accepted,
            };
            let Ok((stream, from)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let onward = self.clone();
            // Owned by the runtime of whoever stands by: `handed-on`. Each ends when either side does.
            let _ = self.under_way.fetch_add(1, Ordering::AcqRel);
            drop(tokio::spawn(async move {
                if let Err(error) = onward.carry(stream, from, entrance, plain).await {
                    tracing::debug!(%error, "a connection that was handed on broke");
                }
                let _ = onward.under_way.fetch_sub(1, Ordering::AcqRel);
                drop(place);
            }));
        }
    }

    async fn carry(
        &self,
        mut stream: TcpStream,
        from: SocketAddr,
        entrance: Entrance,
        plain: Plain,
    ) -> io::Result<()> {
        let _ = stream.set_nodelay(true);
        let said = preface(entrance, from.ip().to_canonical());
        let until = Instant::now() + self.wait;
        loop {
            // One that is just gone is followed in a moment.
            if let Ok(Ok(mut leads)) = tokio::time::timeout(PATIENCE, self.reach(&said)).await {
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut leads).await?;
                return Ok(());
            }
            if Instant::now() + AGAIN > until {
                return match plain {
                    Plain::Http => turned_away(stream).await,
                    Plain::Not => Ok(()),
                };
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn reach(&self, said: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let Some(place) = (self.leader)().await else { return Err(io::ErrorKind::NotConnected.into()) };
        let stream = TcpStream::connect(place).await?;
        let _ = stream.set_nodelay(true);
        // It is known by its key; no name is looked at, and none is said.
        let name = ServerName::try_from("doorward.invalid").map_err(io::Error::other)?;
        let mut leads = TlsConnector::from(self.keys.standing()).connect(name, stream).await?;
        leads.write_all(said).await?;
        leads.flush().await?;
        let mut word = [0];
        let _ = leads.read_exact(&mut word).await?;
        if word == [TAKEN] { Ok(leads) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
    }
}

impl std::fmt::Debug for Onward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Onward").finish_non_exhaustive()
    }
}

/// Says that nobody leads. What the caller sends is read for a moment, or it would never see the answer.
async fn turned_away(mut stream: TcpStream) -> io::Result<()> {
    let refusal = Refusal::new(Code::EvidenceUnavailable, "no broker of this store leads now")
        .retry(Retry::After(LINGER))
        .hint("the next one takes over in a moment");
    let body = problem::json(&refusal, problem::status(refusal.code));
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nretry-after: 1\r\ncache-control: no-store\r\n{}: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
        problem::REFUSAL,
        refusal.code.as_str(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    let drained = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    let _ = tokio::time::timeout(LINGER, drained).await;
    Ok(())
}

/// Most connections at a door that are handed on at a time, as many as a door has.
const MOST: usize = 10_240;
/// How long a caller waits where nobody leads.
const WAIT: Duration = Duration::from_secs(10);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(100);
const LINGER: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);
