//! Which host a request addresses: ours, an integration's, or a foreign one.
//!
//! # Invariants
//!
//! - A foreign host is refused. A page whose name was rebound to a loopback address says its own name here.
//! - The case is folded once; a trailing dot, a strange port or a deeper name is refused instead of repaired.

use std::borrow::Cow;

use http::header::HOST;
use http::request::Parts;
use model::IntegrationName;

use crate::refused::Refused;

/// The host that a request addresses, read. Only [`addressed`] makes one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Addressed {
    /// The gateway itself; header or path name the integration.
    Gateway,
    /// The host of one integration.
    Integration(IntegrationName),
    /// A host that is not ours. Only a header may name an integration beside it, and only where programs expect that.
    Foreign,
}

/// The host that a request addresses, where it is served under one of `domains`.
pub(crate) fn addressed(
    parts: &Parts,
    domains: &[String],
    aliased: &dyn Fn(&str) -> Option<IntegrationName>,
) -> Result<Addressed, Refused> {
    of(written(parts)?, domains, aliased)
}

/// The host as it is written, with its port.
pub(crate) fn written(parts: &Parts) -> Result<&str, Refused> {
    if parts.uri.scheme_str().is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
        return Err(Refused::bad("the scheme of the request target is neither `http` nor `https`"));
    }
    match parts.uri.authority() {
        Some(authority) => Ok(authority.as_str()),
        None => {
            let mut hosts = net::headers::all(&parts.headers, &HOST);
            let (Some(host), None) = (hosts.next(), hosts.next()) else {
                return Err(Refused::bad("the request does not name exactly one host"));
            };
            host.to_str().map_err(|_| Refused::bad("the host is not text"))
        }
    }
}

/// What stands in a `Host` header, read.
fn of(
    written: &str,
    domains: &[String],
    aliased: &dyn Fn(&str) -> Option<IntegrationName>,
) -> Result<Addressed, Refused> {
    let host = without_port(written).ok_or_else(|| Refused::bad("the host is malformed"))?;
    let host = if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    };
    if host.ends_with('.') {
        return Err(Refused::bad("the host ends with a dot"));
    }
    if LOOPBACK.contains(&&*host) || domains.iter().any(|domain| *domain == *host) {
        return Ok(Addressed::Gateway);
    }
    if let Some(integration) = aliased(&host) {
        return Ok(Addressed::Integration(integration));
    }
    match host.split_once('.') {
        Some((label, parent)) if parent == "localhost" || domains.iter().any(|domain| domain == parent) => {
            Ok(Addressed::Integration(label.parse()?))
        }
        None if !host.starts_with('[') => Ok(Addressed::Integration(host.parse()?)),
        _ => Ok(Addressed::Foreign),
    }
}

/// The host before its port; `None` where there is more or less than that.
pub(crate) fn without_port(written: &str) -> Option<&str> {
    let (host, port) = if written.starts_with('[') {
        let (host, port) = written.split_at_checked(written.find(']')? + 1)?;
        (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
    } else {
        written.split_once(':').map_or((written, None), |(host, port)| (host, Some(port)))
    };
    let sound = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (!host.is_empty() && port.is_none_or(sound)).then_some(host)
}

/// The name is not repeated: whoever chose it is not whoever reads this.
pub(crate) fn foreign() -> Refused {
    Refused::misdirected("the request addresses a host that this gateway does not serve")
        .hint("start the gateway with `--domain NAME` to serve it under another name than `localhost`")
}

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

#[cfg(test)]
mod tests;
