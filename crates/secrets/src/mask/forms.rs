//! The forms in which a secret may come back: as it is, in base 64 at each alignment, hex, percent-, JSON- and
//! HTML-escaped.
//!
//! Base 64 has three alignments, by how many bytes stand before the secret; characters that also hold bits of its
//! neighbours are left out, so that it is found inside longer texts (`user:password`, a JSON document).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::{Zeroize, Zeroizing};

/// Four bytes of a form, which are searched for.
pub(super) type Fragment = [u8; FRAGMENT];

/// One form, and where its fragment stands.
pub(super) struct Form {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) fragment: usize,
}

impl Form {
    pub(super) fn fragment_bytes(&self) -> Option<Fragment> {
        self.bytes.get(self.fragment..)?.first_chunk().copied()
    }
}

/// Every form of a secret; some may be equal.
pub(super) fn of(secret: &[u8]) -> Vec<Form> {
    let window = rarest(secret, 0, secret.len());
    let mut all = Vec::with_capacity(80);
    let mut each = |escape: &dyn Fn(u8, &mut Vec<u8>)| all.push(escaped(secret, window, escape));
    each(&|byte, out| out.push(byte));
    for digits in [LOWER, UPPER] {
        each(&|byte, out| hex(byte, digits, out));
        each(&|byte, out| percent(byte, digits, out));
        for (plain, space) in PLAIN {
            each(&|byte, out| match byte {
                b' ' if space == Space::Plus => out.push(b'+'),
                _ if byte.is_ascii_alphanumeric() || plain.contains(&byte) => out.push(byte),
                _ => percent(byte, digits, out),
            });
        }
        each(&|byte, out| unicode(byte, digits, out));
        for unusual in JSON_UNUSUAL {
            each(&|byte, out| json(byte, unusual, digits, out));
        }
        each(&|byte, out| match byte {
            0x80.. => unicode(byte, digits, out),
            _ => json(byte, b"", digits, out),
        });
    }
    // Many programs read the bytes of a header as Latin-1, and write what they read as UTF-8, or in the escapes above.
    each(&|byte, out| latin(byte, out));
    for (quotes, more) in HTML {
        each(&|byte, out| html(byte, quotes, more, out));
    }
    for digits in [LOWER, UPPER] {
        all.extend(JSON_UNUSUAL.iter().filter_map(|unusual| ascii_json(secret, window, unusual, digits)));
    }
    for before in 0..3 {
        all.push(base64(secret, window, before, &STANDARD_NO_PAD));
        all.push(base64(secret, window, before, &URL_SAFE_NO_PAD));
    }
    all
}

/// A form that writes each byte by itself.
fn escaped(secret: &[u8], window: usize, escape: &dyn Fn(u8, &mut Vec<u8>)) -> Form {
    // The longest escape has six characters; reserved beforehand, so that no growing buffer leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(secret.len() * 6));
    let (mut start, mut end) = (0, 0);
    for (at, byte) in secret.iter().enumerate() {
        if at == window {
            start = bytes.len();
        }
        escape(*byte, &mut bytes);
        if at + 1 == window + FRAGMENT {
            end = bytes.len();
        }
    }
    let fragment = rarest(&bytes, start, end);
    Form { bytes, fragment }
}

/// JSON with every character beyond ASCII written as `\u`, for secrets that are text.
fn ascii_json(secret: &[u8], window: usize, unusual: &[u8], digits: &[u8; 16]) -> Option<Form> {
    let text = std::str::from_utf8(secret).ok().filter(|text| !text.is_ascii())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(secret.len() * 6));
    let mut start = 0;
    for (at, letter) in text.char_indices() {
        if at <= window {
            start = bytes.len();
        }
        if letter.is_ascii() {
            json(u8::try_from(letter).unwrap_or(b'?'), unusual, digits, &mut bytes);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let [high, low] = unit.to_be_bytes();
            bytes.extend_from_slice(b"\\u");
            hex(high, digits, &mut bytes);
            hex(low, digits, &mut bytes);
        }
    }
    let end = (start + 2 * FRAGMENT).min(bytes.len());
    let fragment = rarest(&bytes, start.min(end.saturating_sub(FRAGMENT)), end);
    Some(Form { bytes, fragment })
}

fn base64(secret: &[u8], window: usize, before: usize, engine: &impl Engine) -> Form {
    let mut plain = Zeroizing::new(Vec::with_capacity(secret.len() + before));
    plain.resize(before, 0);
    plain.extend_from_slice(secret);
    let mut text = engine.encode(&*plain).into_bytes();
    // Characters that hold bits of the bytes before, and of those behind.
    let shared = if before == 0 { 0 } else { before + 1 };
    let whole = plain.len() * 8 / 6;
    let bytes = Zeroizing::new(text.get(shared..whole).unwrap_or_default().to_vec());
    text.zeroize();
    // The characters that hold nothing but the four bytes of the window.
    let from = ((before + window) * 8).div_ceil(6).max(shared);
    let to = ((before + window + FRAGMENT) * 8 / 6).min(whole);
    let fragment = rarest(&bytes, from - shared, to.saturating_sub(shared));
    Form { bytes, fragment }
}

// === how one byte is written ===

fn hex(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    let digit = |value: u8| digits.get(usize::from(value)).copied().unwrap_or(b'0');
    out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
}

fn percent(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.push(b'%');
    hex(byte, digits, out);
}

fn latin(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(char::from(byte).encode_utf8(&mut [0; 2]).as_bytes());
}

fn unicode(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u00");
    hex(byte, digits, out);
}

/// `unusual` are characters that some writers escape as well; `/` gets a back slash, the others `\u00..`.
fn json(byte: u8, unusual: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) {
    match byte {
        b'/' if unusual.contains(&byte) => out.extend_from_slice(b"\\/"),
        b'"' if unusual.contains(&byte) => unicode(byte, digits, out),
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0c => out.extend_from_slice(b"\\f"),
        0..0x20 => unicode(byte, digits, out),
        _ if unusual.contains(&byte) => unicode(byte, digits, out),
        _ => out.push(byte),
    }
}

/// `more` are characters that some writers escape as well, by their numbers.
fn html(byte: u8, [double, single]: [&str; 2], more: &[u8], out: &mut Vec<u8>) {
    match byte {
        b'&' => out.extend_from_slice(b"&amp;"),
        b'<' => out.extend_from_slice(b"&lt;"),
        b'>' => out.extend_from_slice(b"&gt;"),
        b'"' => out.extend_from_slice(double.as_bytes()),
        b'\'' => out.extend_from_slice(single.as_bytes()),
        _ if more.contains(&byte) => {
            out.extend_from_slice(b"&#x");
            hex(byte, UPPER, out);
            out.push(b';');
        }
        _ => out.push(byte),
    }
}

// === fragments ===

/// Where the four bytes begin, between `from` and `to`, that are met least often in other text. Later ones win, because
/// many secrets begin with the same prefix.
fn rarest(bytes: &[u8], from: usize, to: usize) -> usize {
    let part = bytes.get(from..to).unwrap_or_default();
    let score = |window: &[u8]| {
        let rare: usize = window.iter().map(|byte| rarity(*byte)).sum();
        let alike = window.iter().zip(window.iter().skip(1)).filter(|(a, b)| a == b).count();
        rare.saturating_sub(2 * alike)
    };
    let best = part.windows(FRAGMENT).enumerate().max_by_key(|(_, window)| score(window));
    best.map_or(from.min(bytes.len().saturating_sub(FRAGMENT)), |(at, _)| from + at)
}

const fn rarity(byte: u8) -> usize {
    match byte {
        b'A'..=b'Z' | b'j' | b'k' | b'q' | b'v'..=b'z' | 0x80.. => 5,
        b'1'..=b'9' | b'b' | b'f' | b'g' | b'p' => 4,
        b'0' | b'!'..=b'/' | b'?' | b'@' | b'^' | b'`' | b'~' => 3,
        b'a'..=b'z' => 2,
        _ => 1,
    }
}

const FRAGMENT: usize = 4;
const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
/// How a space is written in a text of URLs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    Percent,
    Plus,
}

/// What is left as it is beside letters and digits: what RFC 3986 calls unreserved, what a browser leaves in a component of a URL and in a
/// whole one; then what forms leave, by the writers of browsers, Python and PHP.
const PLAIN: [(&[u8], Space); 6] = [
    (b"-_.~", Space::Percent),
    (b"-_.~!*'()", Space::Percent),
    (b"-_.~!*'();/?:@&=+$,#", Space::Percent),
    (b"*-._", Space::Plus),
    (b"-_.~", Space::Plus),
    (b"-_.", Space::Plus),
];
/// What writers of JSON escape though they need not: nothing; the slash (PHP); what would end a script, with quotes (Rails, Go, Gson);
/// the last character of ASCII; and what .NET does.
const JSON_UNUSUAL: [&[u8]; 7] = [b"", b"/", b"<>&", b"<>&'", b"<>&'=", b"\x7f", b"\"&'+<>`\x7f"];
/// How writers of HTML and XML write the two quotes, and what else they escape.
const HTML: [([&str; 2], &[u8]); 10] = [
    (["&quot;", "&#39;"], b""),
    (["&#34;", "&#39;"], b""),
    (["&quot;", "&#x27;"], b""),
    (["\"", "'"], b""),
    (["&quot;", "'"], b""),
    (["&quot;", "&#039;"], b""),
    (["&quot;", "&apos;"], b""),
    (["&quot;", "&#x27;"], b"/"),
    (["&quot;", "&#x27;"], b"`="),
    (["&quot;", "&#39;"], b"/`="),
];

#[cfg(test)]
mod tests;
