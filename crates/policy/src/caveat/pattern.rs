//! What stands in the lists of caveats. Each has one spelling, so that two capabilities that say the same are the same.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use model::{Authority, IntegrationName, OperationName, ParseError, Resource, Target};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `slack/chat.post`, `slack/chat.*` or `slack/*`. A star stands for whole words behind a dot only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationPattern {
    integration: IntegrationName,
    shape: Shape,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shape {
    All,
    Under(OperationName),
    One(OperationName),
}

impl OperationPattern {
    /// The integration whose operations are meant.
    #[must_use]
    pub const fn integration(&self) -> &IntegrationName {
        &self.integration
    }

    pub(crate) fn matches(&self, integration: &IntegrationName, operation: &OperationName) -> bool {
        self.integration == *integration
            && match &self.shape {
                Shape::All => true,
                Shape::Under(prefix) => is_under(operation, prefix),
                Shape::One(name) => name == operation,
            }
    }

    /// Whether all that `other` matches is matched by this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.integration == other.integration
            && match (&self.shape, &other.shape) {
                (Shape::All, _) => true,
                (Shape::Under(prefix), Shape::Under(deeper)) => prefix == deeper || is_under(deeper, prefix),
                (Shape::Under(prefix), Shape::One(name)) => is_under(name, prefix),
                (Shape::One(name), Shape::One(other)) => name == other,
                (Shape::Under(_) | Shape::One(_), Shape::All) | (Shape::One(_), Shape::Under(_)) => false,
            }
    }
}

fn is_under(name: &OperationName, prefix: &OperationName) -> bool {
    name.as_str().strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('.'))
}

impl fmt::Display for OperationPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::All => write!(f, "{}/*", self.integration),
            Shape::Under(prefix) => write!(f, "{}/{prefix}.*", self.integration),
            Shape::One(name) => write!(f, "{}/{name}", self.integration),
        }
    }
}

impl FromStr for OperationPattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong =
            || ParseError::new("operation pattern", text, "`slack/chat.post`, `slack/chat.*` or `slack/*`");
        let (integration, rest) = text.split_once('/').ok_or_else(wrong)?;
        let integration = integration.parse().map_err(|_| wrong())?;
        let shape = match rest.strip_suffix(".*") {
            _ if rest == "*" => Shape::All,
            Some(prefix) => Shape::Under(prefix.parse().map_err(|_| wrong())?),
            None => Shape::One(rest.parse().map_err(|_| wrong())?),
        };
        Ok(Self { integration, shape })
    }
}

/// A resource, or the beginning of one with a `*` behind it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourcePattern(Resource);

impl ResourcePattern {
    pub(crate) fn matches(&self, resource: &str) -> bool {
        match self.prefix() {
            Some(prefix) => resource.starts_with(prefix),
            None => resource == self.0.as_str(),
        }
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self.prefix(), other.prefix()) {
            (Some(prefix), Some(deeper)) => deeper.starts_with(prefix),
            (Some(prefix), None) => other.0.as_str().starts_with(prefix),
            (None, None) => self.0 == other.0,
            (None, Some(_)) => false,
        }
    }

    fn prefix(&self) -> Option<&str> {
        self.0.as_str().strip_suffix('*')
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ResourcePattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("resource pattern", text, "a resource, or its beginning and one `*`");
        let resource: Resource = text.parse().map_err(|_| wrong())?;
        let stars = text.bytes().filter(|byte| *byte == b'*').count();
        if stars > 1 || (stars == 1 && !text.ends_with('*')) {
            return Err(wrong());
        }
        Ok(Self(resource))
    }
}

/// A path and all below it, by whole segments: `/api` covers `/api/x` and not `/apis`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix(Arc<str>);

impl PathPrefix {
    pub(crate) fn matches(&self, path: &str) -> bool {
        *self.0 == *"/"
            || path.strip_prefix(&*self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PathPrefix {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("path prefix", text, "a canonical path such as `/api/v4`");
        let target: Target = text.parse().map_err(|_| wrong())?;
        if target.as_str() != text || target.query().is_some() || (text.ends_with('/') && text != "/") {
            return Err(wrong());
        }
        Ok(Self(text.into()))
    }
}

/// The host of an upstream, lower case, without a port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Arc<str>);

impl Host {
    pub(crate) fn matches(&self, host: &str) -> bool {
        *self.0 == *host
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("host", text, "a host name or address without a port");
        let written =
            if text.contains(':') { format!("https://[{text}]") } else { format!("https://{text}") };
        let authority: Authority = written.parse().map_err(|_| wrong())?;
        if authority.host() == text { Ok(Self(text.into())) } else { Err(wrong()) }
    }
}

/// A network: all bits behind the prefix are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// The network of an address and the length of its prefix; `None` where bits behind the prefix are set, or where
    /// the same addresses have another spelling (IPv4 inside IPv6).
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let network = IpNet::new(address, prefix).ok()?;
        (network.trunc() == network && address == address.to_canonical()).then_some(Self(network))
    }

    pub(crate) const fn network(&self) -> &IpNet {
        &self.0
    }

    /// Whether the address lies inside; an IPv4 address inside IPv6 is read as IPv4.
    pub(crate) fn matches(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cidr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("network", text, "an address and a prefix such as `10.0.0.0/8`");
        let network: IpNet = text.parse().map_err(|_| wrong())?;
        Self::new(network.addr(), network.prefix_len()).ok_or_else(wrong)
    }
}

/// A short visible text: an environment, a purpose, the name or value of an input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Text {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let clean = !text.is_empty() && text.len() <= 512 && !text.chars().any(char::is_control);
        if clean && text.trim() == text {
            return Ok(Self(text.into()));
        }
        Err(ParseError::new("text", text, "1 to 512 bytes without control characters or outer white space"))
    }
}

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

macro_rules! as_text {
    ($($name:ident),+) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{self}`")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+ };
}

as_text!(OperationPattern, ResourcePattern, PathPrefix, Host, Cidr, Text);

#[cfg(test)]
mod tests;
