//! OAuth 1.0 (RFC 5849): the request, its parameters and a form in its body, signed with HMAC.

use catalog::{HashName, Integration, OAuth1};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use model::{Code, Method, Refusal, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use super::super::{Draft, bytes_of, put};
use super::{authority, hash};
use crate::path::resolve::Lent;

/// Whether the body is a form, whose fields the signature covers.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

/// Puts the signature on a draft.
pub(in crate::path::inject) fn sign(
    draft: &mut Draft,
    oauth1: &OAuth1,
    (integration, lent): (&Integration, &Lent),
    (method, target): (Method, &str),
    at: Timestamp,
) -> Result<(), Refusal> {
    let text = |field: &str| {
        let bytes = bytes_of(lent.find(integration, field)?);
        let text = str::from_utf8(&bytes).map(|text| Zeroizing::new(text.trim().to_owned()));
        text.map_err(|_| Refusal::new(Code::SecretMissing, format!("the secret `{field}` is not text")))
    };
    let consumer = text(&oauth1.consumer_key)?;
    let secret = text(&oauth1.consumer_secret)?;
    let token = oauth1.token.as_ref().map(|(token, secret)| Ok::<_, Refusal>((text(token)?, text(secret)?)));
    let token = token.transpose()?;
    let nonce =
        crypto::array::<16>().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    let (nonce, time) = (crypto::to_hex(&nonce), (at.millis() / 1000).to_string());
    let mut own = vec![
        ("oauth_consumer_key", consumer.as_str()),
        ("oauth_nonce", &nonce),
        ("oauth_signature_method", method_name(oauth1.algorithm)),
        ("oauth_timestamp", &time),
    ];
    own.extend(token.as_ref().map(|(token, _)| ("oauth_token", token.as_str())));
    own.push(("oauth_version", "1.0"));
    let form = draft.whole.as_deref().filter(|_| is_form(&draft.headers)).unwrap_or_default();
    let form = str::from_utf8(form)
        .map_err(|_| Refusal::new(Code::BadRequest, "the form in the body is not text"))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let uri = format!("{}{path}", authority(integration, lent));
    let base = base(method.as_str(), &uri, &[query, form], &own);
    let key = Zeroizing::new(format!(
        "{}&{}",
        escaped(&secret),
        token.as_ref().map(|(_, secret)| escaped(secret)).unwrap_or_default()
    ));
    let signature =
        crypto::to_base64(&crypto::hmac(hash(oauth1.algorithm), key.as_bytes(), &[base.as_bytes()]));
    own.push(("oauth_signature", &signature));
    let realm = oauth1.realm.as_ref().map(|realm| format!("realm=\"{realm}\""));
    let parts = own.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    let all: Vec<String> = realm.into_iter().chain(parts).collect();
    put(&mut draft.headers, "authorization", format!("OAuth {}", all.join(", ")).into_bytes())
}

/// The text that is signed (section 3.4.1).
fn base(method: &str, uri: &str, encoded: &[&str], own: &[(&str, &str)]) -> Zeroizing<String> {
    let mut all: Vec<(String, String)> =
        own.iter().map(|(name, value)| (escaped(name), escaped(value))).collect();
    for pair in encoded.iter().flat_map(|text| text.split('&')).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        all.push((escaped_again(name), escaped_again(value)));
    }
    all.sort();
    let all: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    Zeroizing::new(format!("{}&{}&{}", method.to_ascii_uppercase(), escaped(uri), escaped(&all.join("&"))))
}

/// What a form encodes, in the encoding of section 3.6.
fn escaped_again(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_encode(&percent_decode_str(&spaced).collect::<Vec<u8>>(), ESCAPED).to_string()
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

const fn method_name(hash: HashName) -> &'static str {
    match hash {
        HashName::Sha256 => "HMAC-SHA256",
        HashName::Sha1 | HashName::Sha512 => "HMAC-SHA1",
    }
}

/// RFC 5849, section 3.6.
const ESCAPED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests;
