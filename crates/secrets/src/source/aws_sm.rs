//! `aws-sm:NAME`: a secret of AWS Secrets Manager, by name or ARN; with `#field` one member of its JSON object.

use async_trait::async_trait;
use aws::secret::Value;
use aws::wire::Service;
use model::SecretRef;

use super::aws::{Account, Failed};
use super::{Fetched, Lender, SecretSource, Setup, Trouble, of_scheme, pick};
use crate::Error;

/// Secrets Manager.
pub(super) struct SecretsManager(Account);

impl SecretsManager {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(Account::new(Service::SecretsManager, setup))
    }
}

#[async_trait]
impl SecretSource for SecretsManager {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        of_scheme(reference, SCHEME).map_err(|why| Error::source(reference, why))?;
        let id = reference.path();
        let value = self.0.ask(lender, async |keeper| keeper.secret_value(id).await).await;
        let value = value.map_err(|error: Failed| error.of(reference, &["ResourceNotFoundException"]))?;
        let bytes = match value {
            Value::Text(secret) => pick::plain(&secret),
            Value::Base64(secret) => pick::decoded(&secret).ok_or_else(|| {
                Error::source(reference, Trouble::Answer { at: "AWS".into(), what: "is not base 64" })
            })?,
        };
        pick::from(reference, bytes)
    }
}

pub(super) const SCHEME: &str = "aws-sm";
