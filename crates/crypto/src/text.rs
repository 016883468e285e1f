//! Bytes as text: base 64 (RFC 4648), hex, and the checksum that lets scanners and people find a mistyped token.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::Error;

/// Base 64 with padding (RFC 4648, section 4).
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base 64 with padding; only the canonical form.
///
/// # Errors
/// When it is anything else.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|_| Error::Malformed("the base 64 text"))
}

/// Base 64 for URLs, without padding (RFC 4648, section 5).
#[must_use]
pub fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base 64 for URLs without padding; only the canonical form.
///
/// # Errors
/// When it is anything else.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Malformed("the base 64 text"))
}

/// Hex in lower case.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

/// Reads hex in lower case.
///
/// # Errors
/// When it is anything else.
pub fn from_hex(text: &str) -> Result<Vec<u8>, Error> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(Error::Malformed("the hex text")),
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Error::Malformed("the hex text"));
    }
    pairs.iter().map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// CRC-32 (IEEE 802.3) of a text: finds mistyping, proves nothing.
#[must_use]
pub fn checksum(text: &[u8]) -> u32 {
    crc32fast::hash(text)
}

#[cfg(test)]
mod tests;
