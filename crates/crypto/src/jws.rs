//! Verifying what others signed: JSON Web Signatures (RFC 7515, with the algorithms of RFC 7518 and RFC 8037), and HMACs.
//!
//! A key is made for exactly one algorithm. What a token says of its algorithm is compared with that by whoever reads tokens;
//! it never chooses. A text that is a public key or a certificate is refused as the secret of an HMAC: everybody knows it.
//!
//! # Invariants
//!
//! - Nothing fits an RSA key of less than 2048 bits, and a point that is not on its curve is no key.
//! - Signatures of ECDSA are taken in the fixed form of RFC 7518, section 3.4, only.

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
};

use crate::der::{self, public_key_of_certificate};
use crate::rsa::block;
use crate::{Error, compare};

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, for senders that know nothing better. As the hash of an HMAC it is not known to be broken.
    LegacySha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// An algorithm with a public and a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of RFC 7518, section 3.1, and RFC 8037")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

/// A public key that verifies signatures of one algorithm.
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

/// Proof that a signature fits.
#[derive(Debug)]
#[must_use]
pub struct Signed(());

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// As it stands in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// Whether its keys are RSA keys, which do not say by themselves what they are for.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512)
    }

    fn parsed(self, bytes: &[u8]) -> Result<ParsedPublicKey, Error> {
        let parsed = match self {
            Self::RS256 => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bytes),
            Self::RS384 => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA384, bytes),
            Self::RS512 => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, bytes),
            Self::PS256 => ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, bytes),
            Self::PS384 => ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA384, bytes),
            Self::PS512 => ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA512, bytes),
            Self::ES256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes),
            Self::ES384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, bytes),
            Self::ES512 => ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, bytes),
            Self::EdDSA => ParsedPublicKey::new(&ED25519, bytes),
        };
        parsed.map_err(|_| Error::Malformed("the public key"))
    }
}

impl VerifyingKey {
    /// The key of a PEM text: `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`, the first block of these.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else, and for a key of another kind than the algorithm's.
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, Error> {
        let wrong = || Error::Malformed("the public key");
        let text = str::from_utf8(pem).map_err(|_| wrong())?;
        let known = |label: &str| matches!(label, "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE");
        let (label, der) = block(text, known).ok_or_else(wrong)?;
        let bytes =
            if label == "CERTIFICATE" { public_key_of_certificate(&der).ok_or_else(wrong)? } else { &der };
        Ok(Self { algorithm, key: algorithm.parsed(bytes)? })
    }

    /// The RSA key of a modulus and an exponent, big endian (RFC 7518, section 6.3.1).
    ///
    /// # Errors
    /// [`Error::Malformed`] when they are no key, a key of less than 2048 bits, or the algorithm is not one of RSA.
    pub fn from_rsa(algorithm: Algorithm, modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        if !algorithm.is_rsa() || modulus.len() - zeros < 256 {
            return Err(Error::Malformed("the public key"));
        }
        Ok(Self { algorithm, key: algorithm.parsed(&der::rsa_public_key(modulus, exponent))? })
    }

    /// The key of a point on the curve of the algorithm (RFC 7518, section 6.2.1).
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is no point of that curve, or the algorithm has another kind of key.
    pub fn from_point(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Result<Self, Error> {
        let size = match algorithm {
            Algorithm::ES256 => 32,
            Algorithm::ES384 => 48,
            Algorithm::ES512 => 66,
            _ => 0,
        };
        if size == 0 || x.len() != size || y.len() != size {
            return Err(Error::Malformed("the public key"));
        }
        Ok(Self { algorithm, key: algorithm.parsed(&[&[4], x, y].concat())? })
    }

    /// The key of Ed25519 (RFC 8037, section 2).
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is none.
    pub fn from_ed25519(x: &[u8]) -> Result<Self, Error> {
        if x.len() != 32 {
            return Err(Error::Malformed("the public key"));
        }
        Ok(Self { algorithm: Algorithm::EdDSA, key: Algorithm::EdDSA.parsed(x)? })
    }

    /// The one algorithm that it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`Error::Forged`] when it does not fit.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Signed, Error> {
        self.key.verify_sig(message, signature).map(|()| Signed(())).map_err(|_| Error::Forged)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Checks an HMAC (RFC 2104) over the parts, one behind the other, in constant time.
///
/// # Errors
/// [`Error::Malformed`] for an empty secret, or one that is a key or certificate in PEM or DER and so no secret;
/// [`Error::Forged`] when the tag does not fit. A shortened tag does not fit.
pub fn hmac_signed(hash: Hash, secret: &[u8], parts: &[&[u8]], tag: &[u8]) -> Result<Signed, Error> {
    if secret.is_empty() || is_public(secret) {
        return Err(Error::Malformed("the secret of an HMAC"));
    }
    let algorithm = match hash {
        Hash::LegacySha1 => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => HMAC_SHA256,
        Hash::Sha384 => HMAC_SHA384,
        Hash::Sha512 => HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, secret));
    for part in parts {
        context.update(part);
    }
    compare::same(context.sign().as_ref(), tag).map(|_| Signed(()))
}

/// Whether a text is a key or a certificate, in PEM, as a JWK or in DER: what everybody may know, or what another algorithm is
/// for.
#[must_use]
pub fn is_public(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    // PEM anywhere in it: text may stand before the first block.
    if text.windows(11).any(|window| window == b"-----BEGIN ") {
        return true;
    }
    if text.starts_with(b"{") && text.windows(5).any(|window| window == b"\"kty\"") {
        return true;
    }
    if text.starts_with(b"ssh-") || text.starts_with(b"ecdsa-sha2-") {
        return true;
    }
    der::is_whole_sequence(bytes)
}

#[cfg(test)]
mod tests;
