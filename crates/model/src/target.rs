//! What a request asks for, in the one form that is matched and sent.
//!
//! A path is accepted in canonical form or brought into it by the two rewritings that RFC 3986, section 6.2.2, calls
//! equivalent: hex digits of an escape in upper case, and escaped unreserved characters unescaped. What two servers might
//! read differently is refused: dot segments (also escaped, also between `%2F`), back slashes, control characters, broken
//! escapes, escapes within escapes, overlong or non-NFC text, invisible characters, lookalikes of separators. `%2F` stays what it is, one character of a segment.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::ParseError;

mod readings;

use readings::{check_segments, check_text, decode};

/// A method of HTTP that can be forwarded (RFC 9110, section 9, and RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the methods")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// As it stands on the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = ParseError;

    /// Methods are case-sensitive (RFC 9110, section 9.1); `get` is refused.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options]
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| ParseError::new("method", text, "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"))
    }
}

/// The scheme of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the schemes")]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// As it stands before `://`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is meant where none is written.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where a credential may go: scheme, host and port. The host is lower case, without a trailing dot. Cloning it copies no text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    scheme: Scheme,
    host: Arc<str>,
    port: u16,
}

impl Authority {
    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// As it stands in a `Host` header: the port only where it is not the scheme's own.
    #[must_use]
    pub fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_string() };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host_header())
    }
}

impl FromStr for Authority {
    type Err = ParseError;

    /// Reads `https://host` or `http://host:port`; a path, user information, or a host that is not plain ASCII is refused.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("upstream", text, "`https://host` or `https://host:port`");
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(wrong()),
        };
        let (host, port) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, tail)) => {
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                (host, tail.strip_prefix(':').or(tail.is_empty().then_some("")).ok_or_else(wrong)?)
            }
            None => rest.split_once(':').unwrap_or((rest, "")),
        };
        let written = rest.len() > host.len() && rest.ends_with(':');
        let port = match port {
            "" if written => return Err(wrong()),
            "" => scheme.default_port(),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        let name =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b':' | b'_');
        let plain = !host.is_empty() && host.len() <= 253 && host.bytes().all(name);
        if !plain || host.starts_with('.') || host.ends_with('.') || host.contains("..") || port == 0 {
            return Err(wrong());
        }
        Ok(Self { scheme, host: host.into(), port })
    }
}

/// Path and query of a request, canonical: the bytes that are matched and sent. Cloning it copies no text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    text: Arc<str>,
    query: Option<usize>,
}

impl Target {
    /// The path, percent-encoded, starting with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(..self.query.unwrap_or(self.text.len())).unwrap_or_default()
    }

    /// The path as [`Self::path`], to keep: not copied where there is no query.
    #[must_use]
    pub fn path_shared(&self) -> Arc<str> {
        if self.query.is_none() { Arc::clone(&self.text) } else { self.path().into() }
    }

    /// The query without its `?`, percent-encoded, where there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.and_then(|at| self.text.get(at + 1..))
    }

    /// Path and query as they are sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments of the path, still percent-encoded; a trailing `/` gives a last, empty one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.path().split('/').skip(1)
    }

    /// The pairs of the query, decoded (`+` is a space), in order, duplicates included.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.query().into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()).map(
            |pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode_query(key), decode_query(value))
            },
        )
    }

    /// The target behind a prefix of whole segments: `/slack/api/x` behind `/slack` is `/api/x`.
    #[must_use]
    pub fn strip_prefix(&self, prefix: &str) -> Option<Self> {
        let rest = self.text.strip_prefix(prefix)?;
        let text: Arc<str> = match rest.bytes().next() {
            Some(b'/') => rest.into(),
            None | Some(b'?') => format!("/{rest}").into(),
            Some(_) => return None,
        };
        let query = text.find('?');
        Some(Self { text, query })
    }

    /// The target under a base path such as `/api/v4`; the base has no trailing slash.
    ///
    /// # Errors
    /// When the base is not canonical itself.
    pub fn under(&self, base: &str) -> Result<Self, ParseError> {
        if base.is_empty() || base == "/" {
            return Ok(self.clone());
        }
        format!("{}{}", base.trim_end_matches('/'), self.text).parse()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Target {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = |expected| ParseError::new("request target", text, expected);
        if !text.starts_with('/') || text.len() > LONGEST {
            return Err(wrong("a path that starts with `/`, at most 16384 bytes with its query"));
        }
        if !text.bytes().all(|b| {
            b.is_ascii_graphic()
                && !matches!(b, b'\\' | b'#' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
        }) {
            return Err(wrong("only characters that RFC 3986 allows, the others percent-encoded"));
        }
        let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
        let path = canonical(path).ok_or_else(|| wrong("whole percent-escapes of valid UTF-8"))?;
        if path.contains('.') || path.contains('%') {
            check_segments(&path).map_err(wrong)?;
        }
        let query = match query {
            Some(query) => {
                Some(canonical(query).ok_or_else(|| wrong("whole percent-escapes of valid UTF-8"))?)
            }
            None => None,
        };
        if let Some(query) = &query {
            check_text(query).map_err(wrong)?;
        }
        let at = query.is_some().then_some(path.len());
        let text: Arc<str> = match &query {
            Some(query) => format!("{path}?{query}").into(),
            None => path.into(),
        };
        Ok(Self { text, query: at })
    }
}

/// Upper-case hex digits, unreserved characters unescaped; `None` where an escape is broken.
fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(char::from(byte));
            continue;
        }
        let value = hex(bytes.next()?)? << 4 | hex(bytes.next()?)?;
        if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(value));
        } else {
            out.push('%');
            out.push(DIGITS.get(usize::from(value >> 4)).copied().map(char::from)?);
            out.push(DIGITS.get(usize::from(value & 15)).copied().map(char::from)?);
        }
    }
    Some(Cow::Owned(out))
}

fn decode_query(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8(decode(&text.replace('+', " "))).unwrap_or_default())
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
/// Longest path and query together, in bytes.
const LONGEST: usize = 16_384;

#[cfg(test)]
mod tests;
