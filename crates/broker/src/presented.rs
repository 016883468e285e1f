//! Where programs put a credential, and so where a capability is looked for.
//!
//! An unmodified program writes the capability wherever it would have written its own key: `Authorization: Bearer`, `token`
//! or `Basic` (as user name or password), `X-Api-Key`, `Private-Token`. Whatever stands there and is not a capability is
//! dropped before the request is forwarded.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use model::{ApprovalClaim, Claims, Code, Refusal};

/// The capability in a request's headers, where there is one.
///
/// # Errors
/// `bad_request` where there are two different ones, for nobody could say which was meant.
pub fn capability(headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    let mut found: Option<HeaderValue> = None;
    // One look at each header: asking for each of the places hashes each of their names.
    for (name, value) in headers {
        if !is_place(name) {
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

/// What the caller says of approvals: which one its call has (`X-Doorward-Approval`), and that it breaks the glass
/// (`X-Break-Glass: true`) and why (`X-Break-Glass-Reason`).
///
/// # Errors
/// `bad_request` where one of them is there twice or has no reading. A broken glass without a reason is none.
pub fn claims(headers: &HeaderMap) -> Result<Option<Box<Claims>>, Refusal> {
    let wrong = |message: &str| Refusal::new(Code::BadRequest, message);
    let once = |name: &HeaderName| -> Result<Option<&str>, Refusal> {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        text.map(Some).ok_or_else(|| wrong(&format!("the header `{name}` is there twice, or is not text")))
    };
    // Nearly no request has any of them.
    if !CLAIMS.iter().any(|name| net::headers::has(headers, name)) {
        return Ok(None);
    }
    let [approval, glass, reason] = &CLAIMS;
    let approval = once(approval)?.map(|text| {
        text.parse()
            .map(ApprovalClaim::Approval)
            .map_err(|error: model::ParseError| wrong(&error.to_string()))
    });
    let break_glass = match (once(glass)?, once(reason)?.map(str::trim)) {
        (None | Some("false"), None) => None,
        (Some("true"), Some(reason)) => Some(broken_glass(reason)?),
        _ => {
            return Err(wrong("breaking the glass takes `X-Break-Glass: true` and a reason")
                .hint("send `X-Break-Glass-Reason` as well"));
        }
    };
    Ok(Some(Box::new(Claims { approval: approval.transpose()?, break_glass })))
}

/// A reason for breaking the glass, fit to be written down.
///
/// # Errors
/// `bad_request` where there is none, or it is longer than evidence keeps.
pub fn broken_glass(reason: &str) -> Result<String, Refusal> {
    let sound = !reason.is_empty() && reason.len() <= LONGEST_REASON && !reason.contains(char::is_control);
    if sound {
        return Ok(reason.to_owned());
    }
    let message = format!("a reason for breaking the glass is one line of 1 to {LONGEST_REASON} bytes");
    Err(Refusal::new(Code::BadRequest, message))
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

/// Whether a capability is looked for under this name.
pub(crate) fn is_place(name: &HeaderName) -> bool {
    *name == AUTHORIZATION || PLACES.contains(name)
}

/// Whoever has the text may use it, so it is not shown.
fn bearer(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

const PREFIX: &str = "cap1_";
/// What evidence keeps of a purpose, without what stands in front of it there.
const LONGEST_REASON: usize = 200;
static CLAIMS: [HeaderName; 3] = [
    net::problem::APPROVAL,
    HeaderName::from_static("x-break-glass"),
    HeaderName::from_static("x-break-glass-reason"),
];
static PLACES: [HeaderName; 4] = [
    HeaderName::from_static("x-doorward-capability"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("private-token"),
];

#[cfg(test)]
mod tests;
