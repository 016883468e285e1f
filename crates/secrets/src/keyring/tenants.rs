//! Tenants come and go: each with a data key of its own, destroyed with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::DataKey;
use model::TenantName;
use store::{Batch, Storage, Table};

use super::{Keyring, open_tenant, wrap_both};
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
        if self.tenants.contains_key(tenant) {
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
        let mut tenants = self.tenants.clone();
        tenants.insert(tenant.clone(), Arc::new(keys));
        Ok(self.with(tenants))
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
        if !self.tenants.contains_key(tenant) {
            return Err(Error::Conflict { what: what(), why: "has no keys" });
        }
        let _current = self.current(storage)?;
        for table in [Table::Keys, Table::Versions] {
            store::each(storage, tenant, (table, b""), &mut |row| {
                batch.push(store::Step::Delete(table, tenant.clone(), row.key));
                Ok(())
            })?;
        }
        storage.commit(&batch)?;
        let mut tenants = self.tenants.clone();
        tenants.remove(tenant);
        Ok(self.with(tenants))
    }

    pub(crate) fn with(&self, tenants: BTreeMap<TenantName, Arc<TenantKeys>>) -> Self {
        Self {
            facts: self.facts.clone(),
            home: self.home.clone(),
            primary: Arc::clone(&self.primary),
            tenants,
            house: Arc::clone(&self.house),
        }
    }
}
