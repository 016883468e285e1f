//! Rows that only this home can read and make: approvals and plans. What is asked for may hold what is nobody else's business,
//! and whoever could write an approval could have anything done.
//!
//! A row is `length of the wrapped key (2) ‖ wrapped key ‖ sealed JSON`, in the envelope of `crypto`, bound to its tenant and key.

use std::sync::Arc;

use crypto::{DataKey, Kind, MacKey, Place, Sealed, WrapKey};
use model::{Code, Refusal, TenantName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Batch, Row, Step, Storage, Table};

use crate::broker::{Broker, Unsealed};
use crate::manage::unstored;

/// The rows of one tenant. Its methods block.
pub(crate) struct Desk {
    storage: Arc<dyn Storage>,
    evidence: Arc<dyn Storage>,
    tenant: TenantName,
    wrapping: WrapKey,
    marking: MacKey,
}

/// A row as it was read.
pub(crate) struct Held<T> {
    pub(crate) row: T,
    stored: Vec<u8>,
}

impl Desk {
    pub(crate) fn of(broker: &Broker, unsealed: &Unsealed, tenant: &TenantName) -> Self {
        let house = unsealed.hashing_key();
        let wrapping = house.derive("approvals and plans", tenant.as_str().as_bytes());
        Self {
            storage: Arc::clone(broker.storage()),
            evidence: Arc::clone(broker.evidence_storage()),
            tenant: tenant.clone(),
            wrapping: wrapping.expose(|bytes| WrapKey::new(*bytes)),
            marking: house.derive("what is approved", tenant.as_str().as_bytes()),
        }
    }

    /// The key of digests: they are stored, and what was digested may be easy to guess.
    pub(crate) const fn marking(&self) -> &MacKey {
        &self.marking
    }

    /// One row.
    ///
    /// # Errors
    /// When it can't be read, or somebody else wrote it.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Held<T>>, Refusal> {
        let stored =
            self.storage.get(TABLE, &self.tenant, key.as_bytes()).map_err(|error| unstored(&error))?;
        stored.map(|stored| self.open(key, stored)).transpose()
    }

    /// All rows whose keys begin like this, sorted by key.
    pub(crate) fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, Refusal> {
        let mut found = Vec::new();
        store::each(&*self.storage, &self.tenant, (TABLE, prefix.as_bytes()), &mut |row| {
            found.push(row);
            Ok(())
        })
        .map_err(|error| unstored(&error))?;
        let opened = found.into_iter().map(|Row { key, value }| {
            let key = String::from_utf8_lossy(&key).into_owned();
            self.open(&key, value).map(|held| held.row)
        });
        opened.collect()
    }

    /// The step that writes a row that is not there yet.
    pub(crate) fn insert<T: Serialize>(&self, key: &str, row: &T) -> Result<Step, Refusal> {
        let value = self.seal(key, row)?;
        Ok(Step::Insert(TABLE, self.tenant.clone(), Row { key: key.as_bytes().to_vec(), value }))
    }

    /// The step that replaces a row that nobody has changed since it was read.
    pub(crate) fn swap<T: Serialize>(
        &self,
        key: &str,
        held: Held<impl Sized>,
        row: &T,
    ) -> Result<Step, Refusal> {
        let value = self.seal(key, row)?;
        let row = Row { key: key.as_bytes().to_vec(), value };
        Ok(Step::Swap(TABLE, self.tenant.clone(), held.stored, row))
    }

    /// Changes a row, whoever else changes it at the same time: what `change` decides is decided anew over what the other wrote.
    ///
    /// # Errors
    /// What `missing` says where there is none, what `change` says, and a `conflict` where others were faster each time.
    pub(crate) fn change<T: Clone + Serialize + DeserializeOwned>(
        &self,
        key: &str,
        missing: impl Fn() -> Refusal,
        change: impl Fn(&mut T) -> Result<(), Refusal>,
    ) -> Result<T, Refusal> {
        let mut tries = 0;
        loop {
            let held = self.read::<T>(key)?.ok_or_else(&missing)?;
            let mut row = held.row.clone();
            change(&mut row)?;
            let step = self.swap(key, held, &row)?;
            tries += 1;
            match self.commit([step]) {
                Err(refusal) if refusal.code == Code::Conflict && tries < TRIES => {}
                other => return other.map(|()| row),
            }
        }
    }

    /// The step that removes a row.
    pub(crate) fn delete(&self, key: &str) -> Step {
        Step::Delete(TABLE, self.tenant.clone(), key.as_bytes().to_vec())
    }

    /// Makes steps durable, together or not at all. A row that somebody else changed meanwhile is a `conflict`.
    pub(crate) fn commit(&self, steps: impl IntoIterator<Item = Step>) -> Result<(), Refusal> {
        let mut batch = Batch::new();
        steps.into_iter().for_each(|step| batch.push(step));
        self.storage.commit(&batch).map_err(|error| unstored(&error))
    }

    /// Whether something that may be done once was begun: its use was counted with an intent, and not given back.
    pub(crate) fn used(&self, id: [u8; 16]) -> Result<bool, Refusal> {
        let count = self.evidence.get(Table::Uses, &self.tenant, &id).map_err(|error| unstored(&error))?;
        // A count that can't be read is one that is not nothing.
        Ok(count.is_some_and(|count| count.iter().any(|byte| *byte != 0)))
    }

    fn place<'a>(&'a self, key: &'a str) -> Place<'a> {
        Place { tenant: self.tenant.as_str(), subject: key, version: 1, kind: Kind::House }
    }

    fn seal<T: Serialize>(&self, key: &str, row: &T) -> Result<Vec<u8>, Refusal> {
        let failed = |error: &dyn std::error::Error| Refusal::new(Code::SourceUnavailable, error.to_string());
        let plain = serde_json::to_vec(row).map_err(|error| failed(&error))?;
        let (place, own) = (self.place(key), DataKey::generate().map_err(|error| failed(&error))?);
        let wrapped = self.wrapping.wrap(&own, &place, b"").map_err(|error| failed(&error))?;
        let sealed = own.seal(&plain, &place).map_err(|error| failed(&error))?;
        let length = u16::try_from(wrapped.as_bytes().len()).map_err(|error| failed(&error))?;
        Ok([&length.to_be_bytes(), wrapped.as_bytes(), sealed.as_bytes()].concat())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what was asked for is shown to who decides; it is no stored secret"
    )]
    fn open<T: DeserializeOwned>(&self, key: &str, stored: Vec<u8>) -> Result<Held<T>, Refusal> {
        let foreign = || {
            Refusal::new(
                Code::SourceUnavailable,
                format!("the stored row `{key}` was not written by this home"),
            )
            .hint("restore `home.db` from a backup")
        };
        let (length, rest) = stored.split_first_chunk::<2>().ok_or_else(foreign)?;
        let (wrapped, sealed) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(foreign)?;
        let place = self.place(key);
        let own = self.wrapping.unwrap(&Sealed::from_bytes(wrapped.to_vec()), &place, b"");
        let own = own.map_err(|_| foreign())?;
        let plain = own.open(&Sealed::from_bytes(sealed.to_vec()), &place).map_err(|_| foreign())?;
        let row = plain.expose(|bytes| serde_json::from_slice(bytes)).map_err(|_| foreign())?;
        Ok(Held { row, stored })
    }
}

/// Approvals, the digests under which they are found, and plans, told apart by what their keys begin with.
const TABLE: Table = Table::Approvals;
/// How often a change is decided anew.
const TRIES: u32 = 16;
