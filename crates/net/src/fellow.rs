//! Brokers over one store: those that stand by hand connections on to the one that leads.
//!
//! A connection is handed on as it stands, byte for byte, so nothing of a request is read here, and TLS of a door ends where it always
//! does. What is said in front of it is which door was meant and from where the caller came. That is believed, because both brokers show
//! a key that follows from the keys of their home ([`FellowKeys`]): whoever has it could read the store as well.
//!
//! # Invariants
//!
//! - Between two brokers TLS 1.3 is spoken with keys that were proven on both sides, or nothing.
//! - A caller on the loopback of another machine is none of ours: its connection comes from the address of the broker that handed it on.
//! - A connection is handed on once: whoever does not lead takes none.

mod keys;
mod onward;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::listen::Kind;
use crate::{Draining, Listener};

pub use keys::FellowKeys;
pub use onward::{Leader, Onward, Plain};

/// Which door of a broker is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entrance {
    /// The gateway.
    Gateway,
    /// The API and the console.
    Api,
}

/// A connection that another broker handed on, on its way to its door.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) stream: Box<TlsStream<TcpStream>>,
    pub(crate) address: IpAddr,
}

/// What one door is handed by other brokers.
#[derive(Debug)]
#[must_use]
pub struct Handing(pub(crate) mpsc::Receiver<Handed>);

/// The doors that take what is handed on.
#[derive(Debug, Default)]
pub struct Entrances {
    doors: BTreeMap<Entrance, Vec<mpsc::Sender<Handed>>>,
    turn: AtomicUsize,
}

// === impl Entrance ===

impl Entrance {
    const fn number(self) -> u8 {
        match self {
            Self::Gateway => 1,
            Self::Api => 2,
        }
    }

    const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Gateway),
            2 => Some(Self::Api),
            _ => None,
        }
    }
}

// === impl Entrances ===

impl Entrances {
    /// What a door is handed from now on, beside its own callers. Where several threads share a door, each takes its turn.
    pub fn to(&mut self, entrance: Entrance) -> Handing {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.doors.entry(entrance).or_default().push(sender);
        Handing(receiver)
    }

    fn door(&self, entrance: Entrance) -> Option<mpsc::Sender<Handed>> {
        let doors = self.doors.get(&entrance)?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        doors.get(turn.checked_rem(doors.len())?).cloned()
    }
}

/// Takes what other brokers hand on, until the house drains. Connections belong to their doors from then on.
pub async fn take(listener: Listener, keys: &FellowKeys, entrances: Entrances, mut draining: Draining) {
    let Kind::Tcp(socket) = listener.kind else { return };
    let (acceptor, entrances) = (TlsAcceptor::from(keys.leading()), Arc::new(entrances));
    let places = Arc::new(Semaphore::new(UNPROVEN));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = draining.started() => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Whoever proves nothing is not kept, and keeps nobody else out for longer than it takes to find that out.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (acceptor, entrances) = (acceptor.clone(), Arc::clone(&entrances));
        tasks.spawn(async move {
            let taken = admit(&acceptor, stream, address.ip().to_canonical(), &entrances);
            match tokio::time::timeout(PATIENCE, taken).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "what another broker handed on was not taken"),
                Err(_) => tracing::debug!("another broker took too long to hand a connection on"),
            }
            drop(place);
        });
    }
    tasks.shutdown().await;
}

async fn admit(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    fellow: IpAddr,
    entrances: &Entrances,
) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    let mut stream = acceptor.accept(stream).await?;
    let mut said = [0; PREFACE];
    stream.read_exact(&mut said).await?;
    let (entrance, caller) = understood(&said)?;
    let address = if caller.is_loopback() { fellow } else { caller };
    let place = match entrances.door(entrance) {
        Some(door) => door.reserve_owned().await.ok(),
        None => None,
    };
    let word = if place.is_some() { TAKEN } else { NOT_TAKEN };
    stream.write_all(&[word]).await?;
    stream.flush().await?;
    match place {
        Some(place) => drop(place.send(Handed { stream: Box::new(stream), address })),
        None => stream.shutdown().await?,
    }
    Ok(())
}

/// What is said in front of a connection: a version, the door, and the caller's address.
fn preface(entrance: Entrance, caller: IpAddr) -> [u8; PREFACE] {
    let address = match caller {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    let mut said = [0; PREFACE];
    let parts = [VERSION, entrance.number()].into_iter().chain(address.octets());
    for (to, from) in said.iter_mut().zip(parts) {
        *to = from;
    }
    said
}

fn understood(said: &[u8; PREFACE]) -> io::Result<(Entrance, IpAddr)> {
    let strange =
        || io::Error::new(io::ErrorKind::InvalidData, "it is none of our ways to hand a connection on");
    let [VERSION, entrance, address @ ..] = said else { return Err(strange()) };
    let entrance = Entrance::of(*entrance).ok_or_else(strange)?;
    Ok((entrance, IpAddr::V6(Ipv6Addr::from(*address)).to_canonical()))
}

const VERSION: u8 = 1;
const PREFACE: usize = 18;
const TAKEN: u8 = 1;
const NOT_TAKEN: u8 = 0;
/// Connections that may be between the two brokers and have not reached their door.
const WAITING: usize = 64;
/// Connections of whoever has not proven to be a broker of this home.
const UNPROVEN: usize = 256;
/// How long a connection may take to its door.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
