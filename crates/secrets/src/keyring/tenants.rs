//! Tenants come and go: each with a data key of its own, destroyed with it.

use std::sync::Arc;

use crypto::DataKey;
use model::TenantName;
use store::{Batch, Storage, Table};

use super::{Keyring, Known, open_tenant, wrap_both};
use crate::home::Wrapper;
use crate::keys::{FIRST, TenantKeys};
use crate::{Error, RecoveryKey};

impl Keyring {
    /// Adds a tenant with keys of its own, wrapped twice, in one batch with rows that say what it is, and gives the keyring
    /// that knows it.
    ///
    /// # Errors
    /// When there is such a tenant already.
    pub fn add_tenant(
        &self,
        storage: &dyn Storage,
        tenant: &TenantName,
        batch: Batch,
    ) -> Result<Self, Error> {
        let conflict = || Error::Conflict { what: tenant.to_string(), why: "has keys already" };
        if self.tenants.find(tenant).is_some() {
            return Err(conflict());
        }
        let _current = self.current(storage)?;
        let data = DataKey::generate()?;
        let recovery = RecoveryKey::from_key(self.house.recovery.expose(|key| crypto::WrapKey::new(*key)));
        let batch = wrap_both(batch, (tenant, FIRST), &data, (&*self.primary, &self.facts), &recovery)?;
        let (_, batch) = TenantKeys::generate(tenant, data, batch)?;
        storage.commit(&batch).map_err(|error| match error {
            store::Error::Conflict => conflict(),
            other => Error::Store(other),
        })?;
        let which = (Wrapper::Primary, &self.facts);
        let keys = open_tenant(storage, tenant, &*self.primary, which, "key")?;
        Ok(self.with(tenant, Known::Open(Arc::new(keys))))
    }

    /// Destroys the keys of a tenant, in one batch with the rows that nothing can open without them, and gives the keyring
    /// that does not know it any more. What was sealed for the tenant is lost for good, in every copy of this home as well
    /// that has only its ciphertexts.
    ///
    /// # Errors
    /// When there is no such tenant, it is the first one of the home, or the rows could not be removed.
    pub fn erase_tenant(
        &self,
        storage: &dyn Storage,
        tenant: &TenantName,
        mut batch: Batch,
    ) -> Result<Self, Error> {
        let what = || tenant.to_string();
        if *tenant == self.home {
            return Err(Error::Conflict { what: what(), why: "keeps the keys of the house" });
        }
        let _keys = self.tenant(tenant).map_err(|_| Error::Conflict { what: what(), why: "has no keys" })?;
        let _current = self.current(storage)?;
        batch.push(crate::rotation::over(&self.home, tenant));
        for table in [Table::Keys, Table::Versions] {
            store::each(storage, tenant, (table, b""), &mut |row| {
                batch.push(store::Step::Delete(table, tenant.clone(), row.key));
                Ok(())
            })?;
        }
        storage.commit(&batch)?;
        Ok(self.with(tenant, Known::Gone))
    }

    /// The same with the keys of a tenant as they were read now.
    pub(crate) fn with_keys(&self, tenant: &TenantName, keys: TenantKeys) -> Self {
        self.with(tenant, Known::Open(Arc::new(keys)))
    }

    fn with(&self, tenant: &TenantName, known: Known) -> Self {
        Self {
            facts: self.facts.clone(),
            home: self.home.clone(),
            primary: Arc::clone(&self.primary),
            tenants: self.tenants.with(tenant, known),
            house: Arc::clone(&self.house),
        }
    }
}
