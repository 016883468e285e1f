//! Twilio's signature: base 64 HMAC-SHA-1 over the whole URL that it called, and over the fields of a form, sorted, each name
//! with its value. Of another body it signs a hash, which stands in the query as `bodySHA256`.

use std::collections::BTreeSet;

use catalog::incoming::Key;
use crypto::jws::Hash;
use http::header::{CONTENT_TYPE, HOST};
use percent_encoding::percent_decode_str;

use super::signature::base64;
use super::{Asking, Came, No, single};

impl Asking<'_> {
    pub(super) async fn twilio(
        &self,
        keys: &[Key],
        base: Option<&str>,
        header: &str,
        came: &Came<'_>,
    ) -> Result<Option<String>, No> {
        let tag = base64(single(came.headers, header)?.as_bytes())?;
        let signed = signed_body(came)?;
        let base = match base {
            Some(base) => base.to_owned(),
            None => {
                let host = single(came.headers, HOST.as_str())?.to_str();
                format!("https://{}", host.map_err(|_| No::Wrong("the host is not text"))?)
            }
        };
        let mut last = No::Wrong("no secret fits");
        // Twilio writes the port of a URL in some of its products, and leaves it out in others.
        for base in spellings(&base) {
            let parts = [base.as_bytes(), came.written.as_bytes(), signed.as_bytes()];
            match self.signed(keys, Hash::LegacySha1, &parts, std::slice::from_ref(&tag)).await {
                Ok(id) => return Ok(id),
                Err(no) => last = no,
            }
        }
        Err(last)
    }
}

/// What is signed behind the URL; empty where there is no body, or its hash is in the URL.
fn signed_body(came: &Came<'_>) -> Result<String, No> {
    let mut hashes = came.target.pairs().filter(|(name, _)| name == "bodySHA256");
    match (hashes.next(), hashes.next()) {
        (Some((_, hash)), None) => {
            let digest = crypto::to_hex(&crypto::sha256(&[&came.body]));
            let written = hash.to_ascii_lowercase();
            return match crypto::same(digest.as_bytes(), written.as_bytes()) {
                Ok(_) => Ok(String::new()),
                Err(_) => Err(No::Wrong("the body is not the one of the hash")),
            };
        }
        (None, _) => {}
        (Some(_), Some(_)) => return Err(No::Wrong("the hash of the body is there twice")),
    }
    if came.body.is_empty() {
        return Ok(String::new());
    }
    let kind = single(came.headers, CONTENT_TYPE.as_str())?.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(No::Wrong("nothing signs this body"));
    }
    form(&came.body)
}

/// The fields of a form, sorted, each pair once.
fn form(body: &[u8]) -> Result<String, No> {
    let wrong = |_| No::Wrong("the form is not text");
    let body = str::from_utf8(body).map_err(wrong)?;
    let mut pairs = BTreeSet::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.insert((decoded(name)?, decoded(value)?));
    }
    Ok(pairs.into_iter().fold(String::new(), |text, (name, value)| text + &name + &value))
}

fn decoded(text: &str) -> Result<String, No> {
    let spaces = text.replace('+', " ");
    let plain = percent_decode_str(&spaces).decode_utf8();
    plain.map(std::borrow::Cow::into_owned).map_err(|_| No::Wrong("the form is not text"))
}

/// A base with the port of its scheme and without it; any other port stays.
fn spellings(base: &str) -> Vec<String> {
    let Some((scheme, rest)) = base.split_once("://") else { return vec![base.to_owned()] };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let (host, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    match host.strip_suffix(port) {
        Some(bare) => vec![base.to_owned(), format!("{scheme}://{bare}{path}")],
        None if host.contains(':') => vec![base.to_owned()],
        None => vec![base.to_owned(), format!("{scheme}://{host}{port}{path}")],
    }
}

#[cfg(test)]
mod tests;
