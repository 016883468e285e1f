//! The canonical request: the one text that both sides make of a request before they sign it.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::{Encoding, PathForm, Request, Rules};
use crate::Error;

/// What signing adds to a request.
pub(super) struct More<'a> {
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) query: &'a [(&'a str, &'a str)],
    /// What stands for the body.
    pub(super) payload: &'a str,
}

/// The text that is signed, and the names of the headers in it. Wiped, as the session token may be among them.
pub(super) struct Canonical {
    pub(super) text: Zeroizing<String>,
    pub(super) signed_headers: String,
}

/// Makes the canonical request.
pub(super) fn canonical(request: &Request<'_>, more: &More<'_>, rules: Rules) -> Result<Canonical, Error> {
    let Request { method, path, query, headers, payload: _ } = request;
    let sorted = sorted(headers, more.headers)?;
    let signed_headers = names(&sorted);
    let length = |pairs: &[(&str, &str)]| -> usize {
        pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum()
    };
    // With room for the worst case, or growing would leave copies of the token behind.
    let most = 3 * (path.len() + query.len() + length(more.query))
        + length(headers)
        + length(more.headers)
        + signed_headers.len()
        + more.payload.len()
        + 64;
    let mut text = Zeroizing::new(String::with_capacity(most));
    text.push_str(method);
    text.push('\n');
    push_path(&mut text, path, rules);
    text.push('\n');
    push_query(&mut text, query, more.query)?;
    text.push('\n');
    push_headers(&mut text, &sorted);
    text.push('\n');
    text.push_str(&signed_headers);
    text.push('\n');
    text.push_str(more.payload);
    Ok(Canonical { text, signed_headers })
}

/// The names of the headers as a signature lists them.
pub(super) fn signed_headers(headers: &[(&str, &str)], more: &[(&str, &str)]) -> Result<String, Error> {
    sorted(headers, more).map(|sorted| names(&sorted))
}

/// Adds bytes in which everything but the unreserved characters of RFC 3986 is percent-encoded, as AWS wants it: a space
/// is `%20`, hex digits are upper case.
pub fn percent_encode(text: &mut String, bytes: &[u8]) {
    push_encoded(text, bytes, |_| false);
}

fn push_encoded(text: &mut String, bytes: &[u8], keep: impl Fn(u8) -> bool) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || keep(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                text.push(digit.to_ascii_uppercase());
            }
        }
    }
}

/// Undoes percent-encoding once; a broken escape stays as it is. `+` is a plus sign.
fn decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => return bytes,
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = tail;
            }
            [byte, tail @ ..] => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
}

const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 0,
    }
}

fn push_path(text: &mut String, path: &str, rules: Rules) {
    let path = if path.is_empty() { "/" } else { path };
    let path = match rules.path {
        PathForm::Normalised => Cow::Owned(normalised(path)),
        PathForm::AsSent => Cow::Borrowed(path),
    };
    let slash = |byte| byte == b'/';
    match rules.encoding {
        Encoding::Once => push_encoded(text, &decoded(&path), slash),
        Encoding::Twice => push_encoded(text, path.as_bytes(), slash),
    }
}

/// Without dot segments and double slashes; a slash at the end stays.
fn normalised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

fn push_query(text: &mut String, query: &str, more: &[(&str, &str)]) -> Result<(), Error> {
    let encoded = |bytes: &[u8]| {
        let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
        percent_encode(&mut text, bytes);
        text
    };
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((encoded(&decoded(name)), encoded(&decoded(value))));
    }
    for (name, value) in more {
        let name = encoded(name.as_bytes());
        if pairs.iter().any(|(other, _)| *other == name) {
            return Err(Error::Malformed("a parameter that the signature adds itself"));
        }
        pairs.push((name, encoded(value.as_bytes())));
    }
    pairs.sort_by(|(a, b), (c, d)| (a.as_str(), b.as_str()).cmp(&(c.as_str(), d.as_str())));
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    Ok(())
}

/// Headers by name; those of one name in the order in which they came.
fn sorted<'a>(
    headers: &'a [(&'a str, &'a str)],
    more: &'a [(&'a str, &'a str)],
) -> Result<Vec<(String, &'a str)>, Error> {
    let mut all = Vec::with_capacity(headers.len() + more.len());
    for (name, value) in headers.iter().chain(more) {
        let token = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b':' | b';' | b',');
        if name.is_empty() || !name.bytes().all(token) || value.contains(['\r', '\n', '\0']) {
            return Err(Error::Malformed("a header"));
        }
        all.push((name.to_ascii_lowercase(), *value));
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    if !all.iter().any(|(name, _)| name == "host") {
        return Err(Error::Malformed("the request without `host`"));
    }
    Ok(all)
}

fn names(sorted: &[(String, &str)]) -> String {
    let mut names: Vec<&str> = sorted.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    names.join(";")
}

fn push_headers(text: &mut String, sorted: &[(String, &str)]) {
    let mut before = None;
    for (name, value) in sorted {
        if before == Some(name) {
            text.push(',');
        } else {
            if before.is_some() {
                text.push('\n');
            }
            text.push_str(name);
            text.push(':');
        }
        for (index, word) in value.trim_matches([' ', '\t']).split(' ').filter(|w| !w.is_empty()).enumerate()
        {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        before = Some(name);
    }
    text.push('\n');
}
