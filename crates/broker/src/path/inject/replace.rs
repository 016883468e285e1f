//! A placeholder that the caller wrote, and the credential in its place: in the path, the query, values of headers and the
//! body, each written as that place wants it. Never in a host or in the name of a header.

use catalog::{AuthScheme, Find, Integration, Replace, Within, is_placeholder};
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue,
};
use memchr::memmem;
use model::{Code, Refusal};
use zeroize::Zeroizing;

use super::target::Written;
use super::{bytes_of, escaped, sensitive};
use crate::path::resolve::Lent;

/// A placeholder and what stands for it.
struct Swap<'a> {
    find: Vec<u8>,
    put: Zeroizing<Vec<u8>>,
    /// The same, percent-encoded.
    encoded: String,
    within: &'a [Within],
}

/// Everything that an integration replaces.
pub(super) struct Swaps<'a>(Vec<Swap<'a>>);

impl<'a> Swaps<'a> {
    pub(super) fn of(integration: &'a Integration, lent: &Lent) -> Result<Self, Refusal> {
        let replaces = integration.auth().iter().filter_map(|scheme| match scheme {
            AuthScheme::Replace(replace) => Some(&**replace),
            _ => None,
        });
        replaces.map(|replace| Swap::of(replace, integration, lent)).collect::<Result<_, _>>().map(Self)
    }

    /// Replaces in the values of headers. What is given back are headers under names of credentials: those of the caller's own
    /// are dropped, but one that the placeholder stood in has ours now.
    pub(super) fn headers(&self, headers: &mut HeaderMap) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
        let mut kept = Vec::new();
        for swap in self.0.iter().filter(|swap| swap.within.contains(&Within::Header)) {
            for (name, value) in headers.iter_mut() {
                let Some(changed) = swap.header(name, value)? else { continue };
                *value = changed;
                if net::headers::is_credential(name) || *name == COOKIE {
                    kept.push((name.clone(), value.clone()));
                }
            }
        }
        Ok(kept)
    }

    /// Replaces in the path behind the base path, and in the query.
    pub(super) fn target(&self, written: &mut Written<'_>, base: usize) {
        for swap in &self.0 {
            let mut from = base;
            while let Some((at, length)) = spelled(written.as_str(), &swap.find, from) {
                let part = if at < written.path_end() { Within::Path } else { Within::Query };
                if swap.within.contains(&part) {
                    written.put((at, length), "", &swap.encoded, "");
                    from = at + swap.encoded.len();
                } else {
                    from = at + length;
                }
            }
        }
    }

    /// The body with the credential in it; `None` where nothing was to be replaced.
    pub(super) fn body(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        most: u64,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let mut changed: Option<Vec<u8>> = None;
        for swap in self.0.iter().filter(|swap| swap.within.contains(&Within::Body)) {
            let now = changed.as_deref().unwrap_or(body);
            if !now.is_empty() && headers.contains_key(CONTENT_ENCODING) {
                let message = "the body is compressed, so a placeholder in it can't be found";
                return Err(
                    Refusal::new(Code::BadRequest, message).hint("send it without `Content-Encoding`")
                );
            }
            let form = BodyForm::of(headers);
            let places = places(now, &swap.find, form);
            if places.is_empty() {
                continue;
            }
            let put = swap.in_body(form)?;
            let gone: usize = places.iter().map(|(_, length)| length).sum();
            let length = (now.len() - gone).saturating_add(put.len().saturating_mul(places.len()));
            if u64::try_from(length).unwrap_or(u64::MAX) > most {
                return Err(Refusal::new(
                    Code::TooLarge,
                    format!("with the credential in it the body is larger than {most} bytes"),
                ));
            }
            changed = Some(replaced(now, &places, &put, length));
        }
        Ok(changed)
    }
}

impl<'a> Swap<'a> {
    fn of(replace: &'a Replace, integration: &Integration, lent: &Lent) -> Result<Self, Refusal> {
        let find = match &replace.find {
            Find::Text(text) => text.as_bytes().to_vec(),
            Find::Secret(field) => bytes_of(lent.find(integration, field)?).to_vec(),
        };
        if !is_placeholder(&find) {
            let message = "the stored placeholder is not 8 to 128 letters, digits and `-._~{}$@:!*()`";
            return Err(Refusal::new(Code::SecretMissing, message));
        }
        let opened = lent.chosen(integration, &replace.secret)?;
        let (put, encoded) = (bytes_of(opened), escaped(opened));
        Ok(Self { find, put, encoded, within: &replace.within })
    }

    /// The value with the credential in it, where the placeholder stood there; Basic credentials are looked into.
    fn header(&self, name: &HeaderName, value: &HeaderValue) -> Result<Option<HeaderValue>, Refusal> {
        let bytes = value.as_bytes();
        let basic = *name == AUTHORIZATION
            && bytes.len() > 6
            && bytes.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"basic "));
        if basic {
            let text = bytes.get(6..).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default();
            let Ok(pair) = crypto::from_base64(text.trim()) else { return Ok(None) };
            let pair = Zeroizing::new(pair);
            let places = places(&pair, &self.find, BodyForm::Raw);
            if places.is_empty() {
                return Ok(None);
            }
            let pair = Zeroizing::new(replaced(&pair, &places, &self.put, pair.len()));
            let text = [b"Basic ".as_slice(), crypto::to_base64(&pair).as_bytes()].concat();
            return sensitive(name.as_str(), text).map(Some);
        }
        let places = places(bytes, &self.find, BodyForm::Raw);
        if places.is_empty() {
            return Ok(None);
        }
        let text = if *name == COOKIE { only_with(bytes, &self.find) } else { bytes.to_vec() };
        let places = self::places(&text, &self.find, BodyForm::Raw);
        sensitive(name.as_str(), replaced(&text, &places, &self.put, text.len())).map(Some)
    }

    /// The credential as the body's form wants it.
    fn in_body(&self, form: BodyForm) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let text = || {
            str::from_utf8(&self.put).map_err(|_| {
                Refusal::new(Code::SecretMissing, "the stored credential is not text, as this body wants it")
            })
        };
        match form {
            BodyForm::Raw => Ok(self.put.clone()),
            BodyForm::Form => Ok(Zeroizing::new(self.encoded.clone().into_bytes())),
            BodyForm::Json => {
                let quoted = Zeroizing::new(serde_json::Value::String(text()?.to_owned()).to_string());
                let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
                Ok(Zeroizing::new(inner.as_bytes().to_vec()))
            }
            BodyForm::Xml => {
                let mut escaped = Zeroizing::new(String::with_capacity(self.put.len() * 6));
                for c in text()?.chars() {
                    match c {
                        '&' => escaped.push_str("&amp;"),
                        '<' => escaped.push_str("&lt;"),
                        '>' => escaped.push_str("&gt;"),
                        '"' => escaped.push_str("&quot;"),
                        '\'' => escaped.push_str("&apos;"),
                        other => escaped.push(other),
                    }
                }
                Ok(Zeroizing::new(escaped.as_bytes().to_vec()))
            }
        }
    }
}

/// How a body writes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyForm {
    Raw,
    Form,
    Json,
    Xml,
}

impl BodyForm {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let kind =
            kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        match kind.as_slice() {
            b"application/x-www-form-urlencoded" => Self::Form,
            b"application/json" | b"application/x-ndjson" => Self::Json,
            b"application/xml" | b"text/xml" => Self::Xml,
            kind if kind.ends_with(b"+json") => Self::Json,
            kind if kind.ends_with(b"+xml") => Self::Xml,
            _ => Self::Raw,
        }
    }
}

/// Every place of a placeholder: where, and how long it is written there.
fn places(text: &[u8], find: &[u8], form: BodyForm) -> Vec<(usize, usize)> {
    match (form, str::from_utf8(text)) {
        (BodyForm::Form, Ok(text)) => {
            let (mut all, mut from) = (Vec::new(), 0);
            while let Some((at, length)) = spelled(text, find, from) {
                all.push((at, length));
                from = at + length;
            }
            all
        }
        _ => memmem::find_iter(text, find).map(|at| (at, find.len())).collect(),
    }
}

fn replaced(text: &[u8], places: &[(usize, usize)], put: &[u8], room: usize) -> Vec<u8> {
    let (mut all, mut from) = (Vec::with_capacity(room), 0);
    for (at, length) in places {
        all.extend_from_slice(text.get(from..*at).unwrap_or_default());
        all.extend_from_slice(put);
        from = at + length;
    }
    all.extend_from_slice(text.get(from..).unwrap_or_default());
    all
}

/// The next place of a placeholder in a text in which any byte may be percent-encoded.
fn spelled(text: &str, find: &[u8], from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find_map(|at| {
        let mut rest = bytes.get(at..)?;
        for wanted in find {
            rest = match rest {
                [b'%', high, low, behind @ ..] if hex(*high, *low) == Some(*wanted) => behind,
                [byte, behind @ ..] if byte == wanted => behind,
                _ => return None,
            };
        }
        Some((at, bytes.len() - at - rest.len()))
    })
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

/// The cookies in which the placeholder stands; the caller's others stay behind as they do anywhere.
fn only_with(cookies: &[u8], find: &[u8]) -> Vec<u8> {
    let parts = cookies.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let parts: Vec<&[u8]> = parts.filter(|part| memmem::find(part, find).is_some()).collect();
    parts.join(b"; ".as_slice())
}

#[cfg(test)]
mod tests;
