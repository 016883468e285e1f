//! The name that a caller gives a request, so that its own log, ours and the service's can be laid side by side.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The request's name, where it has one that everybody writes the same way; any other is taken away.
pub(crate) fn request_id(headers: &mut HeaderMap) -> Option<HeaderValue> {
    let mut values = net::headers::all(headers, &REQUEST_ID);
    let first = values.next()?;
    let sound =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b'=' | b'+');
    let text = first.as_bytes();
    if values.next().is_none() && (1..=LONGEST).contains(&text.len()) && text.iter().all(sound) {
        return Some(first.clone());
    }
    drop(values);
    headers.remove(&REQUEST_ID);
    None
}

/// Puts it on the reply, where the service did not put one of its own there.
pub(crate) fn echo(headers: &mut HeaderMap, id: Option<HeaderValue>) {
    if let Some(id) = id {
        headers.entry(&REQUEST_ID).or_insert(id);
    }
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

#[cfg(test)]
mod tests;
