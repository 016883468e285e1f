//! A message that a passphrase opens, as compact JWE (RFC 7516) with `PBES2-HS256+A128KW` and `A256GCM` (RFC 7518).
//!
//! ```text
//! passphrase ─ PBKDF2-HMAC-SHA-256(salt: algorithm ‖ 0 ‖ p2s, p2c) ─ AES key wrap (RFC 3394) ─ key ─ AES-256-GCM
//! AAD = the header as it is written in the message
//! ```
//!
//! This is a format of others, which we read and write for their sake; what is ours is sealed in the envelope. The header
//! is JSON, and it is the caller who reads and writes it: this module knows bytes only.
//!
//! # Invariants
//!
//! - Each message has a key and a nonce of its own.
//! - A wrong passphrase ([`Error::Forged`]) and a changed message ([`Error::Open`]) are told apart: the wrapped key proves
//!   the passphrase before anything else is opened.

use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_128, AesKek, KeyWrap};
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use crate::{Error, from_base64url, random, to_base64url};

/// The name of the algorithm in the header, which is a part of the salt as well (RFC 7518, section 4.8.1.1).
pub const ALGORITHM: &str = "PBES2-HS256+A128KW";

/// The name of the content encryption in the header.
pub const ENCRYPTION: &str = "A256GCM";

/// What turns a passphrase into the key that wraps the message's own: the values `p2s` and `p2c` of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// The salt, decoded.
    pub salt: &'a [u8],
    /// Rounds of PBKDF2. [`open`] and [`seal`] refuse fewer than 1,000 and more than 10,000,000: the number stands in the
    /// message, and whoever wrote it must not be able to keep a reader busy for ever.
    pub rounds: u32,
}

/// Seals `plain` and gives the compact form. `header` is the JSON that names [`ALGORITHM`], [`ENCRYPTION`] and `stretch`.
///
/// # Errors
/// [`Error::Stretch`] when the rounds are out of bounds, [`Error::Random`] when the system has no random bytes.
pub fn seal(passphrase: &[u8], header: &[u8], stretch: Stretch<'_>, plain: &[u8]) -> Result<String, Error> {
    let wrapping = wrapping_key(passphrase, stretch)?;
    let key = Zeroizing::new(random::array::<KEY>()?);
    let mut wrapped = [0; KEY + 8];
    wrapping.wrap(&*key, &mut wrapped).map_err(|_| Error::Malformed("the key"))?;
    let nonce = random::array::<NONCE_LEN>()?;
    let header = to_base64url(header);
    // Reserved with room for the tag, so that no growing buffer leaves the plain text behind.
    let mut sealed = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
    sealed.extend_from_slice(plain);
    let tag = content_key(&*key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| Error::Open)?;
    let parts = [
        header,
        to_base64url(&wrapped),
        to_base64url(&nonce),
        to_base64url(&sealed),
        to_base64url(tag.as_ref()),
    ];
    Ok(parts.join("."))
}

/// The header of a message, as JSON. Nothing vouches for it until the message is opened.
///
/// # Errors
/// [`Error::Malformed`] when the text is no compact JWE.
pub fn header(message: &str) -> Result<Vec<u8>, Error> {
    let [header, ..] = split(message)?;
    from_base64url(header)
}

/// Opens a message, which authenticates its header, too.
///
/// # Errors
/// [`Error::Forged`] when the passphrase is another one, [`Error::Open`] when the message was changed,
/// [`Error::Malformed`] when it is no compact JWE, [`Error::Stretch`] when the rounds are out of bounds.
pub fn open(passphrase: &[u8], message: &str, stretch: Stretch<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let [header, wrapped, nonce, sealed, tag] = split(message)?;
    let wrapped = from_base64url(wrapped)?;
    let nonce: [u8; NONCE_LEN] =
        from_base64url(nonce)?.try_into().map_err(|_| Error::Malformed("the nonce of the message"))?;
    let tag = from_base64url(tag)?;
    if tag.len() != AES_256_GCM.tag_len() || wrapped.len() != KEY + 8 {
        return Err(Error::Malformed("the message"));
    }
    let mut bytes = Zeroizing::new(from_base64url(sealed)?);
    bytes.extend_from_slice(&tag);
    let mut key = Zeroizing::new([0; KEY]);
    let unwrapped = wrapping_key(passphrase, stretch)?.unwrap(&wrapped, &mut *key);
    let _opened = unwrapped.map_err(|_| Error::Forged)?;
    let plain = content_key(&*key)?
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(header.as_bytes()), &mut bytes)
        .map_err(|_| Error::Open)?
        .len();
    bytes.truncate(plain);
    Ok(bytes)
}

fn split(message: &str) -> Result<[&str; 5], Error> {
    let mut parts = message.split('.');
    let mut next = || parts.next().ok_or(Error::Malformed("the message"));
    let found = [next()?, next()?, next()?, next()?, next()?];
    if parts.next().is_some() {
        return Err(Error::Malformed("the message"));
    }
    Ok(found)
}

fn wrapping_key(passphrase: &[u8], stretch: Stretch<'_>) -> Result<AesKek, Error> {
    let Stretch { salt, rounds } = stretch;
    if !(FEWEST..=MOST).contains(&rounds) || salt.len() < 8 {
        return Err(Error::Stretch);
    }
    let rounds = NonZeroU32::new(rounds).ok_or(Error::Stretch)?;
    let whole = [ALGORITHM.as_bytes(), &[0], salt].concat();
    let mut key = Zeroizing::new([0; 16]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &whole, passphrase, &mut *key);
    AesKek::new(&AES_128, &*key).map_err(|_| Error::Stretch)
}

fn content_key(key: &[u8]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Error::Malformed("the key"))
}

const KEY: usize = 32;
const FEWEST: u32 = 1_000;
const MOST: u32 = 10_000_000;

#[cfg(test)]
mod tests;
