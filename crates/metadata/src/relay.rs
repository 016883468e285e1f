//! Passes requests from the metadata address to a server that a person runs without root's rights.
//!
//! Only root may listen on port 80 of 169.254.169.254. A process with root's rights should do as little as possible, so it
//! makes no answers: it checks who asks, and asks the person's own server on a loopback port.
//!
//! # Invariants
//!
//! - Only programs of this machine are answered, by the same rules as everywhere here ([`Gate`]).
//! - A request is passed on only while the port is held by the user who asked for the relay; whoever takes the port after
//!   that user's server has ended is sent nothing.
//! - Of a request only the headers that the protocols know are passed on, and nothing of a body.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use net::plain::{Place, Plain};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits};

use crate::door::{self, Answers};
use crate::gate::{Entry, Gate, Reach};
use crate::refused::{Reason, Tally};
use crate::reply::{self, TEXT};
use crate::{Endpoint, Error};

/// See the module. Clones of it share their counts.
#[derive(Clone)]
pub struct Relay(Arc<Shared>);

struct Shared {
    to: SocketAddr,
    owner: u32,
    plain: Plain,
    tally: Tally,
}

/// Proof that the port was held by the right user a moment ago.
#[derive(Debug)]
#[must_use]
struct Owned(());

impl Relay {
    /// A relay to the server at `to`, as long as the user with the number `owner` holds that port.
    ///
    /// # Errors
    /// When `to` is not a loopback address.
    pub fn new(to: SocketAddr, owner: u32) -> Result<Self, Error> {
        if !to.ip().is_loopback() || !to.is_ipv4() {
            return Err(Error::NotLoopback(to));
        }
        let plain = Plain::new(Place::Loopback(to), WITHIN, MOST);
        Ok(Self(Arc::new(Shared { to, owner, plain, tally: Tally::new(Endpoint::Ec2) })))
    }

    /// What was turned away so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// Serves until the house drains.
    ///
    /// # Errors
    /// When the listener can be reached from other machines.
    pub async fn serve(
        &self,
        listener: Listener,
        limits: ServeLimits,
        draining: Draining,
    ) -> Result<Drained, Error> {
        let gate = Gate::of(&listener, &Reach::Loopback, &["169.254.169.254"])?;
        Ok(door::serve(Door { shared: Arc::clone(&self.0), gate }, listener, limits, draining).await)
    }

    /// Waits until the person's server is gone: then the relay has nothing left to do, however that server ended. It is
    /// looked for `every` so often (a second does), and gone when it was missed three times in a row. The server has to be
    /// there when this begins.
    pub async fn until_gone(&self, every: Duration) {
        let mut missed = 0;
        while missed < 3 {
            missed = if self.0.owned().is_ok() { 0 } else { missed + 1 };
            tokio::time::sleep(every).await;
        }
    }
}

struct Door {
    shared: Arc<Shared>,
    gate: Gate,
}

impl Answers for Door {
    async fn answer<B: Send>(&self, request: Request<B>, peer: Peer) -> Response<Body> {
        let (parts, _) = request.into_parts();
        match self.gate.admit(&parts, &peer) {
            Ok(entry) => self.shared.passed_on(entry, &parts).await.unwrap_or_else(|why| {
                self.shared.tally.note(Reason::Credentials, &peer);
                tracing::warn!(why, "a metadata request was not passed on");
                reply::of(StatusCode::GATEWAY_TIMEOUT, TEXT, "")
            }),
            Err(reason) => {
                self.shared.tally.note(reason, &peer);
                reply::of(StatusCode::UNAUTHORIZED, TEXT, "")
            }
        }
    }
}

impl Shared {
    async fn passed_on(&self, _: Entry, parts: &Parts) -> Result<Response<Body>, &'static str> {
        let Owned(()) = self.owned()?;
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut asked = Request::new(Body::empty());
        *asked.method_mut() = parts.method.clone();
        *asked.uri_mut() = target.parse().map_err(|_| "the target is malformed")?;
        copy(&parts.headers, asked.headers_mut(), ASKED);
        let answer = self.plain.send(asked).await.map_err(|_| "the server did not answer")?;
        let mut reply = reply::of(answer.status(), TEXT, answer.body().clone());
        copy(answer.headers(), reply.headers_mut(), ANSWERED);
        Ok(reply)
    }

    fn owned(&self) -> Result<Owned, &'static str> {
        let sockets =
            std::fs::read_to_string(SOCKETS).map_err(|_| "the system doesn't say who holds the port")?;
        match holders(&sockets, self.to).as_slice() {
            [one] if *one == self.owner => Ok(Owned(())),
            [] => Err("nobody holds the port"),
            _ => Err("somebody else holds the port"),
        }
    }
}

/// The users who listen at this address, or at its port on all addresses, by the kernel's table of sockets
/// (<https://docs.kernel.org/networking/proc_net_tcp.html>).
fn holders(sockets: &str, at: SocketAddr) -> Vec<u32> {
    let std::net::IpAddr::V4(address) = at.ip() else { return Vec::new() };
    // The kernel prints the four bytes as one number of this machine, the port as it is.
    let here = format!("{:08X}:{:04X}", u32::from_ne_bytes(address.octets()), at.port());
    let anywhere = format!("00000000:{:04X}", at.port());
    let mut users = Vec::new();
    for line in sockets.lines().skip(1) {
        let mut words = line.split_whitespace();
        let (Some(local), Some(state), Some(user)) = (words.nth(1), words.nth(1), words.nth(3)) else {
            continue;
        };
        if state == LISTENING
            && (local == here || local == anywhere)
            && let Ok(user) = user.parse()
        {
            users.push(user);
        }
    }
    users
}

fn copy(from: &HeaderMap, to: &mut HeaderMap, names: &[&'static str]) {
    for name in names {
        if let Some(value) = from.get(*name) {
            to.insert(HeaderName::from_static(name), value.clone());
        }
    }
}

const ASKED: &[&str] =
    &["x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds", "metadata-flavor", "metadata"];
const ANSWERED: &[&str] = &[
    "content-type",
    "server",
    "allow",
    "x-aws-ec2-metadata-token-ttl-seconds",
    "metadata-flavor",
    "x-doorward-evidence",
];
const SOCKETS: &str = "/proc/net/tcp";
/// `TCP_LISTEN` of the kernel.
const LISTENING: &str = "0A";
/// Longest wait for an answer; a person may have to type a code, and the SDK gives up on its own.
const WITHIN: Duration = Duration::from_secs(60);
/// Most bytes of an answer.
const MOST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
