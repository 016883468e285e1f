//! What a caller says that its request is for: a run id, a ticket. It is believed to be what the caller says, no more.

use http::header::{HeaderMap, HeaderName};

use crate::refused::Refused;

/// The purpose, where one is given: at most 128 visible characters of ASCII, because it is written into evidence.
pub(crate) fn given(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let mut values = net::headers::all(headers, &PURPOSE);
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let sound = !bytes.is_empty() && bytes.len() <= LONGEST && bytes.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(bytes) {
        Ok(text) if sound && values.next().is_none() => Ok(Some(text.to_owned())),
        _ => Err(Refused::bad("the header `X-Doorward-Purpose` is not one purpose")
            .hint("send it once, with 1 to 128 visible characters of ASCII and without spaces")),
    }
}

static PURPOSE: HeaderName = HeaderName::from_static("x-doorward-purpose");
const LONGEST: usize = 128;

#[cfg(test)]
mod tests;
