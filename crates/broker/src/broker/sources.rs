//! What integrations name outside our own store, and whether it can be had there.

use std::collections::BTreeSet;

use catalog::{Catalog, Integration};
use model::{IntegrationName, SecretRef};
use secrets::{Doubt, Stale, Stands};

use super::Broker;

/// A secret that lives elsewhere, as an integration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Who names it.
    pub integration: IntegrationName,
    /// The field.
    pub field: String,
    /// Where it is.
    pub reference: SecretRef,
    /// Where it will stand.
    pub stands: Stands,
}

/// Where the secret of a field will stand.
#[must_use]
pub fn stands(integration: &Integration, field: &str) -> Stands {
    if integration.stands_in_header(field) { Stands::InHeader } else { Stands::Elsewhere }
}

impl Broker {
    /// Every reference to another place than our own store, each once, with one integration and field that names it.
    #[must_use]
    pub fn references(&self) -> Vec<Named> {
        Self::references_of(&self.catalog())
    }

    /// The same of integrations that are not in force yet.
    #[must_use]
    pub fn references_of(catalog: &Catalog) -> Vec<Named> {
        let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
        for name in catalog.names() {
            // What can't be read is told where it is used.
            let Ok(integration) = catalog.get(&name) else { continue };
            for (field, secret) in integration.secrets() {
                let reference = &secret.reference;
                // A sign-in is kept in our own store, and made when somebody wants one.
                if !matches!(reference.scheme(), "store" | "llm") && seen.insert(reference.clone()) {
                    let (integration, stands) = (name.clone(), stands(&integration, field));
                    all.push(Named {
                        integration,
                        field: field.clone(),
                        reference: reference.clone(),
                        stands,
                    });
                }
            }
        }
        all
    }

    /// Looks whether a secret could be had, and what is doubtful about it. Nothing is lent or kept.
    ///
    /// # Errors
    /// Those of its source.
    pub async fn probe_secret(
        &self,
        (reference, stands): (&SecretRef, Stands),
    ) -> Result<Vec<Doubt>, secrets::Error> {
        self.secrets.probe(&self.settings.tenant, (reference, stands)).await
    }

    /// The secrets that are lent though their sources are out of reach.
    #[must_use]
    pub fn stale_secrets(&self) -> Vec<Stale> {
        self.secrets.stale(&self.settings.tenant)
    }
}
