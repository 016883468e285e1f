//! Requests that a browser sends on behalf of a page.
//!
//! Whoever visits a page lets it send requests to every address that the browser reaches, this gateway among them. So a
//! request that names the page it comes from is refused, unless the page was named in the settings.

use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN};

use crate::refused::Refused;

/// Proof that no page of the web sent this request but one that was named. Only [`guard`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Guarded(());

/// Refuses what a page sent that is none of `origins`.
pub(crate) fn guard(headers: &HeaderMap, origins: &[String]) -> Result<Guarded, Refused> {
    let mut pages = net::headers::all(headers, &ORIGIN);
    match (pages.next(), pages.next()) {
        (None, _) => {}
        (Some(page), None) if origins.iter().any(|origin| origin.as_bytes() == page.as_bytes()) => {
            return Ok(Guarded(()));
        }
        _ => return Err(foreign()),
    }
    // Pages may send some requests without an `Origin`, such as those for pictures. `same-site` is another port of this
    // machine; a word that is not known yet is no better.
    let own = |site: &HeaderValue| matches!(site.as_bytes(), b"none" | b"same-origin");
    if net::headers::all(headers, &SITE).all(own) { Ok(Guarded(())) } else { Err(foreign()) }
}

fn foreign() -> Refused {
    Refused::foreign("the request was sent by a page of the web that is not allowed here")
        .hint("name its origin under `origins` in the settings, if it is yours")
}

static SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests;
