//! RSA signatures with SHA-256, for tokens of other services (RFC 7518, sections 3.3 and 3.5).

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use memory::Secret;
use zeroize::Zeroizing;

use crate::{Error, from_base64, legacy_md5};

/// A private RSA key. Cannot be cloned, printed or compared.
pub struct RsaKey(RsaKeyPair);

impl RsaKey {
    /// Reads the first private key of a PEM text: `PRIVATE KEY` (PKCS #8) or `RSA PRIVATE KEY` (PKCS #1), not encrypted.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else, and for a key of less than 2048 bits.
    pub fn from_pem(pem: &Secret) -> Result<Self, Error> {
        #[expect(clippy::disallowed_methods, reason = "reads a private key into the key of the library")]
        pem.expose(|bytes| {
            str::from_utf8(bytes)
                .map_err(|_| Error::Malformed("the private key"))
                .and_then(Self::from_pem_text)
        })
    }

    /// The same from a text that was lent.
    ///
    /// # Errors
    /// As [`Self::from_pem`].
    pub fn from_pem_text(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Malformed("the private key");
        let (label, der) = block(text, |label| label.ends_with("PRIVATE KEY")).ok_or_else(wrong)?;
        let pair = match label {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
            _ => return Err(wrong()),
        };
        let pair = pair.map_err(|_| wrong())?;
        if pair.public_modulus_len() < SHORTEST { Err(wrong()) } else { Ok(Self(pair)) }
    }

    /// Signs as `RS256` does: PKCS #1 v1.5.
    ///
    /// # Errors
    /// When the library could not.
    pub fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign(&RSA_PKCS1_SHA256, message)
    }

    /// Signs as `PS256` does: PSS with a salt as long as the hash.
    ///
    /// # Errors
    /// When the library could not, or the system has no random bytes.
    pub fn sign_ps256(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign(&RSA_PSS_SHA256, message)
    }

    /// By what Oracle Cloud names a key: the MD5 of its public half (SubjectPublicKeyInfo, DER), as pairs of digits with `:` between.
    ///
    /// # Errors
    /// When the library can't write the public half.
    pub fn legacy_fingerprint(&self) -> Result<String, Error> {
        let public: PublicKeyX509Der<'_> =
            self.0.public_key().as_der().map_err(|_| Error::Malformed("the public key"))?;
        let pairs: Vec<String> =
            legacy_md5(&[public.as_ref()]).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(pairs.join(":"))
    }

    fn sign(&self, how: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed = self.0.sign(how, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| Error::Malformed("the message to be signed"))
    }
}

/// The DER of the first certificate of a PEM text.
///
/// # Errors
/// [`Error::Malformed`] when there is none.
pub fn certificate_of_pem(pem: &Secret) -> Result<Vec<u8>, Error> {
    let wrong = || Error::Malformed("the certificate");
    #[expect(clippy::disallowed_methods, reason = "a certificate is public; it only stands beside its key")]
    pem.expose(|bytes| {
        let text = str::from_utf8(bytes).map_err(|_| wrong())?;
        let (_, der) = block(text, |label| label == "CERTIFICATE").ok_or_else(wrong)?;
        Ok(der.to_vec())
    })
}

/// The first block of a PEM text (RFC 7468) with a label that is wanted.
pub(crate) fn block(text: &str, wanted: impl Fn(&str) -> bool) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----")?;
        let end = format!("-----END {label}-----");
        let (body, behind) = body.split_once(end.as_str())?;
        if wanted(label) {
            let mut joined = Zeroizing::new(String::with_capacity(body.len()));
            joined.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
            return Some((label, Zeroizing::new(from_base64(&joined).ok()?)));
        }
        rest = behind;
    }
    None
}

/// In bytes; what services still take.
const SHORTEST: usize = 256;

#[cfg(test)]
mod tests;
