//! The id of an old key that could not be deleted, so that the next rotation does it.

use std::sync::Arc;

use model::{Refusal, TenantName};
use store::{Batch, Storage, Table};

use crate::manage::{unstored, waiting};

/// Old keys by profile.
pub(super) struct Leftovers {
    storage: Arc<dyn Storage>,
    tenant: TenantName,
}

impl Leftovers {
    pub(super) fn new(storage: Arc<dyn Storage>, tenant: TenantName) -> Self {
        Self { storage, tenant }
    }

    /// The old key of a profile that is still there.
    pub(super) async fn of(&self, profile: &str) -> Result<Option<String>, Refusal> {
        let (storage, tenant, row) = (Arc::clone(&self.storage), self.tenant.clone(), row(profile));
        let id = waiting(move || storage.get(Table::Meta, &tenant, &row).map_err(|error| unstored(&error)))
            .await?;
        Ok(id.and_then(|id| String::from_utf8(id).ok()))
    }

    /// Remembers it, or that there is none any more.
    pub(super) async fn set(&self, profile: &str, id: Option<&str>) -> Result<(), Refusal> {
        let (storage, tenant, row) = (Arc::clone(&self.storage), self.tenant.clone(), row(profile));
        let batch = match id {
            Some(id) => Batch::new().put(Table::Meta, &tenant, &row, id.as_bytes().to_vec()),
            None => Batch::new().delete(Table::Meta, &tenant, &row),
        };
        waiting(move || storage.commit(&batch).map_err(|error| unstored(&error))).await
    }
}

fn row(profile: &str) -> Vec<u8> {
    format!("aws/old-key/{profile}").into_bytes()
}
