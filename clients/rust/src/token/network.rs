//! Networks in their one spelling: no bit behind the prefix is set, and IPv4 is written as IPv4.

use std::fmt;
use std::net::IpAddr;

use super::bytes::Reader;
use crate::Error;

/// A network. IPv4 sorts before IPv6, then by address, then by prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let number: u8 = prefix.parse().ok()?;
        let written = number.to_string() == prefix;
        Self::new(address.parse().ok()?, number).filter(|_| written)
    }

    fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let network = Self { address, prefix };
        let longest = network.bytes().len() * 8;
        let good = usize::from(prefix) <= longest && address == address.to_canonical();
        let clear = (usize::from(prefix)..longest).all(|at| !bit(&network.bytes(), at));
        (good && clear).then_some(network)
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, Error> {
        let address = match from.u8()? {
            4 => IpAddr::from(from.array::<4>()?),
            6 => IpAddr::from(from.array::<16>()?),
            _ => return Err(Error::malformed("a caveat has a wrong value")),
        };
        Self::new(address, from.u8()?).ok_or_else(|| Error::malformed("a caveat has a wrong value"))
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(if self.address.is_ipv4() { 4 } else { 6 });
        out.extend_from_slice(&self.bytes());
        out.push(self.prefix);
    }

    /// Whether an address lies inside; IPv4 inside IPv6 is read as IPv4.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        self.covers(&Self { address, prefix: most })
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.bytes(), other.bytes());
        let same = (0..usize::from(self.prefix)).all(|at| bit(&mine, at) == bit(&theirs, at));
        mine.len() == theirs.len() && self.prefix <= other.prefix && same
    }

    fn bytes(&self) -> Vec<u8> {
        match self.address {
            IpAddr::V4(four) => four.octets().to_vec(),
            IpAddr::V6(six) => six.octets().to_vec(),
        }
    }
}

fn bit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1)
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)
    }
}
