//! Keys that sign JSON Web Tokens of ours (RFC 7515, RFC 7518, RFC 8037). Checking those of others is not done here.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use zeroize::Zeroizing;

use crate::rsa::{RsaKey, block};
use crate::{Error, HmacHash, hmac};

/// A signature of a JSON Web Token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSignature {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
}

/// A key that signs tokens. Cannot be cloned, printed or compared.
pub struct TokenKey(Kind);

enum Kind {
    Rsa(RsaKey),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Zeroizing<Vec<u8>>),
}

impl TokenSignature {
    /// What stands for it in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

impl TokenKey {
    /// Reads a key: PEM (PKCS #8, or what OpenSSL writes for the kind), not encrypted; for `HS256` the bytes themselves.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a key of another kind, and for one that is too short to sign with.
    pub fn read(signature: TokenSignature, stored: &[u8]) -> Result<Self, Error> {
        let wrong = || Error::Malformed("the private key");
        let text = || str::from_utf8(stored).map_err(|_| wrong());
        let kind = match signature {
            TokenSignature::Rs256 => Kind::Rsa(RsaKey::from_pem_text(text()?)?),
            TokenSignature::Es256 => {
                let (label, der) =
                    block(text()?, |label| label.ends_with("PRIVATE KEY")).ok_or_else(wrong)?;
                let pair = match label {
                    "PRIVATE KEY" => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der),
                    _ => EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der),
                };
                Kind::Ecdsa(pair.map_err(|_| wrong())?)
            }
            TokenSignature::EdDsa => {
                let (_, der) = block(text()?, |label| label == "PRIVATE KEY").ok_or_else(wrong)?;
                Kind::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| wrong())?)
            }
            // RFC 7518, section 3.2: as long as the hash, at least.
            TokenSignature::Hs256 if stored.len() < 32 => return Err(wrong()),
            TokenSignature::Hs256 => Kind::Hmac(Zeroizing::new(stored.to_vec())),
        };
        Ok(Self(kind))
    }

    /// Signs a message.
    ///
    /// # Errors
    /// When the library could not, or the system has no random bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Kind::Rsa(key) => key.sign_rs256(message),
            Kind::Ecdsa(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| Error::Malformed("the message to be signed")),
            Kind::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Kind::Hmac(key) => Ok(hmac(HmacHash::Sha256, key, &[message])),
        }
    }
}

#[cfg(test)]
mod tests;
