//! Rulings of the policies that outlive the process, each under a MAC with a key of the home.
//!
//! Whoever can write the database can't make one: the key is wrapped like every other, and gone while the broker is sealed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use crypto::{Digest, MacKey};
use model::TenantName;
use policy::Rulings;
use store::{Batch, Storage, Table};

/// Rulings as rows.
pub(super) struct Kept {
    storage: Arc<dyn Storage>,
    tenant: TenantName,
    key: ArcSwapOption<MacKey>,
    /// Those that were proven in this process: a server asks the same question for each of its answers.
    proven: Mutex<BTreeMap<Digest, Vec<u8>>>,
}

impl Kept {
    /// Rulings of this storage. Nothing is found or kept before there is a key.
    pub(super) fn new(storage: Arc<dyn Storage>, tenant: TenantName) -> Self {
        Self { storage, tenant, key: ArcSwapOption::empty(), proven: Mutex::default() }
    }

    /// Takes the key, made from one of the house; `None` forgets it.
    pub(super) fn unlock(&self, house: Option<&MacKey>) {
        self.proven().clear();
        self.key.store(house.map(|key| Arc::new(key.derive("rulings of the policies", b""))));
    }

    fn proven(&self) -> MutexGuard<'_, BTreeMap<Digest, Vec<u8>>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(question: &Digest) -> Vec<u8> {
        let mut row = PREFIX.to_vec();
        row.extend_from_slice(question);
        row
    }
}

impl Rulings for Kept {
    fn find(&self, question: &Digest) -> Option<Vec<u8>> {
        let key = self.key.load_full()?;
        if let Some(ruling) = self.proven().get(question) {
            return Some(ruling.clone());
        }
        let value = self.storage.get(Table::Meta, &self.tenant, &Self::row(question)).ok()??;
        let (tag, ruling) = value.split_at_checked(TAG)?;
        let _authentic = key.verify(&[question, ruling], tag).ok()?;
        let mut proven = self.proven();
        if proven.len() < MOST {
            proven.insert(*question, ruling.to_vec());
        }
        Some(ruling.to_vec())
    }

    fn keep(&self, question: &Digest, ruling: &[u8]) {
        let Some(key) = self.key.load_full() else { return };
        let mut value = key.tag(&[question, ruling]).to_vec();
        value.extend_from_slice(ruling);
        let mut batch = Batch::new();
        // Rulings under former policies are never found again; they go when there are many.
        let known = self.storage.scan(Table::Meta, &self.tenant, PREFIX, None, MOST).unwrap_or_default();
        if known.len() == MOST {
            batch = known.iter().fold(batch, |batch, row| batch.delete(Table::Meta, &self.tenant, &row.key));
        }
        let batch = batch.put(Table::Meta, &self.tenant, &Self::row(question), value);
        if let Err(error) = self.storage.commit(&batch) {
            tracing::debug!(%error, "a ruling could not be kept");
        }
    }
}

const PREFIX: &[u8] = b"ruling/";
const MOST: usize = 512;
/// HMAC-SHA-256.
const TAG: usize = 32;

#[cfg(test)]
mod tests;
