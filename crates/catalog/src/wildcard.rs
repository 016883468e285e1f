//! An integration whose calls name their host themselves, below one domain: `https://*.example.com`.

use model::{Authority, Code, Refusal, Scheme};

/// Where the credential of such an integration may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    scheme: Scheme,
    /// The host in lower case; each `*` stands for one character or more, dots included.
    pattern: String,
    port: Option<u16>,
}

impl Wildcard {
    /// Reads `https://*.example.com`, with a port where there is one.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err("`base_url` begins with `https://`"),
        };
        let (pattern, port) = match rest.split_once(':') {
            Some((host, port)) => {
                (host, Some(port.parse().map_err(|_| "the port of `base_url` is not a number")?))
            }
            None => (rest, None),
        };
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'*');
        if !pattern.bytes().all(plain) {
            return Err("a host with `*` is in lower case, without user name and password");
        }
        // What stands behind the last `*` has to be a domain that somebody can own.
        let base = pattern.rsplit('*').next().unwrap_or_default();
        let labels: Vec<&str> = base.split('.').skip(1).collect();
        let private = |label: &str| base.starts_with('.') && PRIVATE.contains(&label);
        let owned = match labels.as_slice() {
            [only] => private(only),
            several => several.len() > 1 && several.iter().all(|label| !label.is_empty()),
        };
        if !owned {
            return Err(
                "behind the `*` of a host stands a domain of at least two labels, such as `*.example.com`, or one that is never public, such as `*.internal`",
            );
        }
        Ok(Self { scheme, pattern: pattern.to_owned(), port })
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether a host is one of these.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        matches(&self.pattern, host)
    }

    /// The authority that a call names, as `https://one.example.com`, or without the scheme. Path and query of it are not looked
    /// at.
    ///
    /// # Errors
    /// `bad_request` where it is none of these. What was written is not repeated.
    pub fn destination(&self, written: Option<&str>) -> Result<Authority, Refusal> {
        let wrong = |why: &str| {
            Refusal::new(Code::BadRequest, format!("{INVALID}: {why}")).hint(
                "name the host of the call in `X-Doorward-Destination`, such as `https://one.example.com`",
            )
        };
        let Some(written) = written.map(str::trim).filter(|text| !text.is_empty()) else {
            return Err(wrong("missing"));
        };
        let (scheme, rest) = match written.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, written.strip_prefix("//").unwrap_or(written)),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if scheme.is_some_and(|scheme| scheme != self.scheme.as_str()) {
            return Err(wrong("unexpected scheme"));
        }
        if authority.contains('@') {
            return Err(wrong("user info not allowed"));
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let host = host.to_ascii_lowercase();
        if host.is_empty() {
            return Err(wrong("missing host"));
        }
        if host.contains('*') {
            return Err(wrong("wildcard not allowed"));
        }
        let port = match (self.port, port.map(str::parse::<u16>)) {
            (ours, None) => ours,
            (Some(ours), Some(Ok(theirs))) if ours == theirs => Some(ours),
            _ => return Err(wrong("unexpected port")),
        };
        if !self.matches(&host) {
            return Err(wrong("host not permitted"));
        }
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://{host}{port}", self.scheme.as_str()).parse().map_err(|_| wrong("host not permitted"))
    }
}

impl std::fmt::Display for Wildcard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.pattern)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Whether a text has the form of a pattern in which each `*` stands for one byte or more.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let from = rest.char_indices().nth(1).map_or(rest.len(), |(at, _)| at);
        if rest.is_empty() {
            return false;
        }
        let Some(behind) = rest.get(from..) else { return false };
        if parts.peek().is_none() {
            return behind.ends_with(part);
        }
        let Some(at) = behind.find(part) else { return false };
        rest = behind.get(at + part.len()..).unwrap_or_default();
    }
    rest.is_empty()
}

/// How every refusal of a destination begins.
const INVALID: &str = "invalid destination";

/// Names of one label that nobody can register: RFC 6761, RFC 6762, RFC 8375's parent, and what is set aside for private use.
const PRIVATE: [&str; 8] = ["internal", "local", "localhost", "test", "lan", "home", "corp", "intranet"];

#[cfg(test)]
mod tests;
