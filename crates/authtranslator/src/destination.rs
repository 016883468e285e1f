//! Where an integration's requests go.

use model::{Authority, Target};

/// A destination, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// Scheme, host, port and base path, as our files write them.
    pub(crate) base_url: String,
    /// The host in lower case.
    pub(crate) host: String,
    /// The base path; empty where there is none.
    pub(crate) base_path: String,
    /// What stands in front of every query.
    pub(crate) query: Option<String>,
}

/// Reads a destination. What was written is not repeated in the error: a user name and password may stand in it.
pub(crate) fn read(written: &str) -> Result<Destination, String> {
    let (scheme, rest) = written
        .split_once("://")
        .ok_or("`destination` is an address with scheme and host, such as `https://api.example.com`")?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "https" | "http") {
        return Err("the scheme of `destination` is `https`, or `http` for a private address".to_owned());
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if rest.get(end..).is_some_and(|behind| behind.contains('*')) {
        return Err(
            "`*` stands in the host of `destination` only, such as `https://*.example.com`".to_owned()
        );
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err("`destination` holds a user name: put it into a secret, and use `basic`".to_owned());
    }
    let authority = authority.to_ascii_lowercase();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host.to_owned(),
        _ => authority.clone(),
    };
    if host.is_empty() {
        return Err("`destination` has no host".to_owned());
    }
    let base_path = path.trim_end_matches('/').to_owned();
    // A port that is meant anyway is not written in our files.
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(usual).unwrap_or(&authority);
    // What our own file would not take is said in the words of this one. A `*` stands for a label.
    let address: Result<Authority, _> = format!("{scheme}://{}", authority.replacen('*', "any", 1)).parse();
    address.map_err(|error| format!("`destination` is {}", error.expected()))?;
    if !base_path.is_empty() {
        let path: Result<Target, _> = base_path.parse();
        path.map_err(|error| format!("the path of `destination` is {}", error.expected()))?;
    }
    let base_url = format!("{scheme}://{authority}{base_path}");
    let query = query.filter(|query| !query.is_empty()).map(ToOwned::to_owned);
    Ok(Destination { base_url, host, base_path, query })
}
