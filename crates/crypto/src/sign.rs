//! Ed25519 (RFC 8032).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::{Error, random};

/// 64 bytes of Ed25519.
pub type Signature = [u8; 64];

/// A private key. Cannot be cloned, printed or compared.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

impl SigningKey {
    /// The key of a seed of 32 bytes.
    ///
    /// # Errors
    /// When the library refuses the seed.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, Error> {
        let seed = Zeroizing::new(seed);
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| Error::Malformed("the signing key"))?;
        Ok(Self { pair, seed })
    }

    /// A fresh key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, Error> {
        Self::from_seed(random::array()?)
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut signature = [0; 64];
        for (to, from) in signature.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        signature
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(key)
    }

    /// Lends the seed, for wrapping it.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        use_it(&self.seed)
    }
}

/// A public key: safe to print and to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Proof that a signature fits.
#[derive(Debug)]
#[must_use]
pub struct Verified(());

impl PublicKey {
    /// The key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`Error::Forged`] when it does not fit.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Verified, Error> {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .map(|()| Verified(()))
            .map_err(|_| Error::Forged)
    }
}

#[cfg(test)]
mod tests;
