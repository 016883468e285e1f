//! What the frames of a journal say so far: the small tables, and the last key of every long one.
//!
//! # Invariants
//!
//! - It is the same whether it was written or read back; the head of a segment says it once more, and is compared.
//! - Keys of long tables ascend. Only the last checkpoint may be written again, under the same key.

use std::collections::BTreeMap;
use std::ops::Bound;

use model::TenantName;

use super::frame::{Deed, Entry, Frame, Kind};
use super::{is_long, number};
use crate::{Row, Step, Table};
use shelf::Shelf;

mod shelf;

/// A table and a tenant.
pub(super) type Key = (u8, TenantName);

/// See the module.
#[derive(Default)]
pub(super) struct Memory {
    /// None of them is empty.
    small: BTreeMap<Key, Shelf>,
    last: BTreeMap<Key, Vec<u8>>,
}

impl Memory {
    /// Takes in a frame that was read. `None` where no journal of ours would hold it at this place.
    pub(super) fn read(&mut self, frame: &Frame) -> Option<()> {
        for Entry { table, deed, tenant, row } in &frame.entries {
            let key = (number(*table), tenant.clone());
            match (frame.kind, deed, is_long(*table)) {
                (_, Deed::Put, false) => {
                    let replaced = self.small.entry(key).or_default().put(&row.key, &row.value);
                    if frame.kind == Kind::Head && replaced {
                        return None;
                    }
                }
                (Kind::Head, Deed::Last, true) => {
                    if self.last.insert(key, row.key.clone()).is_some() || !row.value.is_empty() {
                        return None;
                    }
                }
                (Kind::Commit, Deed::Put, true) => {
                    if !follows(*table, self.last.get(&key).map(Vec::as_slice), &row.key, Again::May) {
                        return None;
                    }
                    self.last.insert(key, row.key.clone());
                }
                (Kind::Commit, Deed::Delete, false) if row.value.is_empty() => {
                    self.remove(&key, &row.key);
                }
                (Kind::Head, Deed::Put | Deed::Delete, _)
                | (Kind::Head, Deed::Last, false)
                | (Kind::Commit, Deed::Last | Deed::Delete, _) => return None,
            }
        }
        Some(())
    }

    /// The rows of the head of a segment that begins here.
    pub(super) fn head(&self) -> Option<Vec<Entry>> {
        let rows = |shelf: &'_ Shelf| shelf.rows(Bound::Unbounded).map(of_two).collect::<Vec<Row>>();
        let small = self.small.iter().flat_map(|((table, tenant), shelf)| {
            rows(shelf).into_iter().map(|row| {
                Some(Entry { table: table_of(*table)?, deed: Deed::Put, tenant: tenant.clone(), row })
            })
        });
        let last = self.last.iter().map(|((table, tenant), key)| {
            let row = Row { key: key.clone(), value: Vec::new() };
            Some(Entry { table: table_of(*table)?, deed: Deed::Last, tenant: tenant.clone(), row })
        });
        small.chain(last).collect()
    }

    /// Whether a step of a batch may follow. `earlier` are the steps before it in the same batch.
    pub(super) fn admits(&self, step: &Step, earlier: &[Step]) -> bool {
        let (table, tenant, key, again) = match step {
            Step::Put(table, tenant, row) => (*table, tenant, &row.key, Again::May),
            Step::Insert(table, tenant, row) => (*table, tenant, &row.key, Again::MayNot),
            Step::Delete(table, ..) => return !is_long(*table),
            // Nothing that evidence writes is compared first; it has one writer.
            Step::Swap(..) => return false,
        };
        if !is_long(table) {
            return again == Again::May || self.get(table, tenant, key).is_none();
        }
        let same = earlier.iter().rev().find_map(|step| match step {
            Step::Put(one, name, row) | Step::Insert(one, name, row) if *one == table && name == tenant => {
                Some(row.key.as_slice())
            }
            _ => None,
        });
        let last = same.or_else(|| self.last(table, tenant));
        follows(table, last, key, again)
    }

    /// Takes in a step of a batch that is durable.
    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::Put(table, tenant, row) | Step::Insert(table, tenant, row) if is_long(*table) => {
                self.put_last(*table, tenant, &row.key);
            }
            Step::Put(table, tenant, row) | Step::Insert(table, tenant, row) => {
                let shelf = self.small.entry((number(*table), tenant.clone())).or_default();
                shelf.put(&row.key, &row.value);
            }
            Step::Delete(table, tenant, key) => {
                self.remove(&(number(*table), tenant.clone()), key);
            }
            Step::Swap(..) => {}
        }
    }

    fn put_last(&mut self, table: Table, tenant: &TenantName, key: &[u8]) {
        let last = self.last.entry((number(table), tenant.clone())).or_default();
        last.clear();
        last.extend_from_slice(key);
    }

    /// The last key of a long table.
    pub(super) fn last(&self, table: Table, tenant: &TenantName) -> Option<&[u8]> {
        self.last.get(&(number(table), tenant.clone())).map(Vec::as_slice)
    }

    /// The last keys of all long tables.
    pub(super) fn lasts(&self) -> &BTreeMap<Key, Vec<u8>> {
        &self.last
    }

    fn remove(&mut self, shelf: &Key, key: &[u8]) {
        if let Some(rows) = self.small.get_mut(shelf) {
            rows.remove(key);
            if rows.is_empty() {
                self.small.remove(shelf);
            }
        }
    }

    /// One row of a small table.
    pub(super) fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Option<&[u8]> {
        self.small.get(&(number(table), tenant.clone()))?.get(key)
    }

    /// The rows of a small table from a key on, or behind it.
    pub(super) fn rows(
        &self,
        table: Table,
        tenant: &TenantName,
        from: Bound<&[u8]>,
    ) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.small.get(&(number(table), tenant.clone())).into_iter().flat_map(move |shelf| shelf.rows(from))
    }

    /// The tenants that have rows in a table.
    pub(super) fn tenants(&self, table: Table) -> Vec<TenantName> {
        let long = self.last.keys().filter(|(one, _)| *one == number(table)).map(|(_, name)| name);
        let small = self.small.keys().filter(|(one, _)| *one == number(table)).map(|(_, name)| name);
        let mut names: Vec<TenantName> = long.chain(small).cloned().collect();
        names.dedup();
        names
    }
}

/// Whether the last key may be written again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    May,
    MayNot,
}

fn follows(table: Table, last: Option<&[u8]>, key: &[u8], again: Again) -> bool {
    last.is_none_or(|last| last < key || (last == key && is_replaced(table) && again == Again::May))
}

/// Long tables whose last row may be written again: within a minute, a later checkpoint takes the place of the one before.
pub(super) const fn is_replaced(table: Table) -> bool {
    matches!(table, Table::Checkpoints)
}

fn of_two((key, value): (&[u8], &[u8])) -> Row {
    Row { key: key.to_vec(), value: value.to_vec() }
}

fn table_of(wanted: u8) -> Option<Table> {
    Table::ALL.into_iter().find(|table| number(*table) == wanted)
}
