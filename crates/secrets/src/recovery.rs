//! The recovery key: a second wrapper of every data key, on paper.
//!
//! It is shown once as `DWR1-` and groups of five characters in Crockford's base 32. The last seven characters are a
//! checksum, so that a mistyped key is told apart from a wrong one. Case and dashes don't matter when it is typed back;
//! anything else does.

use crypto::WrapKey;
use model::ParseError;
use zeroize::Zeroizing;

use crate::Error;

/// 32 random bytes that open every data key of a home. Cannot be cloned, printed or compared.
pub struct RecoveryKey(WrapKey);

impl RecoveryKey {
    pub(crate) fn generate() -> Result<Self, Error> {
        Ok(Self(WrapKey::generate()?))
    }

    pub(crate) const fn from_key(key: WrapKey) -> Self {
        Self(key)
    }

    pub(crate) const fn key(&self) -> &WrapKey {
        &self.0
    }

    /// Lends the text that goes on paper. Nothing keeps it.
    pub fn show<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        let text = self.0.expose(|key| {
            let mut digits = Zeroizing::new(Vec::with_capacity(DIGITS));
            encode(key, &mut digits);
            encode(&check(key), &mut digits);
            let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + DIGITS * 2));
            text.push_str(PREFIX);
            for group in digits.chunks(GROUP) {
                text.push('-');
                text.extend(group.iter().map(|digit| char::from(*digit)));
            }
            text
        });
        use_it(&text)
    }

    /// Reads what [`Self::show`] gave, in any case, with dashes anywhere or nowhere.
    ///
    /// # Errors
    /// When it was mistyped. What was typed is not repeated.
    pub fn read(text: &str) -> Result<Self, ParseError> {
        let wrong = |expected| ParseError::hidden("recovery key", expected);
        let mut typed = Zeroizing::new(Vec::with_capacity(text.len()));
        typed.extend(text.trim().bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_uppercase()));
        let digits =
            typed.strip_prefix(PREFIX.as_bytes()).ok_or_else(|| wrong("a text that begins with `DWR1-`"))?;
        if digits.len() != DIGITS {
            return Err(wrong("`DWR1-` and 59 letters and digits"));
        }
        let (key, sum) = digits.split_at_checked(KEY_DIGITS).ok_or_else(|| wrong("59 letters and digits"))?;
        let characters = || wrong("only letters and digits, without I, L, O and U");
        if !digits.iter().all(|digit| ALPHABET.contains(digit)) {
            return Err(characters());
        }
        let mistyped = || wrong("the characters of the paper in their order; one of them was mistyped");
        let key = decode::<32>(key).ok_or_else(mistyped)?;
        let sum = decode::<4>(sum).ok_or_else(mistyped)?;
        if *sum != check(&key) {
            return Err(mistyped());
        }
        Ok(Self(WrapKey::new(*key)))
    }
}

/// Finds mistyping, proves nothing; the key itself is proven by what it opens.
fn check(key: &[u8; 32]) -> [u8; 4] {
    crypto::checksum(key).to_be_bytes()
}

/// Five bits a character, the last one filled up with zeros.
fn encode(bytes: &[u8], into: &mut Vec<u8>) {
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            into.push(digit(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        into.push(digit(held << (5 - bits)));
    }
}

fn digit(value: u32) -> u8 {
    usize::try_from(value & 31).ok().and_then(|at| ALPHABET.get(at)).copied().unwrap_or(b'0')
}

/// Only the canonical spelling: the bits that fill up must be zero.
fn decode<const N: usize>(digits: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut out = Zeroizing::new([0_u8; N]);
    let mut to = out.iter_mut();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in digits {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *to.next()? = u8::try_from(held >> bits).ok()?;
            held &= (1 << bits) - 1;
        }
    }
    (held == 0 && to.next().is_none()).then_some(out)
}

const PREFIX: &str = "DWR1";
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 5;
const KEY_DIGITS: usize = 52;
const DIGITS: usize = KEY_DIGITS + 7;

#[cfg(test)]
mod tests;
