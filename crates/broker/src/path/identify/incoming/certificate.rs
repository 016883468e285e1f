//! A certificate that the door verified. What was not verified is no fact, and so never comes here.

use catalog::incoming::CertificateNames;
use model::Certificate;

use super::{Accepted, Came, No};

/// Accepts a certificate by one of its names. URIs come first, then host names, then the common name, which is the least exact.
pub(super) fn check(names: &CertificateNames, came: &Came<'_>) -> Result<Accepted, No> {
    let shown = came.facts.certificate.as_deref().ok_or(No::Wrong("the door verified no certificate"))?;
    let named = named(names, shown);
    match (named, names.any) {
        (Some(name), _) => Ok(Accepted { id: Some(name), ..Accepted::default() }),
        (None, true) => Ok(Accepted { id: first(shown), ..Accepted::default() }),
        (None, false) => Err(No::Wrong("no name in the certificate is accepted")),
    }
}

fn named(names: &CertificateNames, shown: &Certificate) -> Option<String> {
    let CertificateNames { common_names, dns_names, uris, uri_prefixes, any: _ } = names;
    let uri = shown.uris.iter().find(|uri| uris.contains(uri) || below(uri, uri_prefixes));
    let dns = || shown.dns_names.iter().find(|name| dns_names.contains(&name.to_ascii_lowercase()));
    let common = || shown.common_name.as_ref().filter(|name| common_names.contains(name));
    uri.or_else(dns).or_else(common).cloned()
}

/// Whether a URI begins like one of these. One with dot segments may mean another place than it begins with (RFC 3986, section
/// 5.2.4); names of workloads have none (SPIFFE-ID, section 2.2).
pub(super) fn below(uri: &str, prefixes: &[String]) -> bool {
    let plain = uri.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    let dotted = plain.split(['/', '\\', '?', '#']).any(|segment| matches!(segment, "." | ".."));
    !dotted && prefixes.iter().any(|prefix| uri.starts_with(prefix.as_str()))
}

/// What a certificate is called of which only its authority is asked.
fn first(shown: &Certificate) -> Option<String> {
    let name = shown.uris.first().or(shown.common_name.as_ref()).or(shown.dns_names.first());
    name.cloned().or_else(|| Some(crypto::to_hex(&shown.fingerprint)))
}
