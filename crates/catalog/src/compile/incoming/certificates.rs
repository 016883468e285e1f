//! Certificates: those that the door verified, and those that a proxy tells of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::header_name;
use crate::Incoming;
use crate::file::{CertificateEntry, XfccEntry};
use crate::incoming::{CertificateNames, Xfcc};

pub(super) fn client(entry: &CertificateEntry) -> Result<Incoming, String> {
    let CertificateEntry { common_names, dns_names, uris, uri_prefixes, any } = entry;
    let named = [common_names, dns_names, uris, uri_prefixes].iter().any(|names| !names.is_empty());
    if named == *any {
        return Err("`client_certificate` names whom it accepts, or says `any: true`".to_owned());
    }
    let all = common_names.iter().chain(dns_names).chain(uris).chain(uri_prefixes);
    check_names(all)?;
    Ok(Incoming::ClientCertificate(CertificateNames {
        common_names: common_names.clone(),
        dns_names: dns_names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        uris: uris.clone(),
        uri_prefixes: uri_prefixes.clone(),
        any: *any,
    }))
}

pub(super) fn xfcc(entry: &XfccEntry) -> Result<Incoming, String> {
    let XfccEntry { header, from, allowed_uris, allowed_uri_prefixes, ignored_uris } = entry;
    if allowed_uris.is_empty() && allowed_uri_prefixes.is_empty() {
        return Err("without `allowed_uris` and `allowed_uri_prefixes` nobody is accepted".to_owned());
    }
    check_names(allowed_uris.iter().chain(allowed_uri_prefixes).chain(ignored_uris))?;
    let from = match from {
        None => vec![
            IpNet::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8).map_err(|error| error.to_string())?,
            IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ],
        Some(from) if from.is_empty() => return Err("`from` names no address".to_owned()),
        Some(from) => from.iter().map(|text| net(text)).collect::<Result<_, _>>()?,
    };
    Ok(Incoming::EnvoyXfcc(Xfcc {
        header: header_name(header.as_deref().unwrap_or(HEADER))?,
        from,
        allowed_uris: allowed_uris.clone(),
        allowed_uri_prefixes: allowed_uri_prefixes.clone(),
        ignored_uris: ignored_uris.clone(),
    }))
}

fn net(text: &str) -> Result<IpNet, String> {
    let wrong = || "an address in `from` is written such as `10.1.2.3` or `10.0.0.0/8`".to_owned();
    let net: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => text.parse().map_err(|_| wrong())?,
    };
    // Whoever believes everybody believes whoever writes the header.
    if net.prefix_len() == 0 {
        return Err("`from` may not be every address: whoever writes the header would be anybody".to_owned());
    }
    Ok(net)
}

fn check_names<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let wrong = names.any(|name| name.is_empty() || name.chars().any(char::is_control));
    if wrong { Err("a name in a certificate is not empty".to_owned()) } else { Ok(()) }
}

const HEADER: &str = "x-forwarded-client-cert";
