//! `aws:BASE64`: a secret that is sealed with AES-256-GCM under the key in `AWS_KMS_KEY`, for the sake of a peer's files.
//!
//! The form is a nonce of 12 bytes and the ciphertext, in base 64; the key is 32 bytes in base 64. Nothing of it is asked of
//! AWS, in spite of its names; `aws-kms:` is. Where the key stands in the environment, `doorward doctor` says so.

use async_trait::async_trait;
use model::SecretRef;
use zeroize::Zeroizing;

use super::{Doubt, Environment, Fetched, Lender, SecretSource, Setup, Stamp, Trouble, guarded, of_scheme};
use crate::Error;

/// What is sealed with a key in the environment.
pub(super) struct Local(Environment);

impl Local {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(setup.environment.clone())
    }

    fn opened(&self, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let key = self.0.text(KEY).map(Zeroizing::new);
        let key = key.ok_or_else(|| Trouble::setting("`AWS_KMS_KEY` is not set, which opens it"))?;
        let key = crypto::from_base64(key.trim()).map(Zeroizing::new).ok();
        let key = key.as_ref().and_then(|key| <&[u8; 32]>::try_from(key.as_slice()).ok());
        let key = key.ok_or_else(|| Trouble::setting("`AWS_KMS_KEY` is not 32 bytes in base 64"))?;
        let sealed =
            crypto::from_base64(sealed).map_err(|_| Trouble::Wrong("it is no ciphertext in base 64"))?;
        let opened = crypto::open_aes256_gcm(key, &sealed);
        opened.map_err(|_| Trouble::Wrong("the key in `AWS_KMS_KEY` does not open it, or it was changed"))
    }
}

#[async_trait]
impl SecretSource for Local {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        if reference.field().is_some() {
            return Err(failed(Trouble::Wrong("what is sealed like this has no fields")));
        }
        let opened = self.opened(reference.path()).map_err(failed)?;
        super::checked(reference, guarded(opened)?, Stamp::Fixed)
    }

    async fn stamp(&self, _reference: &SecretRef) -> Result<Stamp, Error> {
        Ok(Stamp::Fixed)
    }

    async fn probe(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<(Fetched, Vec<Doubt>), Error> {
        Ok((self.fetch(reference, lender).await?, vec![Doubt::Legacy]))
    }
}

pub(super) const SCHEME: &str = "aws";
const KEY: &str = "AWS_KMS_KEY";
