//! `traceparent` as W3C Trace Context (section 3.2) writes it: `00-TRACE-SPAN-FLAGS`.

use http::header::HeaderMap;

use super::{Remote, Span, TRACEPARENT};

/// The span that a caller's headers name. Two of them, or one that is malformed, name none: the trace begins anew.
#[must_use]
pub fn parent(headers: &HeaderMap) -> Option<Remote> {
    let mut values = net::headers::all(headers, &TRACEPARENT);
    let only = values.next()?;
    match values.next() {
        None => read(only.to_str().ok()?),
        Some(_) => None,
    }
}

fn read(text: &str) -> Option<Remote> {
    let mut parts = text.split('-');
    let [version] = hex::<1>(parts.next()?)?;
    let (trace, span) = (hex::<16>(parts.next()?)?, hex::<8>(parts.next()?)?);
    let [flags] = hex::<1>(parts.next()?)?;
    // A later version may say more behind that; this one may not, and 255 is none.
    if version == u8::MAX || (version == 0 && parts.next().is_some()) {
        return None;
    }
    if trace == [0; 16] || span == [0; 8] {
        return None;
    }
    Some(Remote { trace, span, sampled: flags & SAMPLED != 0 })
}

/// A span as the next one is told of it.
pub(super) fn written(span: &Span, sampled: bool) -> String {
    let mut text = String::with_capacity(55);
    text.push_str("00-");
    push(&mut text, &span.trace);
    text.push('-');
    push(&mut text, &span.id);
    text.push_str(if sampled { "-01" } else { "-00" });
    text
}

/// Lower case only, as the standard has it.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let digit = |b: &u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn push(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
}

const SAMPLED: u8 = 1;
