//! Typed rows: JSON, so that whoever audits a home can read it with any tool. Unknown fields are errors.

use model::TenantName;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Batch, Error, Row, Storage, Table};

/// A type whose values are the rows of one table. Give it `#[serde(deny_unknown_fields)]`.
pub trait Record: Serialize + DeserializeOwned {
    /// The table.
    const TABLE: Table;
}

/// Reads one record.
///
/// # Errors
/// When the storage can't be read, or the row is not such a record.
pub fn get<R: Record>(storage: &dyn Storage, tenant: &TenantName, key: &str) -> Result<Option<R>, Error> {
    storage.get(R::TABLE, tenant, key.as_bytes())?.map(|value| read(&value)).transpose()
}

/// Reads every record of a tenant with its key, sorted by key.
///
/// # Errors
/// When the storage can't be read, or a row is not such a record.
pub fn all<R: Record>(storage: &dyn Storage, tenant: &TenantName) -> Result<Vec<(String, R)>, Error> {
    all_under(storage, tenant, b"")
}

/// Reads the records of a tenant whose key begins with `prefix`, sorted by key.
///
/// # Errors
/// As [`all`].
pub fn all_under<R: Record>(
    storage: &dyn Storage,
    tenant: &TenantName,
    prefix: &[u8],
) -> Result<Vec<(String, R)>, Error> {
    let mut found = Vec::new();
    each(storage, tenant, (R::TABLE, prefix), &mut |row| {
        found.push((String::from_utf8_lossy(&row.key).into_owned(), read(&row.value)?));
        Ok(())
    })?;
    Ok(found)
}

/// Goes through the rows of a tenant whose key begins with `prefix`, sorted by key.
///
/// # Errors
/// When the storage can't be read, or whatever `look` gives.
pub fn each(
    storage: &dyn Storage,
    tenant: &TenantName,
    (table, prefix): (Table, &[u8]),
    look: &mut dyn FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = storage.scan(table, tenant, prefix, after.as_deref(), PAGE)?;
        let full = rows.len() == PAGE;
        after = rows.last().map(|row| row.key.clone());
        rows.into_iter().try_for_each(&mut *look)?;
        if !full {
            return Ok(());
        }
    }
}

/// Adds the writing of one record to a batch.
///
/// # Errors
/// When the record can't be written as JSON.
pub fn put<R: Record>(batch: Batch, tenant: &TenantName, key: &str, record: &R) -> Result<Batch, Error> {
    let value =
        serde_json::to_vec(record).map_err(|source| Error::Row { table: R::TABLE.as_str(), source })?;
    Ok(batch.put(R::TABLE, tenant, key.as_bytes(), value))
}

fn read<R: Record>(value: &[u8]) -> Result<R, Error> {
    serde_json::from_slice(value).map_err(|source| Error::Row { table: R::TABLE.as_str(), source })
}

const PAGE: usize = 500;
