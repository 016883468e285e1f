//! What the store knows of the credentials of a tenant, and what it would know after a batch.

use std::collections::BTreeMap;

use model::{CredentialId, SecretName, TenantName};
use serde::de::DeserializeOwned;
use store::{Batch, Step, Storage, Table};
use tenancy::CredentialRow;

use crate::row::Facts;

/// The credentials of one tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    rows: BTreeMap<Vec<u8>, CredentialRow>,
    used: BTreeMap<String, CredentialId>,
}

impl View {
    /// As the store has it.
    pub(crate) fn read(storage: &dyn Storage, tenant: &TenantName) -> Result<Self, store::Error> {
        let mut view = Self::default();
        store::each(storage, tenant, (Table::Credentials, b""), &mut |row| view.put(&row.key, &row.value))?;
        Ok(view)
    }

    /// As the store would have it after these steps.
    pub(crate) fn after(&self, tenant: &TenantName, batch: &Batch) -> Result<Self, store::Error> {
        let mut view = self.clone();
        for step in batch.steps() {
            match step {
                Step::Put(Table::Credentials, of, row)
                | Step::Insert(Table::Credentials, of, row)
                | Step::Swap(Table::Credentials, of, _, row)
                    if of == tenant =>
                {
                    view.put(&row.key, &row.value)?;
                }
                Step::Delete(Table::Credentials, of, key) if of == tenant => {
                    if key == IN_USE {
                        view.used.clear();
                    }
                    view.rows.remove(key);
                }
                _ => {}
            }
        }
        Ok(view)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), store::Error> {
        if key == IN_USE {
            self.used = read(value)?;
        } else if key.starts_with(ROWS) {
            self.rows.insert(key.to_vec(), read(value)?);
        }
        Ok(())
    }

    /// Every credential with its columns, by its id.
    pub(crate) fn all(&self) -> BTreeMap<String, (&CredentialRow, Facts)> {
        let mut all = BTreeMap::new();
        for row in self.rows.values() {
            let active = self.used.get(&row.provider) == Some(&row.id);
            all.insert(row.id.to_string(), (row, Facts::of(row, active)));
        }
        all
    }
}

/// The row in which the first version of a secret is sealed.
pub(crate) fn row_of(secret: &SecretName) -> Vec<u8> {
    [secret.as_str().as_bytes(), &[0], &FIRST].concat()
}

/// The id of the credential whose sealed bytes are kept under this key, and whether they are its first.
pub(crate) fn credential_of(key: &[u8]) -> Option<(String, bool)> {
    let (front, version) = key.split_last_chunk::<8>()?;
    let name = std::str::from_utf8(front.strip_suffix(&[0])?).ok()?;
    let (_, id) = name.strip_prefix(CREDENTIALS)?.rsplit_once('/')?;
    let id: CredentialId = id.parse().ok()?;
    Some((id.to_string(), *version == FIRST))
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, store::Error> {
    let wrong = |source| store::Error::Row { table: Table::Credentials.as_str(), source };
    serde_json::from_slice(value).map_err(wrong)
}

const ROWS: &[u8] = b"row/";
const IN_USE: &[u8] = b"in-use";
const CREDENTIALS: &str = "credentials/";
const FIRST: [u8; 8] = 1_u64.to_be_bytes();
