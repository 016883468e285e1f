//! `X-Forwarded-Client-Cert` of Envoy: what a proxy says of the certificate that it verified. Only proxies at addresses that the
//! file names are believed, for anybody can write a header.
//!
//! Exactly one URI has to be left when those that do not count are taken away. Whatever has two readings is refused.

use catalog::incoming::Xfcc;
use http::HeaderMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Accepted, Came, No, certificate};

pub(super) fn check(rules: &Xfcc, came: &Came<'_>) -> Result<Accepted, No> {
    let from = came.facts.address.ok_or(No::Wrong("the header did not come from an address"))?.to_canonical();
    if !rules.from.iter().any(|net| net.contains(&from)) {
        return Err(No::Wrong("the header came from an address that is not believed"));
    }
    let written = joined(came.headers, &rules.header)?;
    let elements = read(&written).ok_or(No::Wrong("the header has another form"))?;
    let mut left = elements.iter().flatten().filter(|uri| !rules.ignored_uris.contains(uri));
    let (Some(uri), None) = (left.next(), left.next()) else {
        return Err(No::Wrong("there is not exactly one URI in the header"));
    };
    let allowed = rules.allowed_uris.contains(uri) || certificate::below(uri, &rules.allowed_uri_prefixes);
    if !allowed {
        return Err(No::Wrong("the URI in the header is not accepted"));
    }
    Ok(Accepted { id: Some(uri.clone()), spent: vec![rules.header.clone()], ..Accepted::default() })
}

/// Several lines of a header are one list (RFC 9110, section 5.3).
fn joined(headers: &HeaderMap, name: &str) -> Result<String, No> {
    let mut lines = Vec::new();
    for value in headers.get_all(name) {
        lines.push(value.to_str().map_err(|_| No::Wrong("the header is not text"))?);
    }
    if lines.is_empty() { Err(No::Wrong("the header is not there")) } else { Ok(lines.join(",")) }
}

/// The URIs of each element.
fn read(written: &str) -> Option<Vec<Vec<String>>> {
    let written = written.trim();
    if written.len() > LONGEST {
        return None;
    }
    let elements = if written.starts_with(['[', '{']) { json(written)? } else { text(written)? };
    let repeated = |uris: &Vec<String>| {
        uris.iter().enumerate().any(|(at, uri)| uris.iter().skip(at + 1).any(|other| other == uri))
    };
    (!elements.iter().any(repeated)).then_some(elements)
}

/// `By=..;Hash=..;Subject="..";URI=..,By=..`, where quotes hold `,`, `;`, `=` and, behind a back slash, `"`.
fn text(written: &str) -> Option<Vec<Vec<String>>> {
    let mut elements = Vec::new();
    for element in split(written, ',')? {
        if element.trim().is_empty() || element.trim_start().starts_with(['[', '{']) {
            return None;
        }
        let mut uris = Vec::new();
        for pair in split(element, ';')? {
            let (key, value) = pair.split_once('=')?;
            let (key, value) = (key.trim(), unquoted(value.trim())?);
            if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphabetic()) {
                return None;
            }
            if key.eq_ignore_ascii_case("uri") {
                // A certificate without one: the key is there, and nothing is said.
                uris.extend((!value.is_empty()).then_some(value));
            }
        }
        elements.push(uris);
    }
    Some(elements)
}

/// Splits outside of quotes; `None` where a quote has no end.
fn split(written: &str, at: char) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (position, c) in written.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == at && !quoted => {
                parts.push(written.get(start..position)?);
                start = position + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(written.get(start..)?);
    (!quoted && !escaped).then_some(parts)
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let (mut plain, mut escaped) = (String::new(), false);
    for c in inner.chars() {
        match c {
            _ if escaped => {
                plain.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return None,
            _ => plain.push(c),
        }
    }
    (!escaped).then_some(plain)
}

/// The same as JSON: a list of objects, or several lines of one.
fn json(written: &str) -> Option<Vec<Vec<String>>> {
    let list = match serde_json::from_str::<Vec<Pairs>>(written) {
        Ok(list) => list,
        // Several lines, or one object without a list around it.
        Err(_) => serde_json::from_str::<Vec<Pairs>>(&format!("[{written}]")).ok()?,
    };
    if list.is_empty() {
        return None;
    }
    list.into_iter().map(|Pairs(pairs)| uris(&pairs)).collect()
}

fn uris(pairs: &[(String, Value)]) -> Option<Vec<String>> {
    if pairs.is_empty() {
        return None;
    }
    let mut found = Vec::new();
    for (at, (key, value)) in pairs.iter().enumerate() {
        if pairs.iter().skip(at + 1).any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            return None;
        }
        if !key.eq_ignore_ascii_case("uri") {
            continue;
        }
        match value {
            Value::String(uri) => found.push(uri.clone()),
            Value::Array(several) => {
                for uri in several {
                    found.push(uri.as_str()?.to_owned());
                }
            }
            _ => return None,
        }
    }
    found.retain(|uri| !uri.is_empty());
    Some(found)
}

/// An object with every pair, also those of a key that is there twice.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// Longest header that is read.
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
