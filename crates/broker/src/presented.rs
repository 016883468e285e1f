//! Where programs put a credential, and so where a capability is looked for.
//!
//! An unmodified program writes the capability wherever it would have written its own key: `Authorization: Bearer`, `token`
//! or `Basic` (as user name or password), `X-Api-Key`, `Private-Token`. Whatever stands there and is not a capability is
//! dropped before the request is forwarded.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use model::{Code, Refusal};

/// The capability in a request's headers, where there is one.
///
/// # Errors
/// `bad_request` where there are two different ones, for nobody could say which was meant.
pub fn capability(headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    let mut found: Option<HeaderValue> = None;
    // One look at each header: asking for each of the places hashes each of their names.
    for (name, value) in headers {
        if name != AUTHORIZATION && !PLACES.contains(name) {
            continue;
        }
        let Some(one) = within(value) else { continue };
        if found.as_ref().is_some_and(|other| other != one) {
            return Err(Refusal::new(Code::BadRequest, "two different capabilities were presented")
                .hint("send one, as `Authorization: Bearer cap1_...`"));
        }
        found = Some(one);
    }
    Ok(found)
}

fn within(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?.trim();
    if text.starts_with(PREFIX) {
        return bearer(text);
    }
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        return if rest.starts_with(PREFIX) { bearer(rest) } else { None };
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(crypto::from_base64(rest).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    [password, user].into_iter().find(|part| part.starts_with(PREFIX)).and_then(bearer)
}

/// Whoever has the text may use it, so it is not shown.
fn bearer(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

const PREFIX: &str = "cap1_";
static PLACES: [HeaderName; 4] = [
    HeaderName::from_static("x-doorward-capability"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("private-token"),
];

#[cfg(test)]
mod tests;
