//! Counters of uses: in memory, as durable as the intents that they count.
//!
//! # Invariants
//!
//! - A counter goes up in the batch that makes its intent durable, and back when that batch fails. One thread counts, so two
//!   callers can't both have the last use.
//! - It goes down only in the batch of the one outcome that says that nothing was sent, by what that intent had counted.
//! - It goes away only in the batch of the record that says so, and never while an intent is open that counted it.

use std::collections::{HashMap, HashSet};

use model::TenantName;
use store::{Batch, Row, Step, Storage, Table};

use crate::event::{CounterId, Use};
use crate::{At, Error, Finding, Wrong};

/// A counter: the tenant and the id of the grant or narrowing.
type Key = (TenantName, CounterId);

/// The counters, read from the storage when they are first asked for.
#[derive(Default)]
pub(super) struct Uses {
    counts: HashMap<Key, u64>,
    /// What the counters of this group were before it.
    before: HashMap<Key, u64>,
    /// What this group removes.
    gone: HashSet<Key>,
}

impl Uses {
    /// Counts all of `uses`, or none of them.
    pub(super) fn count(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantName,
        uses: &[Use],
    ) -> Result<(), Error> {
        for (nth, counted) in uses.iter().enumerate() {
            let earlier = uses.iter().take(nth).filter(|other| other.id == counted.id).count();
            let taken = self.read(storage, tenant, counted.id)?;
            if self.gone.contains(&(tenant.clone(), counted.id)) {
                return Err(Error::UsesExhausted(counted.id));
            }
            if taken.saturating_add(u64::try_from(earlier).unwrap_or(u64::MAX)) >= counted.most {
                return Err(Error::UsesExhausted(counted.id));
            }
        }
        for counted in uses {
            let key = (tenant.clone(), counted.id);
            let count = self.counts.entry(key.clone()).or_default();
            self.before.entry(key).or_insert(*count);
            *count += 1;
        }
        Ok(())
    }

    /// Gives back all of `uses`, which one intent had counted, or none of them.
    pub(super) fn give_back(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantName,
        uses: &[Use],
    ) -> Result<(), Error> {
        for (nth, counted) in uses.iter().enumerate() {
            let same = uses.iter().take(nth + 1).filter(|other| other.id == counted.id).count();
            let taken = self.read(storage, tenant, counted.id)?;
            if taken < u64::try_from(same).unwrap_or(u64::MAX) {
                // The intent is in this count; a smaller one was changed by somebody else.
                return Err(damaged(tenant));
            }
        }
        for counted in uses {
            let key = (tenant.clone(), counted.id);
            if let Some(count) = self.counts.get_mut(&key) {
                self.before.entry(key).or_insert(*count);
                *count = count.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// Removes counters; gives those that there were, and that nothing of this group counted.
    pub(super) fn forget(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantName,
        counters: impl Iterator<Item = CounterId>,
    ) -> Result<Vec<CounterId>, Error> {
        let mut gone = Vec::new();
        for id in counters {
            let key = (tenant.clone(), id);
            let known = storage.get(Table::Uses, tenant, &id).map_err(Error::Read)?;
            if known.is_some() && !self.before.contains_key(&key) && self.gone.insert(key.clone()) {
                self.counts.remove(&key);
                gone.push(id);
            }
        }
        Ok(gone)
    }

    fn read(&mut self, storage: &dyn Storage, tenant: &TenantName, id: [u8; 16]) -> Result<u64, Error> {
        let key = (tenant.clone(), id);
        if let Some(count) = self.counts.get(&key) {
            return Ok(*count);
        }
        let count = match storage.get(Table::Uses, tenant, &id).map_err(Error::Read)? {
            None => 0,
            Some(value) => decode(&value).ok_or_else(|| damaged(tenant))?,
        };
        self.counts.insert(key, count);
        Ok(count)
    }

    /// Adds the counters of this group to its batch.
    pub(super) fn put(&self, batch: &mut Batch) {
        for key in self.before.keys() {
            let (tenant, id) = key;
            let value = self.counts.get(key).copied().unwrap_or_default().to_be_bytes().to_vec();
            batch.push(Step::Put(Table::Uses, tenant.clone(), Row { key: id.to_vec(), value }));
        }
        for (tenant, id) in &self.gone {
            batch.push(Step::Delete(Table::Uses, tenant.clone(), id.to_vec()));
        }
    }

    /// The group is durable.
    pub(super) fn keep(&mut self) {
        self.before.clear();
        // A call that comes too late may have looked for one that was going.
        for key in self.gone.drain() {
            self.counts.remove(&key);
        }
        if self.counts.len() > REMEMBERED {
            self.counts.clear();
        }
    }

    /// The group is not: all counters are as before.
    pub(super) fn undo(&mut self) {
        self.counts.extend(self.before.drain());
        self.gone.clear();
    }
}

fn damaged(tenant: &TenantName) -> Error {
    Error::Damaged(Box::new(Finding::new(At::Row(tenant.clone(), "uses"), Wrong::State)))
}

/// The count in a row of [`Table::Uses`].
pub(crate) fn decode(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

/// Counters in memory; beyond, they are read again.
const REMEMBERED: usize = 100_000;

#[cfg(test)]
mod tests;
