//! Who may speak to a metadata server at all: programs of this machine, by a name of the server, without anything between.
//!
//! A metadata server gives credentials to whoever can reach it, so reaching it is what is guarded. A page in a browser
//! could have a name of its own point at 127.0.0.1; a program that fetches addresses for others could be sent here.
//!
//! # Invariants
//!
//! - Nothing is answered without an [`Entry`], which only [`Gate::admit`] makes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::header;
use http::request::Parts;
use net::{Listener, Peer};

use crate::Error;
use crate::refused::{Reason, is_forwarded, is_from_a_page};

/// The address of the metadata servers of EC2, GCP and Azure.
pub const LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// From where a server may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// This machine only.
    Loopback,
    /// Every machine that can, by one of these names (`host` or `host:port`, as programs write it in the address), of
    /// which there has to be one. For servers with a token only.
    Named(Vec<String>),
}

/// Proof that a request came from where it may come from and was meant for this server.
#[derive(Debug)]
#[must_use]
pub(crate) struct Entry(());

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate {
    hosts: Vec<Box<str>>,
    peers: Peers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peers {
    /// Loopback, and the metadata address itself: who dials an address of his own machine comes from it.
    Machine,
    Any,
}

impl Gate {
    /// A gate for this listener: known by the address where it listens and by `names`.
    ///
    /// # Errors
    /// When the listener is no TCP listener, is open to other machines although `reach` says that it is not, or a name
    /// is none.
    pub(crate) fn of(listener: &Listener, reach: &Reach, names: &[&str]) -> Result<Self, Error> {
        let address = listener.address().ok_or(Error::NotTcp)?;
        let mut hosts: Vec<Box<str>> = Vec::new();
        for name in names {
            hosts.push((*name).into());
            hosts.push(format!("{name}:80").into());
        }
        let peers = match reach {
            Reach::Loopback if is_of_this_machine(address.ip()) => Peers::Machine,
            Reach::Loopback => return Err(Error::NotLoopback(address)),
            Reach::Named(named) => {
                if named.is_empty() {
                    return Err(Error::NotLoopback(address));
                }
                for name in named {
                    hosts.push(host(name)?);
                }
                Peers::Any
            }
        };
        hosts.extend(own_names(address));
        Ok(Self { hosts, peers })
    }

    /// Admits a request, or says why not.
    pub(crate) fn admit(&self, parts: &Parts, peer: &Peer) -> Result<Entry, Reason> {
        let here = peer.address.is_some_and(is_of_this_machine);
        if self.peers == Peers::Machine && !here {
            return Err(Reason::Peer);
        }
        let target = parts.uri.authority().map(http::uri::Authority::as_str);
        let named = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        // Both have to be ours where both are there; one has to be there.
        if target.is_none() && named.is_none() {
            return Err(Reason::Host);
        }
        if [target, named].into_iter().flatten().any(|name| !self.is_ours(name)) {
            return Err(Reason::Host);
        }
        if is_forwarded(&parts.headers) {
            return Err(Reason::Forwarded);
        }
        if is_from_a_page(&parts.headers) {
            return Err(Reason::Browser);
        }
        Ok(Entry(()))
    }

    fn is_ours(&self, name: &str) -> bool {
        self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }
}

fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || address == IpAddr::V4(LINK_LOCAL)
}

/// What programs of this machine write when they dial this address.
fn own_names(address: SocketAddr) -> Vec<Box<str>> {
    let port = address.port();
    let mut names = vec![format!("127.0.0.1:{port}").into(), format!("localhost:{port}").into()];
    if address.is_ipv6() {
        names.push(format!("[::1]:{port}").into());
    }
    if port == 80 {
        names.extend(["127.0.0.1".into(), "localhost".into(), "[::1]".into()]);
    }
    names
}

fn host(name: &str) -> Result<Box<str>, Error> {
    match name.parse::<http::uri::Authority>() {
        Ok(authority)
            if authority.as_str() == name && !name.contains('@') && !authority.host().is_empty() =>
        {
            Ok(name.into())
        }
        _ => Err(Error::Host(name.to_owned())),
    }
}

#[cfg(test)]
mod tests;
