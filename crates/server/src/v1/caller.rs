//! By what a caller wants to be known: a key, a capability, or the session in a cookie. One of them, once.

use broker::sessions::Presented;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use model::{Code, Refusal};

use crate::names::Known;

/// What came with a request to prove the caller; `None` where nothing did.
///
/// # Errors
/// Where several came, or a page that is not ours sent a session along.
pub(crate) fn presented(parts: &Parts, known: &Known) -> Result<Option<HeaderValue>, Refusal> {
    let headers = &parts.headers;
    let bearer = one(headers, &header::AUTHORIZATION)?.map(bearer).transpose()?;
    let key = one(headers, &KEY)?.cloned();
    let cookie = cookie(headers, &known.cookie(COOKIE).0)?;
    let came = [bearer.is_some(), key.is_some(), cookie.is_some()];
    if came.into_iter().filter(|came| *came).count() > 1 {
        let message = "send one of `Authorization`, `X-API-Key` and a session, not several";
        return Err(Refusal::new(Code::BadRequest, message));
    }
    if let Some(cookie) = cookie {
        return session(parts, known, cookie).map(Some);
    }
    let Some(mut written) = bearer.or(key) else { return Ok(None) };
    // A session goes in its cookie and nowhere else, or the word of its page would count for nothing.
    if FOR_BROWSERS.iter().any(|start| written.as_bytes().starts_with(start)) {
        return Err(Refusal::new(Code::Unauthenticated, "this is neither a key of the API nor a capability"));
    }
    written.set_sensitive(true);
    Ok(Some(written))
}

/// A session that a browser sent along, for what its page asks. It sends the cookie to every server of this host, so reading
/// takes the word of the page as well.
fn session(parts: &Parts, known: &Known, cookie: &str) -> Result<HeaderValue, Refusal> {
    if !parts.method.is_safe() {
        let _ours = own_page(parts, known)?;
    }
    let word = one(&parts.headers, &CSRF)?.map(HeaderValue::to_str).transpose();
    let word = word.map_err(|_| unreadable(CSRF.as_str()))?;
    Presented::new(cookie, word).map(Presented::into_value)
}

/// Proof that a browser says that a page of ours asks.
#[derive(Debug)]
#[must_use]
pub(crate) struct OwnPage(());

/// Looks at what a browser says of the page. A program that is no browser says nothing, which proves nothing.
///
/// # Errors
/// Where it says something else.
pub(crate) fn own_page(parts: &Parts, known: &Known) -> Result<OwnPage, Refusal> {
    if let Some(site) = one(&parts.headers, &SITE)? {
        return if site == "same-origin" { Ok(OwnPage(())) } else { Err(stranger()) };
    }
    let origin = one(&parts.headers, &header::ORIGIN)?.ok_or_else(stranger)?;
    if known.is_origin(origin.to_str().unwrap_or_default()) { Ok(OwnPage(())) } else { Err(stranger()) }
}

/// Whether a browser says anything of the page that asks.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(&SITE) || headers.contains_key(header::ORIGIN)
}

/// The refusal for a page that is not ours.
fn stranger() -> Refusal {
    Refusal::new(Code::Denied, "the request did not come from a page of ours")
        .hint("a program sends `X-API-Key` or `Authorization: Bearer`, and no cookie")
}

fn bearer(value: &HeaderValue) -> Result<HeaderValue, Refusal> {
    let text = value.to_str().ok().and_then(|text| text.split_once(' '));
    match text {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") && !rest.trim().is_empty() => {
            HeaderValue::from_str(rest.trim()).map_err(|_| unreadable("authorization"))
        }
        _ => Err(Refusal::new(
            Code::Unauthenticated,
            "`Authorization` has to be `Bearer` and a key or capability",
        )),
    }
}

/// The one cookie of this name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Result<Option<&'a str>, Refusal> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        let line = line.to_str().map_err(|_| unreadable("cookie"))?;
        for pair in line.split(';') {
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            if name != wanted {
                continue;
            }
            if found.is_some_and(|other| other != value) {
                return Err(unreadable("cookie"));
            }
            found = Some(value);
        }
    }
    Ok(found)
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(unreadable(name.as_str())),
        (value, None) => Ok(value),
    }
}

fn unreadable(name: &str) -> Refusal {
    Refusal::new(Code::BadRequest, format!("the header `{name}` is there twice, or is not text"))
}

/// The cookie of a session; behind TLS with a prefix ([`Known::cookie`]).
pub(crate) const COOKIE: &str = "doorward_session";
/// The cookie that binds a sign-in at an identity provider to its browser.
pub(crate) const SIGN_IN: &str = "doorward_sign_in";
/// How a session and the code of a link begin.
const FOR_BROWSERS: [&[u8]; 2] = [b"dws1.", b"dwc1."];
const KEY: HeaderName = HeaderName::from_static("x-api-key");
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests;
