//! The one way in which a secret is lent: for a permit and a receipt of the same call.
//!
//! The permit says that policy allowed the call, the receipt that its intent is durable. Both must be for one call and
//! one tenant, and the integration of the permit must have declared the reference.

use evidence::Receipt;
use memory::Secret;
use model::{Call, IntegrationName, SecretRef, TenantName};
use policy::Permit;

use crate::error::NotLent;
use crate::held::Opened;
use crate::secrets::{STORE, stored_name};
use crate::{Error, Secrets};

/// Proof that a permit and a receipt belong together.
#[must_use]
struct Asked<'a> {
    tenant: &'a TenantName,
    call: &'a Call,
}

impl<'a> Asked<'a> {
    fn proven(permit: &'a Permit, receipt: &Receipt) -> Result<Self, NotLent> {
        Self::joined((permit.tenant(), permit.call()), (receipt.tenant(), receipt.id()))
    }

    fn joined(
        (tenant, call): (&'a TenantName, &'a Call),
        (recorded, id): (&TenantName, model::EvidenceId),
    ) -> Result<Self, NotLent> {
        if id != call.id() {
            return Err(NotLent::OtherCall);
        }
        if recorded != tenant {
            return Err(NotLent::OtherTenant);
        }
        Ok(Self { tenant, call })
    }

    const fn integration(&self) -> &IntegrationName {
        self.call.integration()
    }

    /// The stored secret that the call is about: one of an integration that mints names it in its input `key`, so that the
    /// policy decided on it and the evidence has it.
    fn minted_from(&self) -> Result<model::SecretName, NotLent> {
        let mints = MINTING.contains(&self.call.integration().as_str());
        let own = self.call.integration() == self.call.kind();
        let named = self.call.inputs().get(KEY).filter(|_| mints && own);
        named.and_then(|name| name.parse().ok()).ok_or(NotLent::Unbound)
    }

    /// Whether the call is the revealing of this very secret.
    fn reveals(&self, name: &str) -> Result<Revealing, NotLent> {
        let of_the_house =
            [self.call.integration(), self.call.kind()].into_iter().all(|name| name.as_str() == HOUSE);
        let named = self.call.inputs().get(NAME).is_some_and(|given| given == name);
        if of_the_house && self.call.operation().as_str() == REVEAL && named {
            Ok(Revealing(()))
        } else {
            Err(NotLent::OtherOperation)
        }
    }
}

/// Proof that a call is the revealing of one secret.
#[must_use]
struct Revealing(());

/// Sees that permit and receipt are for one call of one tenant.
pub(crate) fn proven(permit: &Permit, receipt: &Receipt) -> Result<(), NotLent> {
    Asked::proven(permit, receipt).map(|_| ())
}

impl Secrets {
    /// Lends a secret to a permitted and recorded call: the current version, from the cache where it is there.
    ///
    /// # Errors
    /// When the proofs are not for one call, the integration never declared the reference, the broker is sealed, or the
    /// secret can't be had.
    pub async fn open(
        &self,
        permit: &Permit,
        receipt: &Receipt,
        reference: &SecretRef,
    ) -> Result<Opened, Error> {
        let asked = Asked::proven(permit, receipt).map_err(|why| refused(reference, why))?;
        self.lend(&asked, reference).await
    }

    /// One of several that take turns and do not serve this call, for masking it: a service that knows them all may repeat any. `None` where
    /// it would have to be fetched from a source first, which no call waits for; what was not fetched yet was never sent either.
    ///
    /// # Errors
    /// As [`Self::open`] says.
    pub async fn beside(
        &self,
        permit: &Permit,
        receipt: &Receipt,
        reference: &SecretRef,
    ) -> Result<Option<Opened>, Error> {
        let asked = Asked::proven(permit, receipt).map_err(|why| refused(reference, why))?;
        let bindings = self.bindings.load();
        let bound = bindings.check(asked.tenant, asked.integration(), reference);
        let _bound = bound.map_err(|why| refused(reference, why))?;
        match self.fetching.cache.find(asked.tenant, reference) {
            Some(held) => Ok(Some(Opened::new(held, self.now()))),
            None if reference.scheme() == STORE => self.lend(&asked, reference).await.map(Some),
            None => Ok(None),
        }
    }

    /// Gives the bytes of a stored secret out, for the operation `doorward/secret.reveal` on it only, and only where it
    /// was stored as disclosable.
    ///
    /// # Errors
    /// When the call is another one, or the secret was not stored as disclosable.
    pub async fn disclose(
        &self,
        permit: &Permit,
        receipt: &Receipt,
        reference: &SecretRef,
    ) -> Result<Secret, Error> {
        let asked = Asked::proven(permit, receipt).map_err(|why| refused(reference, why))?;
        self.show(&asked, reference).await
    }

    /// Lends the stored key of a cloud to a permitted and recorded call that mints a token from it.
    ///
    /// # Errors
    /// When the proofs are not for one call, the call names no key, or there is none of this name.
    pub async fn minting_key(&self, permit: &Permit, receipt: &Receipt) -> Result<Secret, Error> {
        let refused = |why| Error::NotLent { reference: "the key of a cloud".to_owned(), why };
        let asked = Asked::proven(permit, receipt).map_err(refused)?;
        let name = asked.minted_from().map_err(refused)?;
        let now = self.now();
        self.look(asked.tenant, move |stored| stored.open(&name, now).map(|opened| opened.current.1)).await
    }

    async fn lend(&self, asked: &Asked<'_>, reference: &SecretRef) -> Result<Opened, Error> {
        self.resolve(asked.tenant, asked.integration(), reference).await
    }

    async fn show(&self, asked: &Asked<'_>, reference: &SecretRef) -> Result<Secret, Error> {
        let name = stored_name(reference)?;
        let _revealing = asked.reveals(name.as_str()).map_err(|why| refused(reference, why))?;
        self.look(asked.tenant, move |stored| stored.disclose(&name)).await
    }
}

fn refused(reference: &SecretRef, why: NotLent) -> Error {
    Error::NotLent { reference: reference.to_string(), why }
}

/// The integration that is Doorward's own management.
const HOUSE: &str = "doorward";
const REVEAL: &str = "secret.reveal";
/// The input that names the secret.
const NAME: &str = "name";
/// The integrations that mint tokens from keys in our own store.
const MINTING: [&str; 2] = ["azure-credentials", "gcp-credentials"];
/// Their input that names the key.
const KEY: &str = "key";

#[cfg(test)]
mod tests;
