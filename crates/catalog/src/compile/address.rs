//! Where an integration lives: authority, base path, and the hosts that its credential may go to.

use model::{Authority, IntegrationName, Scheme, Target};

use super::Origin;
use crate::file::File;
use crate::{Error, Wildcard};

/// Where an integration lives.
pub(super) struct Address {
    /// Scheme, host and port.
    pub(super) authority: Authority,
    /// What stands before every path; empty where nothing does.
    pub(super) base_path: String,
    /// Every host that the credential may go to.
    pub(super) hosts: Vec<String>,
    /// Where the host has a `*`.
    pub(super) wildcard: Option<Wildcard>,
}

/// The address that the file describes.
pub(super) fn compile(file: &File, origin: &Origin) -> Result<Address, Error> {
    if file.internal {
        let nowhere = "https://doorward.invalid".parse().map_err(|_| origin.wrong(0, "no address"))?;
        return Ok(Address {
            authority: nowhere,
            base_path: String::new(),
            hosts: Vec::new(),
            wildcard: None,
        });
    }
    let Some(base_url) = &file.base_url else { return Err(origin.wrong(0, "the key `base_url` is missing")) };
    let line = base_url.referenced.line();
    let text = with_domain(&base_url.value, file, origin)?;
    if file.domain.is_some() && !base_url.value.contains(DOMAIN) {
        return Err(origin.wrong(line, "`domain` is given, but `base_url` has no `{domain}`"));
    }
    let (authority, base_path) = split(&text).map_err(|problem| origin.wrong(line, problem))?;
    if authority.contains('*') {
        return anywhere_below(file, origin, (&authority, base_path, line));
    }
    // What was written is not repeated: a user name and password may stand in it.
    let authority: Authority = authority.parse().map_err(|error: model::ParseError| {
        origin.wrong(line, format!("`base_url` is {}", error.expected()))
    })?;
    if authority.scheme() == Scheme::Http && !file.dangerous_allow_private {
        return Err(origin.wrong(line, PLAIN));
    }
    let mut hosts = Vec::new();
    for host in file.hosts.iter().flatten() {
        let text = with_domain(&host.value, file, origin)?;
        let parsed: Authority = format!("https://{text}").parse().map_err(|_| {
            origin
                .wrong(host.referenced.line(), "a host is a name or an address in lower case, without a port")
        })?;
        if parsed.host() != text {
            return Err(origin.wrong(host.referenced.line(), "a host has no port and no brackets"));
        }
        hosts.push(text);
    }
    if file.hosts.is_none() {
        hosts.push(authority.host().to_owned());
    }
    if !hosts.iter().any(|host| host == authority.host()) {
        return Err(origin.wrong(line, "the host of `base_url` is not among `hosts`"));
    }
    Ok(Address { authority, base_path, hosts, wildcard: None })
}

/// An address whose host each call names.
fn anywhere_below(
    file: &File,
    origin: &Origin,
    (authority, base_path, line): (&str, String, u64),
) -> Result<Address, Error> {
    if file.hosts.is_some() {
        return Err(origin.wrong(line, "a `base_url` with `*` says itself where the credential may go"));
    }
    let wildcard = Wildcard::parse(authority).map_err(|problem| origin.wrong(line, problem))?;
    if wildcard.scheme() == Scheme::Http && !file.dangerous_allow_private {
        return Err(origin.wrong(line, PLAIN));
    }
    // It is dialled by nobody: a call without a host of its own is refused.
    let nowhere = "https://doorward.invalid".parse().map_err(|_| origin.wrong(0, "no address"))?;
    Ok(Address { authority: nowhere, base_path, hosts: Vec::new(), wildcard: Some(wildcard) })
}

/// The pairs in front of every query, as they are sent.
pub(super) fn query(file: &File, origin: &Origin) -> Result<String, Error> {
    let Some(query) = &file.query else { return Ok(String::new()) };
    let whole = format!("/?{}", query.value);
    let target: Option<Target> = whole.parse().ok().filter(|target: &Target| target.as_str() == whole);
    let plain = target.as_ref().and_then(Target::query).is_some_and(|query| !query.contains(';'));
    let named = target.iter().flat_map(Target::pairs).all(|(name, _)| !name.is_empty());
    if !plain || !named || query.value.is_empty() {
        let line = query.referenced.line();
        return Err(
            origin.wrong(line, "`query` is made of pairs, percent-encoded, such as `version=3&format=json`")
        );
    }
    Ok(query.value.clone())
}

/// The names besides its own. One that could be the name of an integration would stand in that one's way.
pub(super) fn aliases(file: &File, origin: &Origin) -> Result<Vec<String>, Error> {
    let mut aliases: Vec<String> = Vec::new();
    for alias in &file.aliases {
        let line = alias.referenced.line();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        if alias.value.is_empty() || alias.value.len() > LONGEST_ALIAS || !alias.value.bytes().all(plain) {
            let problem = "an alias is made of at most 255 lower-case letters, digits, `.`, `-` and `_`";
            return Err(origin.wrong(line, problem));
        }
        if alias.value.parse::<IntegrationName>().is_ok() {
            return Err(origin.wrong(line, "an alias that could be the name of an integration is its `name`"));
        }
        if aliases.contains(&alias.value) {
            return Err(origin.wrong(line, "the same alias is written twice"));
        }
        aliases.push(alias.value.clone());
    }
    Ok(aliases)
}

fn with_domain(text: &str, file: &File, origin: &Origin) -> Result<String, Error> {
    if !text.contains(DOMAIN) {
        return Ok(text.to_owned());
    }
    let Some(domain) = &file.domain else { return Err(Error::Domain { name: file.name.clone() }) };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':');
    if domain.value.is_empty() || !domain.value.bytes().all(plain) {
        let problem = "a domain is a host name in lower case, such as `ghe.example.com`";
        return Err(origin.wrong(domain.referenced.line(), problem));
    }
    Ok(text.replace(DOMAIN, &domain.value))
}

/// Scheme with host and port, and the base path.
fn split(text: &str) -> Result<(String, String), String> {
    let start = text.find("://").map(|at| at + 3).ok_or("`base_url` begins with `https://`")?;
    let slash = text.get(start..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| start + at);
    let (authority, path) = text.split_at_checked(slash).ok_or("`base_url` cannot be read")?;
    let authority = authority.to_owned();
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return Ok((authority, String::new()));
    }
    let canonical: Target = path
        .parse()
        .map_err(|error: model::ParseError| format!("the path of `base_url` is {}", error.expected()))?;
    if canonical.as_str() != path || canonical.query().is_some() || path.contains("//") {
        return Err("the path of `base_url` is not in its plain form".to_owned());
    }
    Ok((authority, path.to_owned()))
}

const PLAIN: &str =
    "a credential never goes over plain http, but to a private address with `dangerous_allow_private`";
const DOMAIN: &str = "{domain}";
/// As long as the name of a host may be (RFC 1035, section 2.3.4), and some more.
const LONGEST_ALIAS: usize = 255;
