//! By which names this door is asked for.
//!
//! Whoever owns a name can have it lead to this machine (DNS rebinding). A page under that name is then, for a browser, of the same
//! origin as what it asks here; only the name in `Host` gives it away. So a request under any other name is refused before anything
//! else is looked at. An address instead of a name can't be led anywhere, and is fine where the door is open to more than this machine.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::header;
use http::request::Parts;
use model::{Authority, ParseError, Scheme};

/// The names of a door.
#[derive(Debug, Clone)]
pub struct Names {
    listens: SocketAddr,
    public: Option<Authority>,
    others: Vec<Name>,
}

/// A name under which programs ask, with its port where only that one counts: `doorward`, `doorward.apps.svc:8000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    host: String,
    port: Option<u16>,
}

/// Proof that a request came under a name of ours.
#[derive(Debug)]
#[must_use]
pub(crate) struct Known {
    /// As it was written, in lower case.
    host: String,
    /// The address for people, where it was asked for by that.
    public: Option<Authority>,
}

/// The request came under a name that is not ours.
#[derive(Debug)]
pub(crate) struct Foreign;

impl Names {
    /// The names of a door that listens there: those of this machine, the address for people, and these others.
    #[must_use]
    pub const fn new(listens: SocketAddr, public: Option<Authority>, others: Vec<Name>) -> Self {
        Self { listens, public, others }
    }

    /// Where people find it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.public {
            Some(public) => public.to_string(),
            None if self.listens.ip().is_unspecified() => format!("http://127.0.0.1:{}", self.listens.port()),
            None => format!("http://{}", self.listens),
        }
    }

    /// Looks at the name under which a request came.
    ///
    /// # Errors
    /// Where it is not one of ours, is missing, or is said twice and not the same.
    pub(crate) fn find(&self, parts: &Parts) -> Result<Known, Foreign> {
        let mut lines = parts.headers.get_all(header::HOST).iter();
        let (line, another) = (lines.next(), lines.next());
        if another.is_some() {
            return Err(Foreign);
        }
        let line = line.map(|line| line.to_str().map_err(|_| Foreign)).transpose()?;
        let target = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = match (target, line) {
            (Some(target), Some(line)) if !target.eq_ignore_ascii_case(line) => return Err(Foreign),
            (Some(host), _) | (None, Some(host)) => host.to_ascii_lowercase(),
            (None, None) => return Err(Foreign),
        };
        let name: Name = host.parse().map_err(|_| Foreign)?;
        if let Some(public) = self.public.as_ref().filter(|public| name.is_at(public)) {
            return Ok(Known { host, public: Some(public.clone()) });
        }
        let _one = self.own(&name).or_else(|Foreign| self.other(&name))?;
        Ok(Known { host, public: None })
    }

    /// A name of this machine, with whatever port: a name can be led here by others, a port only by whoever forwards it.
    fn own(&self, name: &Name) -> Result<Ours, Foreign> {
        let address = name.host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        let near = name.host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let open = !self.listens.ip().to_canonical().is_loopback();
        if near || (open && address.is_some()) { Ok(Ours) } else { Err(Foreign) }
    }

    fn other(&self, name: &Name) -> Result<Ours, Foreign> {
        let is_it = |one: &&Name| one.host == name.host && (one.port.is_none() || one.port == name.port);
        self.others.iter().find(is_it).map(|_| Ours).ok_or(Foreign)
    }
}

/// Proof that a name is one of ours.
#[must_use]
struct Ours;

impl Name {
    fn is_at(&self, place: &Authority) -> bool {
        self.host == place.host() && self.port.unwrap_or(place.scheme().default_port()) == place.port()
    }
}

impl FromStr for Name {
    type Err = ParseError;

    /// Reads a host in lower case, with its port where there is one.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = |_| ParseError::new("host", text, "a name such as `doorward` or `doorward.example:8000`");
        let read: Authority = format!("http://{text}").parse().map_err(wrong)?;
        let behind = text.rsplit_once(']').map_or(text, |(_, behind)| behind);
        let port = behind.contains(':').then(|| read.port());
        Ok(Self { host: read.host().to_owned(), port })
    }
}

impl Known {
    /// The name of a cookie, and what else it says. Behind TLS it goes no other way, and the prefix keeps pages of neighbouring names
    /// from writing it (RFC 6265bis, section 4.1.3).
    pub(crate) fn cookie(&self, name: &str) -> (String, &'static str) {
        if self.is_guarded() { (format!("{GUARDED}{name}"), "; Secure") } else { (name.to_owned(), "") }
    }

    /// Whether browsers come by TLS.
    pub(crate) fn is_guarded(&self) -> bool {
        self.public.as_ref().is_some_and(|public| public.scheme() == Scheme::Https)
    }

    /// Whether this is the origin of the pages under this name.
    pub(crate) fn is_origin(&self, origin: &str) -> bool {
        if let Some(public) = &self.public {
            return origin == public.to_string();
        }
        let named = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        named.is_some_and(|named| named.eq_ignore_ascii_case(&self.host))
    }

    /// One for tests of what comes after it.
    #[cfg(test)]
    pub(crate) fn at(host: &str, public: Option<Authority>) -> Self {
        Self { host: host.to_owned(), public }
    }
}

/// What the name of a cookie begins with that only its own host may write, and only by TLS.
const GUARDED: &str = "__Host-";

#[cfg(test)]
mod tests;
