//! Which proxy a request goes through, in the words of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
//!
//! There is no standard for these; what is read here is what the programs read that people set them for: a list of
//! names (with their subdomains), addresses and networks, each with a port or without, and `*` for everything. A request
//! to this machine never goes through a proxy.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use model::{Authority, Scheme};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// The proxies of one environment.
#[derive(Default)]
pub struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    except: Vec<Exception>,
}

/// Why a proxy setting cannot be used. Says which, and not what it was, as there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address of the proxy in `{setting}` {what}")]
pub struct ProxyError {
    setting: &'static str,
    what: &'static str,
}

impl ProxyError {
    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        Some("write it as `http://HOST:PORT`, `https://HOST:PORT` or `http://NAME:PASSWORD@HOST:PORT`")
    }
}

impl Proxies {
    /// From the values of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. An empty value is none.
    ///
    /// # Errors
    /// When an address is not one of an HTTP proxy. What is not understood in `NO_PROXY` matches nothing, as everywhere.
    pub fn new(https: Option<&str>, http: Option<&str>, except: Option<&str>) -> Result<Self, ProxyError> {
        let read = |setting, value: Option<&str>| {
            let value = value.map(str::trim).filter(|value| !value.is_empty());
            value.map(|value| Proxy::parse(setting, value)).transpose()
        };
        Ok(Self {
            https: read("HTTPS_PROXY", https)?,
            http: read("HTTP_PROXY", http)?,
            except: except.unwrap_or_default().split([',', ' ']).filter_map(Exception::parse).collect(),
        })
    }

    /// The proxy for a request to this place.
    pub(super) fn of(&self, authority: &Authority) -> Option<&Proxy> {
        let proxy = match authority.scheme() {
            Scheme::Https => self.https.as_ref(),
            Scheme::Http => self.http.as_ref(),
        }?;
        let host = authority.host();
        let address: Option<IpAddr> = host.parse().ok();
        let here = host == "localhost" || address.is_some_and(|ip| ip.is_loopback());
        let excepted =
            || self.except.iter().any(|exception| exception.matches(host, address, authority.port()));
        (!here && !excepted()).then_some(proxy)
    }
}

/// One proxy.
pub(crate) struct Proxy {
    authority: Authority,
    basic: Option<Zeroizing<String>>,
}

impl Proxy {
    /// One that wants this `user:password`, or none.
    pub(crate) fn with(authority: Authority, pair: Option<&[u8]>) -> Self {
        Self { authority, basic: pair.map(basic) }
    }

    fn parse(setting: &'static str, text: &str) -> Result<Self, ProxyError> {
        let wrong = |what| ProxyError { setting, what };
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !matches!(scheme, "http" | "https") {
            return Err(wrong("is not one of an HTTP proxy"));
        }
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        let authority = format!("{scheme}://{}", host.to_ascii_lowercase());
        let authority = authority.parse().map_err(|_| wrong("has no host and port that can be dialled"))?;
        let basic = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let mut plain = Zeroizing::new(Vec::with_capacity(user.len() + 1));
            plain.extend(percent_decode_str(name));
            plain.push(b':');
            plain.extend(percent_decode_str(password));
            basic(&plain)
        });
        Ok(Self { authority, basic })
    }

    pub(crate) const fn scheme(&self) -> Scheme {
        self.authority.scheme()
    }

    pub(super) const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.basic.as_ref()?).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The value of `Proxy-Authorization` for `user:password` (RFC 7617).
fn basic(pair: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair)))
}

impl fmt::Debug for Proxy {
    /// Where it is; never who we are there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.authority.fmt(f)
    }
}

/// What does not go through a proxy.
#[derive(Debug, PartialEq, Eq)]
enum Exception {
    Everything,
    Address(IpAddr, Option<u16>),
    Network(IpAddr, u8),
    Name { name: String, itself: bool, port: Option<u16> },
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "" => return None,
            "*" => return Some(Self::Everything),
            _ => {}
        }
        if let Some((network, bits)) = text.split_once('/') {
            let network: IpAddr = network.parse().ok()?;
            let most = if network.is_ipv4() { 32 } else { 128 };
            return bits.parse().ok().filter(|bits| *bits <= most).map(|bits| Self::Network(network, bits));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse() {
            return Some(Self::Address(address, None));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Some(Self::Address(address, port));
        }
        let (name, itself) = match host.strip_prefix("*.").or_else(|| host.strip_prefix('.')) {
            Some(name) => (name, false),
            None => (host, true),
        };
        let name = name.trim_end_matches('.').to_owned();
        (!name.is_empty()).then_some(Self::Name { name, itself, port })
    }

    fn matches(&self, host: &str, address: Option<IpAddr>, at: u16) -> bool {
        let same_port = |port: &Option<u16>| port.is_none_or(|port| port == at);
        match self {
            Self::Everything => true,
            Self::Address(excepted, port) => address == Some(*excepted) && same_port(port),
            Self::Network(network, bits) => address.is_some_and(|address| within(address, *network, *bits)),
            Self::Name { name, itself, port } => {
                let below = host.strip_suffix(name.as_str()).is_some_and(|start| start.ends_with('.'));
                (below || (*itself && host == name)) && same_port(port)
            }
        }
    }
}

/// Whether the first bits of two addresses of one family are the same.
fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests;
