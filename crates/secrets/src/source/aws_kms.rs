//! `aws-kms:CIPHERTEXT`: what a key of AWS KMS opens, in base 64 as `aws kms encrypt` prints it; with `#field` one member of
//! its JSON object. The ciphertext names its key.

use async_trait::async_trait;
use aws::wire::Service;
use model::SecretRef;

use super::aws::{Account, Failed};
use super::{Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick};
use crate::Error;

/// KMS.
pub(super) struct Kms(Account);

impl Kms {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(Account::new(Service::Kms, setup))
    }
}

#[async_trait]
impl SecretSource for Kms {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        let ciphertext = reference.path();
        if crypto::from_base64(ciphertext).is_err() {
            return Err(failed(Trouble::Wrong("it is no ciphertext in base 64")));
        }
        let opened = self.0.ask(lender, async |keeper| keeper.decrypt(ciphertext).await).await;
        let opened = opened.map_err(|error: Failed| error.of(reference, &[]))?;
        let wrong = || failed(Trouble::Answer { at: "AWS".into(), what: "is not base 64" });
        pick::from(reference, pick::decoded(&opened).ok_or_else(wrong)?)
    }
}

pub(super) const SCHEME: &str = "aws-kms";
