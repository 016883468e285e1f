//! `secretservice:NAME=VALUE,NAME=VALUE`: the item of the Secret Service of a Linux desktop (GNOME Keyring, `KeePassXC`) that
//! has these attributes; with `#field` one member of its JSON object.

use async_trait::async_trait;
use model::SecretRef;

use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, desktop, of_scheme, pick};
use crate::Error;

/// The Secret Service.
pub(super) struct SecretService(Environment);

impl SecretService {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(setup.environment.clone())
    }
}

#[async_trait]
impl SecretSource for SecretService {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        let form = || failed(Trouble::Wrong("it is not `NAME=VALUE`, or some of them with commas between"));
        let pairs =
            reference.path().split(',').map(|pair| pair.split_once('=').filter(|(name, _)| !name.is_empty()));
        let pairs: Option<Vec<_>> =
            pairs.map(|pair| pair.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
        let (pairs, settings) = (pairs.ok_or_else(form)?, desktop::settings(&self.0));
        let secret = desktop::asked(reference, move || ::keyring::secret_with(&settings, &pairs)).await?;
        pick::from(reference, pick::plain(&secret))
    }
}

pub(super) const SCHEME: &str = "secretservice";
