//! One-time codes: HOTP (RFC 4226) and TOTP (RFC 6238), and base 32 (RFC 4648, section 6), in which their keys are written.
//!
//! # Invariants
//!
//! - A code is made only from a key of at least 80 bits, the shortest that authenticator programs hand out.
//! - What is returned is wiped when it is dropped.

use aws_lc_rs::hmac::{Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512, Key};
use zeroize::Zeroizing;

use crate::Error;

/// The hash under the HMAC. SHA-1 is what nearly every service uses; its use as HMAC is not broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// HMAC-SHA-1 (RFC 4226).
    #[default]
    Sha1,
    /// HMAC-SHA-256 (RFC 6238, section 1.2).
    Sha256,
    /// HMAC-SHA-512 (RFC 6238, section 1.2).
    Sha512,
}

/// How many digits a code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digits {
    /// Six, as AWS wants them.
    #[default]
    Six,
    /// Seven.
    Seven,
    /// Eight.
    Eight,
}

impl Digits {
    /// The number of digits that is meant by a number; none where RFC 4226 has no such code.
    #[must_use]
    pub const fn of(number: u32) -> Option<Self> {
        match number {
            6 => Some(Self::Six),
            7 => Some(Self::Seven),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    const fn width(self) -> usize {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    const fn modulus(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Seven => 10_000_000,
            Self::Eight => 100_000_000,
        }
    }
}

/// The code of a counter (RFC 4226, section 5.3), with leading zeros.
///
/// # Errors
/// [`Error::Malformed`] when the key is shorter than ten bytes.
pub fn hotp(
    key: &[u8],
    counter: u64,
    algorithm: Algorithm,
    digits: Digits,
) -> Result<Zeroizing<String>, Error> {
    if key.len() < SHORTEST_KEY {
        return Err(Error::Malformed("the key for one-time codes"));
    }
    let hash = match algorithm {
        Algorithm::Sha1 => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => HMAC_SHA256,
        Algorithm::Sha512 => HMAC_SHA512,
    };
    let mut context = Context::with_key(&Key::new(hash, key));
    context.update(&counter.to_be_bytes());
    let tag = context.sign();
    let number = truncated(tag.as_ref())? % digits.modulus();
    Ok(Zeroizing::new(format!("{number:0width$}", width = digits.width())))
}

/// The code of a moment (RFC 6238, section 4): `unix_seconds` divided by `period` is the counter.
///
/// # Errors
/// [`Error::Malformed`] when the key is shorter than ten bytes, or the period is zero.
pub fn totp(
    key: &[u8],
    unix_seconds: u64,
    period: u64,
    algorithm: Algorithm,
    digits: Digits,
) -> Result<Zeroizing<String>, Error> {
    let counter = unix_seconds.checked_div(period).ok_or(Error::Malformed("the period of one-time codes"))?;
    hotp(key, counter, algorithm, digits)
}

/// Reads base 32 as people copy it: either case, with or without padding, spaces and hyphens between the letters.
///
/// # Errors
/// [`Error::Malformed`] for a letter outside of the alphabet, or for lengths and last bits that no encoder writes.
pub fn from_base32(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    const WRONG: Error = Error::Malformed("the base 32 text");
    // Reserved whole, so that no growing buffer leaves a part of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut bits, mut letters, mut padded) = (0_u32, 0_u32, 0_usize, false);
    for letter in text.iter().filter(|letter| !matches!(letter, b' ' | b'-')) {
        let value = match letter {
            b'=' => {
                padded = true;
                continue;
            }
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return Err(WRONG),
        };
        if padded {
            return Err(WRONG);
        }
        letters += 1;
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).map_err(|_| WRONG)?);
            held &= (1 << bits) - 1;
        }
    }
    // 1, 3 and 6 letters over hold no whole byte more than one letter less would; bits that stay must be zero.
    if matches!(letters % 8, 1 | 3 | 6) || held != 0 {
        return Err(WRONG);
    }
    Ok(bytes)
}

/// Dynamic truncation (RFC 4226, section 5.3): four bytes from where the last four bits point to, without the sign.
fn truncated(tag: &[u8]) -> Result<u32, Error> {
    const WRONG: Error = Error::Malformed("the tag of a one-time code");
    let offset = usize::from(tag.last().ok_or(WRONG)? & 15);
    let four = tag.get(offset..).and_then(<[u8]>::first_chunk::<4>).ok_or(WRONG)?;
    Ok(u32::from_be_bytes(*four) & 0x7fff_ffff)
}

const SHORTEST_KEY: usize = 10;

#[cfg(test)]
mod tests;
