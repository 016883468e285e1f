//! `kwallet:WALLET/FOLDER/ENTRY`: a password in KDE's wallet; with `#field` one member of its JSON object.

use async_trait::async_trait;
use model::SecretRef;

use super::{Environment, Fetched, Lender, SecretSource, Setup, Trouble, desktop, of_scheme, pick};
use crate::Error;

/// KDE's wallets.
pub(super) struct Kwallet(Environment);

impl Kwallet {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(setup.environment.clone())
    }
}

#[async_trait]
impl SecretSource for Kwallet {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        let parts: Vec<&str> = reference.path().splitn(3, '/').collect();
        let [wallet, folder, entry] = parts.as_slice() else {
            return Err(failed(Trouble::Wrong("it is not `WALLET/FOLDER/ENTRY`")));
        };
        let (mut settings, entry) = (desktop::settings(&self.0), (*entry).to_owned());
        (settings.kwallet.wallet, settings.kwallet.folder) = ((*wallet).to_owned(), (*folder).to_owned());
        let secret = desktop::asked(reference, move || ::keyring::wallet_password(&settings, &entry)).await?;
        pick::from(reference, pick::plain(&secret))
    }
}

pub(super) const SCHEME: &str = "kwallet";
