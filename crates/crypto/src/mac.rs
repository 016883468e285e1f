//! HMAC-SHA-256 (RFC 2104, FIPS 198-1), alone and as a chain in which each tag is the key of the next.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use zeroize::Zeroizing;

use crate::{Error, compare, random};

/// 32 bytes of HMAC-SHA-256.
pub type Tag = [u8; 32];

/// A key for HMAC-SHA-256. Cannot be cloned, printed or compared.
pub struct MacKey(Zeroizing<[u8; 32]>);

/// Proof that a tag fits.
#[derive(Debug)]
#[must_use]
pub struct Authentic(());

impl MacKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A fresh random key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, Error> {
        random::array().map(Self::new)
    }

    /// The tag of the parts, one behind the other.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        chain(&self.0, parts)
    }

    /// Compares a tag in constant time.
    ///
    /// # Errors
    /// [`Error::Forged`] when it does not fit.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<Authentic, Error> {
        compare::same(&self.tag(parts), tag).map(|_| Authentic(()))
    }

    /// A key for one purpose, derived from this one: `HMAC(key, len(purpose) ‖ purpose ‖ context)`.
    #[must_use]
    pub fn derive(&self, purpose: &str, context: &[u8]) -> Self {
        let length = u64::try_from(purpose.len()).unwrap_or(u64::MAX).to_be_bytes();
        Self::new(self.tag(&[&length, purpose.as_bytes(), context]))
    }

    /// Lends the key's bytes, for wrapping it.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        use_it(&self.0)
    }
}

/// The next tag of a chain: HMAC keyed with the tag before.
#[must_use]
pub fn chain(before: &Tag, parts: &[&[u8]]) -> Tag {
    let mut context = Context::with_key(&Key::new(HMAC_SHA256, before));
    for part in parts {
        context.update(part);
    }
    let mut tag = [0; 32];
    for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    tag
}

#[cfg(test)]
mod tests;
