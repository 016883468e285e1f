//! Which addresses may be dialled.
//!
//! A name is resolved once, every address of the answer is checked, and the connection goes to a checked address: there
//! is no second look-up that could answer something else. One forbidden address in an answer refuses the whole name,
//! because an answer that mixes public and private addresses is how a rebinding attack looks.
//!
//! # Invariants
//!
//! - A [`CheckedAddress`] is made here only.
//! - What is not known to be public is refused: of IPv6, only global unicast without its tunnels and test ranges.
//! - Metadata services, link-local, unspecified, multicast and reserved addresses are refused whatever the user says; only our
//!   own request for a token may ask a metadata service ([`Private::Metadata`]).
//! - `http` goes to loopback and private addresses only, and only where the user's own layer allows those.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use model::{Authority, Scheme};

use crate::Error;

/// Whether loopback and private addresses may be dialled. Only the user's own layer says `dangerous_allow_private`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Private {
    /// Public addresses over https only.
    Refused,
    /// Loopback and private ranges as well, there also over plain http.
    Allowed,
    /// A metadata service of this machine and nothing else: link-local, loopback and private addresses. For our own requests
    /// for a token; never for a caller's.
    Metadata,
}

/// Where names are looked up.
#[derive(Debug, Clone, Default)]
pub enum Names {
    /// With the system's resolver.
    #[default]
    System,
    /// In this table and nowhere else; what is not in it does not resolve. The guard applies all the same.
    Table(Arc<BTreeMap<Box<str>, Vec<IpAddr>>>),
}

/// Proof that an address may be dialled for one upstream.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct CheckedAddress(SocketAddr);

impl CheckedAddress {
    /// The address to connect to.
    #[must_use]
    pub const fn socket(&self) -> SocketAddr {
        self.0
    }
}

/// Why an address may not be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forbidden {
    /// The host is a number in a notation that programs read differently.
    #[error("the host is an address in an ambiguous notation")]
    Notation,
    /// The address is of a kind that is never dialled.
    #[error("{0} is {1}")]
    Never(IpAddr, &'static str),
    /// The address is loopback or private, and nobody allowed that.
    #[error("{0} is a loopback or private address")]
    Private(IpAddr),
    /// The address is public, where a metadata service of this machine was to be.
    #[error("{0} is a public address, and no metadata service is at one")]
    Public(IpAddr),
    /// Plain http to a public address, or without leave.
    #[error("plain http is only for loopback and private addresses that are allowed")]
    Plain,
}

/// Resolves an upstream once and checks every address that it has.
///
/// # Errors
/// [`Error::Address`] when any of them is forbidden, [`Error::Unreachable`] when there is none.
pub async fn check(
    authority: &Authority,
    private: Private,
    names: &Names,
) -> Result<Vec<CheckedAddress>, Error> {
    let forbidden = |reason| Error::Address { upstream: authority.to_string().into(), reason };
    if authority.scheme() == Scheme::Http && private == Private::Refused {
        return Err(forbidden(Forbidden::Plain));
    }
    let addresses = match as_address(authority.host()).map_err(forbidden)? {
        Some(address) => vec![address],
        None => look_up(authority, names)
            .await
            .map_err(|source| Error::Unreachable { upstream: authority.to_string().into(), source })?,
    };
    addresses.into_iter().map(|ip| address(authority, ip, private).map_err(forbidden)).collect()
}

/// Checks the host of an upstream where it is an address already; nobody is asked what a name stands for.
///
/// # Errors
/// When it may not be dialled.
pub fn literal(authority: &Authority, private: Private) -> Result<(), Forbidden> {
    as_address(authority.host())?.map_or(Ok(()), |ip| address(authority, ip, private).map(drop))
}

/// Checks one address that an upstream's name stands for.
///
/// # Errors
/// When it may not be dialled.
pub fn address(authority: &Authority, ip: IpAddr, private: Private) -> Result<CheckedAddress, Forbidden> {
    let checked = CheckedAddress(SocketAddr::new(ip, authority.port()));
    match (class(ip), private, authority.scheme()) {
        (Class::Never(_), Private::Metadata, Scheme::Http | Scheme::Https) if is_metadata(ip) => Ok(checked),
        (Class::Never(why), _, _) => Err(Forbidden::Never(ip, why)),
        (Class::Private, Private::Refused, _) => Err(Forbidden::Private(ip)),
        (Class::Private, Private::Allowed | Private::Metadata, Scheme::Http | Scheme::Https)
        | (Class::Public, Private::Refused | Private::Allowed, Scheme::Https) => Ok(checked),
        (Class::Public, Private::Refused | Private::Allowed, Scheme::Http) => Err(Forbidden::Plain),
        (Class::Public, Private::Metadata, _) => Err(Forbidden::Public(ip)),
    }
}

/// Where machines and containers of clouds find their metadata service.
fn is_metadata(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if matches!(ip.octets(), [169, 254, ..]))
}

/// The address that a host is, `None` for a name. A host whose last label is a number (`127.1`, `0x7f.1`, `2130706433`,
/// `0177.0.0.1`) but which is not four plain decimal numbers is refused: the system's resolver would read it as an
/// address that no rule has seen.
fn as_address(host: &str) -> Result<Option<IpAddr>, Forbidden> {
    if host.contains(':') {
        return host.parse::<Ipv6Addr>().map(|ip| Some(IpAddr::V6(ip))).map_err(|_| Forbidden::Notation);
    }
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return Ok(Some(IpAddr::V4(ip)));
    }
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let hexadecimal = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if last.is_empty() || hexadecimal || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Forbidden::Notation);
    }
    Ok(None)
}

async fn look_up(authority: &Authority, names: &Names) -> std::io::Result<Vec<IpAddr>> {
    let found: Vec<IpAddr> = match names {
        Names::System => tokio::net::lookup_host((authority.host(), authority.port()))
            .await?
            .map(|socket| socket.ip())
            .collect(),
        Names::Table(table) => table.get(authority.host()).cloned().unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, NoAddress));
    }
    Ok(found)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Public,
    Private,
    Never(&'static str),
}

fn class(ip: IpAddr) -> Class {
    match ip {
        IpAddr::V4(ip) => class_v4(ip),
        IpAddr::V6(ip) => class_v6(ip),
    }
}

const fn class_v4(ip: Ipv4Addr) -> Class {
    match ip.octets() {
        [0, ..] => Class::Never("unspecified"),
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        [100, 64..=127, ..] => Class::Never("shared address space of a carrier"),
        [169, 254, ..] => Class::Never("link-local, where metadata services live"),
        [168, 63, 129, 16] => Class::Never("a metadata service"),
        [192, 0, 0, _] => Class::Never("reserved for protocols"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Never("for documentation"),
        [192, 88, 99, _] => Class::Never("a tunnel relay"),
        [198, 18 | 19, ..] => Class::Never("for benchmarks"),
        [224..=239, ..] => Class::Never("multicast"),
        [240..=255, ..] => Class::Never("reserved or broadcast"),
        _ => Class::Public,
    }
}

fn class_v6(ip: Ipv6Addr) -> Class {
    if ip == Ipv6Addr::LOCALHOST {
        return Class::Private;
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, ..] => Class::Never("unspecified or an IPv4 address in disguise"),
        [0, 0, 0, 0, 0, 0xffff, ..] => Class::Never("an IPv4 address in disguise"),
        // DNS64 makes these for every IPv4-only name, so they have to work where the embedded address is public.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            match class_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))) {
                Class::Public => Class::Public,
                Class::Private => Class::Never("a translated private address"),
                never @ Class::Never(_) => never,
            }
        }
        [0x64, 0xff9b, ..] => Class::Never("a locally translated address"),
        [0xfd00, 0x0ec2, ..] => Class::Never("a metadata service"),
        [0xfd20, 0x00ce, ..] => Class::Never("a metadata service"),
        [0xfc00..=0xfdff, ..] => Class::Private,
        [0xfe80..=0xfebf, ..] => Class::Never("link-local"),
        [0xfec0..=0xfeff, ..] => Class::Never("site-local"),
        [0xff00..=0xffff, ..] => Class::Never("multicast"),
        [0x2001, 0..=0x01ff, ..] => Class::Never("a tunnel, for benchmarks, or reserved for protocols"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Class::Never("for documentation"),
        [0x2002, ..] => Class::Never("a tunnel"),
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Never("not global unicast"),
    }
}

#[derive(Debug)]
struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has no address")
    }
}

impl std::error::Error for NoAddress {}

#[cfg(test)]
mod tests;
