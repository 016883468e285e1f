//! What is checked on the way in: secrets that callers show, or sign with. It is opened for one question at a time and never
//! lent: whoever holds a [`Checking`] can ask whether a text or a signature fits, and nothing else.
//!
//! No permit and no receipt stand behind it, because who calls is asked before either. So only what an integration declares under
//! `incoming` is opened here, and nothing that is opened here and nowhere else can be lent.
//!
//! # Invariants
//!
//! - An empty or blank secret fits nothing: it is refused when it is read.
//! - A text that is a public key or a certificate is never the secret of an HMAC.
//! - The version before fits as long as its overlap lasts.

use std::sync::Arc;

use crypto::jws::{Algorithm, Hash, VerifyingKey, hmac_signed};
use memory::Secret;
use model::{IntegrationName, SecretRef, TenantName};

use crate::held::Opened;
use crate::verifier::{Imprint, Matched, Mismatch, Verifier};
use crate::{Error, Secrets};

/// A secret that answers whether something fits. Gives no byte of itself.
pub struct Checking {
    opened: Opened,
    house: Arc<crypto::MacKey>,
}

impl Secrets {
    /// Opens a secret that an integration declares under `incoming`, for checking what comes in.
    ///
    /// # Errors
    /// When the integration does not declare it there, the broker is sealed, or the secret can't be had.
    pub async fn checking(
        &self,
        tenant: &TenantName,
        integration: &IntegrationName,
        reference: &SecretRef,
    ) -> Result<Checking, Error> {
        let opened = self.resolve_checked(tenant, integration, reference).await?;
        let house = self.keyring()?.house().hashing_key();
        Ok(Checking { opened, house })
    }
}

impl Secrets {
    /// What may be stored in the place of a random text that callers will show: its imprint, which answers and can't be shown.
    ///
    /// # Errors
    /// When the broker is sealed, or the text has less than 16 bytes.
    pub fn imprint(&self, text: &Secret) -> Result<Secret, Error> {
        let imprint = Imprint::keyed(&self.keyring()?.house().hashing_key(), text)?;
        let written = serde_json::to_vec(&imprint).map_err(|_| Error::damaged("the imprint"))?;
        Ok(Secret::new(written)?)
    }
}

impl Checking {
    /// Whether a text is the secret, in time that depends on its length only.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn is(&self, presented: &[u8]) -> Result<Matched, Mismatch> {
        self.any(|secret| crypto::same(secret, presented).map(|_| Matched::proven()).map_err(|_| Mismatch))
    }

    /// Whether a text is the one whose imprint the secret is.
    ///
    /// # Errors
    /// [`Mismatch`], also where the secret is no imprint.
    pub fn is_of_imprint(&self, presented: &[u8]) -> Result<Matched, Mismatch> {
        self.any(|secret| {
            let imprint: Imprint = serde_json::from_slice(secret).map_err(|_| Mismatch)?;
            // One that is stretched costs more than a request may hold its thread for.
            if !matches!(imprint, Imprint::Keyed { .. }) {
                return Err(Mismatch);
            }
            Verifier::new(Arc::clone(&self.house), imprint).check(presented)
        })
    }

    /// Whether a tag is the HMAC of the parts, one behind the other.
    ///
    /// # Errors
    /// [`Mismatch`], also where the secret is a public key or a certificate.
    pub fn signed(&self, hash: Hash, parts: &[&[u8]], tag: &[u8]) -> Result<Matched, Mismatch> {
        self.any(|secret| {
            hmac_signed(hash, secret, parts, tag).map(|_| Matched::proven()).map_err(|_| Mismatch)
        })
    }

    /// The public key in PEM that the secret is.
    ///
    /// # Errors
    /// When it is none, or one of another algorithm.
    pub fn public_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, Error> {
        #[expect(clippy::disallowed_methods, reason = "a public key; only its place is that of a secret")]
        self.opened.expose(|pem| VerifyingKey::from_pem(algorithm, pem)).map_err(Error::from)
    }

    /// Why the secret can't check an HMAC, where it can't.
    #[must_use]
    pub fn unfit_for_hmac(&self) -> Option<&'static str> {
        #[expect(clippy::disallowed_methods, reason = "looks whether it is public")]
        let public = self.opened.expose(crypto::jws::is_public);
        public.then_some("it is a public key or a certificate, which is no secret")
    }

    #[expect(clippy::disallowed_methods, reason = "compares what is presented; no byte of the secret leaves")]
    fn any(&self, fits: impl Fn(&[u8]) -> Result<Matched, Mismatch>) -> Result<Matched, Mismatch> {
        let current = self.opened.expose(&fits);
        match (current, self.opened.previous()) {
            (Err(Mismatch), Some(previous)) => previous.expose(&fits),
            (answer, _) => answer,
        }
    }
}

impl std::fmt::Debug for Checking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checking").field("reference", self.opened.reference()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
