//! Another data key for a tenant, while calls go on.
//!
//! ```text
//! begin   one batch: the next data key with both wrappers and its sentinel, the keys of the house under it,
//!         the sentinels of the older keys sealed anew
//! walk    slices of rows: each that an older key sealed is opened and sealed with the newest, with a record key of its own
//! end     one batch, after a look that nothing is left: the older keys with their wrappers and sentinels are removed
//! ```
//!
//! # Invariants
//!
//! - After the beginning nothing is sealed with an older key: whoever seals, swaps the sentinel of the key that it uses for the
//!   bytes it knows ([`TenantKeys::fence`]), and those of older keys are others now.
//! - How far it is stands in the rows themselves. A process that was killed at any point goes on with the walk.
//! - A row that changes meanwhile is left as it was changed: it is under the newest key already.
//! - An older key is removed only when no row of the tenant needs it.

use std::sync::Arc;

use crypto::{DataKey, Kind, Place};
use memory::Secret;
use model::TenantName;
use serde::Serialize;
use store::{Batch, Row, Step, Storage, Table};

use crate::home::Wrapper;
use crate::keyring::open_tenant;
use crate::keys::TenantKeys;
use crate::{Error, Keyring, RecoveryKey, own, renewed, stored};

/// How far the rotation of a tenant's data key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rotation {
    /// The number of the data key that seals now.
    pub version: u64,
    /// How many older ones there are still.
    pub older: usize,
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that an older key sealed.
    pub left: u64,
}

/// Where a walk is: a place where sealed rows are, and the last key there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cursor {
    place: usize,
    after: Option<Vec<u8>>,
}

/// A place where sealed rows are.
struct Sealed {
    table: Table,
    prefix: &'static str,
    /// Whether the newest key sealed a row.
    is_new: IsNew,
    /// The row, sealed with the newest key.
    anew: Anew,
}

type IsNew = fn(&TenantKeys, &[u8]) -> Result<bool, Error>;
type Anew = fn(&TenantKeys, &TenantName, &Row) -> Result<Vec<u8>, Error>;

/// Every place where something of a tenant is sealed with its data key, but the keys of the house.
const PLACES: [Sealed; 4] = [
    Sealed { table: Table::Versions, prefix: "", is_new: whole, anew: stored::sealed_anew },
    Sealed {
        table: Table::Meta,
        prefix: renewed::PREFIX,
        is_new: renewed::is_new,
        anew: renewed::sealed_anew,
    },
    Sealed { table: Table::Meta, prefix: own::CREDENTIALS, is_new: whole, anew: own::sealed_anew },
    Sealed { table: Table::Meta, prefix: own::SEEDS, is_new: whole, anew: own::sealed_anew },
];

fn whole(keys: &TenantKeys, row: &[u8]) -> Result<bool, Error> {
    keys.is_newest(row)
}

impl Keyring {
    /// Begins to rotate the data key of a tenant, or changes nothing where that was begun already.
    ///
    /// # Errors
    /// When there is no such tenant, or its keys changed meanwhile.
    pub fn begin_rotation(&self, storage: &dyn Storage, tenant: &TenantName) -> Result<Self, Error> {
        let keys = self.known(tenant)?;
        if keys.data().len() > 1 {
            return self.reopened(storage, tenant);
        }
        let _current = self.current(storage)?;
        let (before, data) = (keys.newest()?.0, DataKey::generate()?);
        let recovery =
            RecoveryKey::from_key(self.house_keys().recovery.expose(|key| crypto::WrapKey::new(*key)));
        let batch = self.wrap_both(Batch::new(), (tenant, before + 1), &data, &recovery)?;
        let batch = keys.followed(tenant, (before + 1, &data), batch)?;
        // Noted, so that whoever opens keys on demand knows of it.
        let batch = batch.put(Table::Meta, self.home(), &note(tenant), Vec::new());
        let batch = if *tenant == *self.home() {
            self.house_keys().kept_anew(tenant, (before + 1, &data), batch)?
        } else {
            batch
        };
        committed(storage, tenant, &batch)?;
        self.reopened(storage, tenant)
    }

    /// Removes the older data keys of a tenant, when nothing needs them any more.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something does.
    pub fn end_rotation(&self, storage: &dyn Storage, tenant: &TenantName) -> Result<Self, Error> {
        let keys = self.known(tenant)?;
        let rotation = self.rotation(storage, tenant)?;
        if rotation.left > 0 {
            let why = "has rows that only its older data key opens";
            return Err(Error::Conflict { what: tenant.to_string(), why });
        }
        if rotation.older == 0 {
            return self.reopened(storage, tenant);
        }
        let mut batch = keys.fence(Batch::new(), tenant)?;
        batch.push(over(self.home(), tenant));
        for version in keys.data().keys().filter(|version| **version < rotation.version) {
            for wrapper in [Wrapper::Primary, Wrapper::Recovery] {
                batch = batch.delete(Table::Keys, tenant, &wrapper.row(*version));
            }
            batch = TenantKeys::without(batch, tenant, *version);
        }
        committed(storage, tenant, &batch)?;
        self.reopened(storage, tenant)
    }

    /// How far the rotation of a tenant is; reads all that is sealed, and opens nothing.
    ///
    /// # Errors
    /// When there is no such tenant, or the storage can't be read.
    pub fn rotation(&self, storage: &dyn Storage, tenant: &TenantName) -> Result<Rotation, Error> {
        let keys = self.known(tenant)?;
        let mut rotation =
            Rotation { version: keys.newest()?.0, older: keys.data().len() - 1, rows: 0, left: 0 };
        for place in &PLACES {
            let mut failed = None;
            store::each(storage, tenant, (place.table, place.prefix.as_bytes()), &mut |row| {
                rotation.rows += 1;
                match (place.is_new)(&keys, &row.value) {
                    Ok(new) => rotation.left += u64::from(!new),
                    Err(error) => failed = Some(error),
                }
                Ok(())
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(rotation)
    }

    /// The tenants whose rotation was begun and is not over, of those whose keys were opened.
    #[must_use]
    pub fn rotating(&self) -> Vec<TenantName> {
        self.tenants().filter(|tenant| self.known(tenant).is_ok_and(|keys| keys.data().len() > 1)).collect()
    }

    /// Seals the next rows of a tenant with its newest data key: how many, and where to go on; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a row opens with no key of the tenant.
    pub(crate) fn seal_anew(
        &self,
        storage: &dyn Storage,
        tenant: &TenantName,
        from: &Cursor,
        most: usize,
    ) -> Result<(u64, Option<Cursor>), Error> {
        let keys = self.known(tenant)?;
        let Some(place) = PLACES.get(from.place) else { return Ok((0, None)) };
        let rows = storage.scan(place.table, tenant, place.prefix.as_bytes(), from.after.as_deref(), most)?;
        let last = rows.last().map(|row| row.key.clone());
        let full = rows.len() == most;
        let mut sealed = Vec::new();
        for row in rows {
            if !(place.is_new)(&keys, &row.value)? {
                let value = (place.anew)(&keys, tenant, &row)?;
                sealed.push((row.value, Row { key: row.key, value }));
            }
        }
        let done = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        if !sealed.is_empty() {
            replaced(storage, (place.table, tenant), sealed)?;
        }
        let next = if full {
            Cursor { place: from.place, after: last }
        } else {
            Cursor { place: from.place + 1, after: None }
        };
        Ok((done, Some(next)))
    }

    fn known(&self, tenant: &TenantName) -> Result<Arc<TenantKeys>, Error> {
        let unknown = |_| Error::Conflict { what: tenant.to_string(), why: "has no keys" };
        self.tenant(tenant).map_err(unknown)
    }

    /// The same with the keys of one tenant as they stand in the storage.
    fn reopened(&self, storage: &dyn Storage, tenant: &TenantName) -> Result<Self, Error> {
        let keys = open_tenant(storage, tenant, self.primary(), (Wrapper::Primary, self.facts()), "key")?;
        Ok(self.with_keys(tenant, keys))
    }
}

/// The tenants of whom a rotation was noted as begun.
pub(crate) fn begun(storage: &dyn Storage, home: &TenantName) -> Result<Vec<TenantName>, Error> {
    let mut begun = Vec::new();
    store::each(storage, home, (Table::Meta, NOTES), &mut |row| {
        let name = row.key.strip_prefix(NOTES).and_then(|name| std::str::from_utf8(name).ok());
        begun.extend(name.and_then(|name| name.parse::<TenantName>().ok()));
        Ok(())
    })?;
    Ok(begun)
}

/// What removes the note of a tenant, where there is one.
pub(crate) fn over(home: &TenantName, tenant: &TenantName) -> Step {
    Step::Delete(Table::Meta, home.clone(), note(tenant))
}

fn note(tenant: &TenantName) -> Vec<u8> {
    [NOTES, tenant.as_str().as_bytes()].concat()
}

/// What the keys of the notes begin with.
const NOTES: &[u8] = b"rotating/";

/// Rotates the data key of a tenant to its end. For a home that nobody else has open.
///
/// # Errors
/// Those of the steps. What was done stays done, and the next call goes on.
pub fn rotate_key(
    storage: &dyn Storage,
    keyring: &Keyring,
    tenant: &TenantName,
) -> Result<(Keyring, u64), Error> {
    let begun = keyring.begin_rotation(storage, tenant)?;
    let mut total = 0;
    let mut cursor = Some(Cursor::default());
    while let Some(from) = cursor {
        let (done, next) = begun.seal_anew(storage, tenant, &from, SLICE)?;
        total += done;
        cursor = next;
    }
    Ok((begun.end_rotation(storage, tenant)?, total))
}

/// Puts rows in place of those that were read, as far as these are still there.
fn replaced(
    storage: &dyn Storage,
    (table, tenant): (Table, &TenantName),
    rows: Vec<(Vec<u8>, Row)>,
) -> Result<(), Error> {
    let all = rows
        .iter()
        .fold(Batch::new(), |batch, (old, new)| batch.swap(table, tenant, old.clone(), new.clone()));
    match storage.commit(&all) {
        Err(store::Error::Conflict) => {}
        done => return Ok(done?),
    }
    // Somebody changed one of them; the others one by one.
    for (old, new) in rows {
        match storage.commit(&Batch::new().swap(table, tenant, old, new)) {
            Ok(()) | Err(store::Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn committed(storage: &dyn Storage, tenant: &TenantName, batch: &Batch) -> Result<(), Error> {
    storage.commit(batch).map_err(|error| match error {
        store::Error::Conflict => Error::Conflict { what: tenant.to_string(), why: "changed meanwhile" },
        other => Error::Store(other),
    })
}

/// A row of ciphertext, opened at one of these subjects and sealed there with the newest key.
#[expect(clippy::disallowed_methods, reason = "seals a row with another data key")]
pub(crate) fn row_anew(
    keys: &TenantKeys,
    tenant: &TenantName,
    row: &[u8],
    subjects: (&[&str], u64),
    damaged: impl FnOnce() -> Error,
) -> Result<Vec<u8>, Error> {
    let (subjects, version) = subjects;
    let place = |subject| Place { tenant: tenant.as_str(), subject, version, kind: Kind::Secret };
    for subject in subjects {
        let opened: Secret = match keys.open_row(row, &place(subject)) {
            Ok(opened) => opened,
            Err(crypto::Error::Open) => continue,
            Err(error) => return Err(error.into()),
        };
        return opened.expose(|bytes| keys.seal(bytes, &place(subject)));
    }
    Err(damaged())
}

/// Rows in one batch of a walk.
pub(crate) const SLICE: usize = 64;

#[cfg(test)]
mod tests;
