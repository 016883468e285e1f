//! Which key is stored under the name of a profile, by its id, so that a session is not given again once its key was replaced.
//!
//! A keyring tells the id only by opening the key: that may ask a person, and costs as much as opening the session. So the id
//! is kept in the home, from when a key was stored or read last. A row that is not there costs one look at the key.
//!
//! # Invariants
//!
//! - The row goes before a key is replaced and comes back after it, so that no moment has the id of a key that is gone.
//! - Who read a key changes the row only if nobody else did since that one looked.

use std::sync::Arc;

use model::{Refusal, TenantName};
use store::{Batch, Row, Storage, Table};

use super::Shelf;
use crate::manage::{unstored, waiting};

/// The ids of the stored keys of one tenant.
pub(super) struct Known {
    storage: Arc<dyn Storage>,
    tenant: TenantName,
}

impl Known {
    pub(super) fn new(storage: Arc<dyn Storage>, tenant: TenantName) -> Self {
        Self { storage, tenant }
    }

    /// The id of the key of a profile, where it is known.
    pub(super) async fn id(&self, (shelf, profile): (&Shelf, &str)) -> Result<Option<String>, Refusal> {
        let (storage, tenant, row) = (Arc::clone(&self.storage), self.tenant.clone(), row(shelf, profile));
        let found =
            waiting(move || storage.get(Table::Meta, &tenant, &row).map_err(|error| unstored(&error)));
        Ok(found.await?.and_then(|id| String::from_utf8(id).ok()))
    }

    /// Writes down what was read, where `before` is what was known when it was read.
    pub(super) async fn learn(
        &self,
        (shelf, profile): (&Shelf, &str),
        before: Option<&str>,
        id: &str,
    ) -> Result<(), Refusal> {
        let (key, value) = (row(shelf, profile), id.as_bytes().to_vec());
        let batch = match before {
            Some(old) => Batch::new().swap(Table::Meta, &self.tenant, old.into(), Row { key, value }),
            None => Batch::new().insert(Table::Meta, &self.tenant, &key, value),
        };
        let storage = Arc::clone(&self.storage);
        waiting(move || match storage.commit(&batch) {
            Ok(()) | Err(store::Error::Conflict) => Ok(()),
            Err(error) => Err(unstored(&error)),
        })
        .await
    }

    /// A key was stored.
    pub(super) async fn keep(&self, (shelf, profile): (&Shelf, &str), id: &str) -> Result<(), Refusal> {
        self.commit(Batch::new().put(Table::Meta, &self.tenant, &row(shelf, profile), id.into())).await
    }

    /// The key of a profile is about to change.
    pub(super) async fn forget(&self, (shelf, profile): (&Shelf, &str)) -> Result<(), Refusal> {
        self.commit(Batch::new().delete(Table::Meta, &self.tenant, &row(shelf, profile))).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), Refusal> {
        let storage = Arc::clone(&self.storage);
        waiting(move || storage.commit(&batch).map_err(|error| unstored(&error))).await
    }
}

/// One row for each place: what is done in another one says nothing about the key in this one.
fn row(shelf: &Shelf, profile: &str) -> Vec<u8> {
    format!("aws/key/{}\0{}\0{profile}", shelf.kind().name(), shelf.place()).into_bytes()
}
