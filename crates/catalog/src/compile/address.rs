//! Where an integration lives: authority, base path, and the hosts that its credential may go to.

use model::{Authority, Scheme, Target};

use super::Origin;
use crate::Error;
use crate::file::File;

/// Where an integration lives.
pub(super) struct Address {
    /// Scheme, host and port.
    pub(super) authority: Authority,
    /// What stands before every path; empty where nothing does.
    pub(super) base_path: String,
    /// Every host that the credential may go to.
    pub(super) hosts: Vec<String>,
}

/// The address that the file describes.
pub(super) fn compile(file: &File, origin: &Origin) -> Result<Address, Error> {
    if file.internal {
        let nowhere = "https://doorward.invalid".parse().map_err(|_| origin.wrong(0, "no address"))?;
        return Ok(Address { authority: nowhere, base_path: String::new(), hosts: Vec::new() });
    }
    let Some(base_url) = &file.base_url else { return Err(origin.wrong(0, "the key `base_url` is missing")) };
    let line = base_url.referenced.line();
    let text = with_domain(&base_url.value, file, origin)?;
    if file.domain.is_some() && !base_url.value.contains(DOMAIN) {
        return Err(origin.wrong(line, "`domain` is given, but `base_url` has no `{domain}`"));
    }
    let (authority, base_path) = split(&text).map_err(|problem| origin.wrong(line, problem))?;
    if authority.scheme() == Scheme::Http && !file.dangerous_allow_private {
        let problem = "a credential never goes over plain http, but to a private address with `dangerous_allow_private`";
        return Err(origin.wrong(line, problem));
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
    Ok(Address { authority, base_path, hosts })
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

fn split(text: &str) -> Result<(Authority, String), String> {
    let start = text.find("://").map(|at| at + 3).ok_or("`base_url` begins with `https://`")?;
    let slash = text.get(start..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| start + at);
    let (authority, path) = text.split_at_checked(slash).ok_or("`base_url` cannot be read")?;
    // What was written is not repeated: a user name and password may stand in it.
    let authority = authority
        .parse()
        .map_err(|error: model::ParseError| format!("`base_url` is {}", error.expected()))?;
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

const DOMAIN: &str = "{domain}";
