//! `aws-ssm:NAME`: a parameter of AWS Systems Manager, decrypted; with `#field` one member of its JSON object.

use async_trait::async_trait;
use aws::wire::Service;
use model::SecretRef;

use super::aws::{Account, Failed};
use super::{Fetched, Lender, SecretSource, Setup, of_scheme, pick};
use crate::Error;

/// Parameter Store.
pub(super) struct Parameters(Account);

impl Parameters {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(Account::new(Service::Ssm, setup))
    }
}

#[async_trait]
impl SecretSource for Parameters {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        of_scheme(reference, SCHEME).map_err(|why| Error::source(reference, why))?;
        let name = reference.path();
        let value = self.0.ask(lender, async |keeper| keeper.parameter(name).await).await;
        let missing = ["ParameterNotFound", "ParameterVersionNotFound"];
        let value = value.map_err(|error: Failed| error.of(reference, &missing))?;
        pick::from(reference, pick::plain(&value))
    }
}

pub(super) const SCHEME: &str = "aws-ssm";
