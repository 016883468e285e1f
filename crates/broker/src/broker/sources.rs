//! What integrations name outside our own store, and whether it can be had there.

use std::collections::BTreeSet;

use catalog::Catalog;
use model::{IntegrationName, SecretRef};
use secrets::{Doubt, Stale};

use super::Broker;

impl Broker {
    /// Every reference to another place than our own store, each once, with one integration and field that names it.
    #[must_use]
    pub fn references(&self) -> Vec<(IntegrationName, String, SecretRef)> {
        Self::references_of(&self.catalog())
    }

    /// The same of integrations that are not in force yet.
    #[must_use]
    pub fn references_of(catalog: &Catalog) -> Vec<(IntegrationName, String, SecretRef)> {
        let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
        for name in catalog.names() {
            // What can't be read is told where it is used.
            let Ok(integration) = catalog.get(&name) else { continue };
            for (field, secret) in integration.secrets() {
                let reference = &secret.reference;
                // A sign-in is kept in our own store, and made when somebody wants one.
                if !matches!(reference.scheme(), "store" | "llm") && seen.insert(reference.clone()) {
                    all.push((name.clone(), field.clone(), reference.clone()));
                }
            }
        }
        all
    }

    /// Looks whether a secret could be had, and what is doubtful about it. Nothing is lent or kept.
    ///
    /// # Errors
    /// Those of its source.
    pub async fn probe_secret(&self, reference: &SecretRef) -> Result<Vec<Doubt>, secrets::Error> {
        self.secrets.probe(&self.settings.tenant, reference).await
    }

    /// The secrets that are lent though their sources are out of reach.
    #[must_use]
    pub fn stale_secrets(&self) -> Vec<Stale> {
        self.secrets.stale(&self.settings.tenant)
    }
}
