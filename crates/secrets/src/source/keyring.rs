//! `keyring:KIND/NAME`: an entry that Doorward or aws-vault keeps in a keyring, such as `keyring:secret-service/slack`; with
//! `#field` one member of its JSON object. What other programs keep there is read by the schemes of each place.

use ::keyring::Kind;
use async_trait::async_trait;
use model::SecretRef;

use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, desktop, of_scheme, pick};
use crate::Error;

/// Entries in keyrings.
pub(super) struct Keyring(Environment);

impl Keyring {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(setup.environment.clone())
    }
}

#[async_trait]
impl SecretSource for Keyring {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        let form = "it is not `KIND/NAME`, where the kind is one such as `secret-service`, `kwallet`, `pass` or `file`";
        let (kind, name) = reference.path().split_once('/').ok_or_else(|| failed(Trouble::Wrong(form)))?;
        let kind: Kind = kind.parse().map_err(|_| failed(Trouble::Wrong(form)))?;
        let (settings, name) = (desktop::settings(&self.0), name.to_owned());
        let secret =
            desktop::asked(reference, move || Ok(::keyring::open(kind, &settings)?.get(&name)?.secret));
        pick::from(reference, pick::plain(&secret.await?))
    }
}

pub(super) const SCHEME: &str = "keyring";
