//! What a batch means for the table: which of its rows have to be written, and what stands in the store instead of their bytes.

use std::collections::{BTreeMap, BTreeSet};

use model::TenantName;
use store::{Batch, Row, Step, Storage, Table};

use crate::Error;
use crate::marker::{Marker, Open, OpenRow};
use crate::row::{Bytes, Facts, Write};
use crate::view::{View, credential_of, row_of};

/// What has to be done in both places.
pub(crate) struct Plan {
    /// The steps for the store.
    pub(crate) steps: Batch,
    /// The rows of the table.
    pub(crate) writes: Vec<Write>,
    /// Whether bytes go: then the store is first, so that what may be gone is never lent.
    pub(crate) erases: bool,
}

/// What becomes of sealed bytes in a batch.
struct Sealed<'a> {
    storage: &'a dyn Storage,
    tenant: &'a TenantName,
    put: BTreeMap<String, Vec<u8>>,
    erased: BTreeSet<String>,
}

/// The tenant whose credentials a batch is about; `None` where it is about none.
pub(crate) fn whose(batch: &Batch) -> Result<Option<&TenantName>, Error> {
    let mut whose = None;
    for step in batch.steps() {
        let (table, tenant, key) = parts(step);
        let sealed = table == Table::Versions && credential_of(key).is_some();
        if (sealed || table == Table::Credentials) && *whose.get_or_insert(tenant) != tenant {
            return Err(Error::Unfit("not written for two tenants at once"));
        }
    }
    Ok(whose)
}

impl Plan {
    /// What this batch means.
    pub(crate) fn of(
        storage: &dyn Storage,
        tenant: &TenantName,
        batch: &Batch,
    ) -> Result<Self, store::Error> {
        let before = View::read(storage, tenant)?;
        let after = before.after(tenant, batch)?;
        let (before, after) = (before.all(), after.all());
        let mut sealed = Sealed { storage, tenant, put: BTreeMap::new(), erased: BTreeSet::new() };
        let mut steps = Batch::new();
        for step in batch.steps() {
            let is_kept = |id: &str| after.get(id).is_some_and(|(row, _)| !row.gone);
            steps.push(sealed.step(step, &is_kept)?);
        }
        let mut writes = Vec::new();
        for (id, (row, facts)) in &after {
            let changed = before.get(id).is_none_or(|(_, known)| known != facts);
            let bytes = if let Some(bytes) = sealed.put.remove(id) {
                Bytes::Put(bytes)
            } else if sealed.erased.remove(id) {
                Bytes::Erase
            } else if !changed {
                continue;
            } else {
                let key = row_of(&row.secret);
                match storage.get(Table::Versions, tenant, &key)? {
                    None => Bytes::Erase,
                    Some(kept) if Marker::read(&kept).is_some() => Bytes::Keep,
                    // Kept here so far: it moves with the first change.
                    Some(kept) => {
                        let value = Marker::of(&kept).row();
                        steps.push(Step::Swap(
                            Table::Versions,
                            tenant.clone(),
                            kept.clone(),
                            Row { key, value },
                        ));
                        Bytes::Put(kept)
                    }
                }
            };
            writes.push(Write { facts: facts.clone(), bytes });
        }
        let mut erases = writes.iter().any(|write| write.bytes == Bytes::Erase);
        for (id, (_, facts)) in before.iter().filter(|(id, _)| !after.contains_key(*id)) {
            sealed.erased.remove(id);
            erases = true;
            writes.push(Write { facts: facts.clone().out_of_use(), bytes: Bytes::Erase });
        }
        if erases && writes.iter().any(|write| matches!(write.bytes, Bytes::Put(_))) {
            return Err(Error::Unfit("not removed and written in one act").into());
        }
        Ok(Self { steps, writes, erases })
    }

    /// What is noted before anything is done.
    pub(crate) fn open(&self, revision: u64) -> Open {
        let row = |write: &Write| {
            let digest = match &write.bytes {
                Bytes::Put(sealed) => Some(Marker::of(sealed).digest().to_owned()),
                Bytes::Keep | Bytes::Erase => None,
            };
            (write.facts.id.clone(), write.facts.open(digest))
        };
        Open { revision, rows: self.writes.iter().map(row).collect() }
    }
}

impl Sealed<'_> {
    /// A step as the store is told it.
    fn step(&mut self, step: &Step, is_kept: &dyn Fn(&str) -> bool) -> Result<Step, store::Error> {
        let (table, tenant, key) = parts(step);
        let Some((id, first)) = credential_of(key).filter(|_| table == Table::Versions) else {
            return Ok(step.clone());
        };
        let tenant = tenant.clone();
        match step {
            Step::Delete(..) => {
                if self.kept(key)?.is_some() {
                    self.erased.insert(id);
                }
                Ok(step.clone())
            }
            _ if !first => Err(Error::Unfit("set up anew, never rotated").into()),
            Step::Put(_, _, row) if is_kept(&id) => {
                let row = self.marked(id, row);
                Ok(Step::Put(table, tenant, row))
            }
            Step::Insert(_, _, row) if is_kept(&id) => {
                let row = self.marked(id, row);
                Ok(Step::Insert(table, tenant, row))
            }
            // Another data key: the bytes that were read must be those that are meant.
            Step::Swap(_, _, old, row) => match self.kept(key)? {
                Some(marker) if marker != Marker::of(old) => Err(store::Error::Conflict),
                Some(marker) => {
                    let row = self.marked(id, row);
                    Ok(Step::Swap(table, tenant, marker.row(), row))
                }
                None => Ok(step.clone()),
            },
            // What is tried first has no row yet, and waits here.
            Step::Put(..) | Step::Insert(..) => Ok(step.clone()),
        }
    }

    fn marked(&mut self, id: String, row: &Row) -> Row {
        self.put.insert(id, row.value.clone());
        Row { key: row.key.clone(), value: Marker::of(&row.value).row() }
    }

    fn kept(&self, key: &[u8]) -> Result<Option<Marker>, store::Error> {
        let row = self.storage.get(Table::Versions, self.tenant, key)?;
        Ok(row.as_deref().and_then(Marker::read))
    }
}

/// What brings the table in line with the store again, after something that was begun did not come to its end: rows, and steps for the store
/// where the table went on and can't go back.
pub(crate) fn in_line(
    storage: &dyn Storage,
    tenant: &TenantName,
    open: &Open,
    in_table: &BTreeMap<String, String>,
) -> Result<(Vec<Write>, Batch), store::Error> {
    let view = View::read(storage, tenant)?;
    let known = view.all();
    let (mut writes, mut steps) = (Vec::new(), Batch::new());
    for (id, begun) in &open.rows {
        let Some((row, facts)) = known.get(id) else {
            let facts = Facts::never_settled(id, begun, open.revision);
            writes.push(Write { facts, bytes: Bytes::Erase });
            continue;
        };
        let key = row_of(&row.secret);
        let kept = storage.get(Table::Versions, tenant, &key)?;
        let Some(marker) = kept.as_deref().and_then(Marker::read) else {
            // The bytes are here, or gone.
            writes.push(Write { facts: facts.clone().out_of_use(), bytes: Bytes::Erase });
            continue;
        };
        if let Some(digest) = landed(begun, in_table.get(id), &marker) {
            let value = Marker::with(digest).row();
            steps.push(Step::Swap(Table::Versions, tenant.clone(), marker.row(), Row { key, value }));
        }
        writes.push(Write { facts: facts.clone(), bytes: Bytes::Keep });
    }
    Ok((writes, steps))
}

/// The digest of bytes that took the place of those that the store means: sealed anew with another data key, before the store knew.
fn landed(begun: &OpenRow, there: Option<&String>, marker: &Marker) -> Option<String> {
    let there = there.filter(|there| there.as_str() != marker.digest())?;
    (begun.digest.as_ref() == Some(there)).then(|| there.clone())
}

fn parts(step: &Step) -> (Table, &TenantName, &[u8]) {
    match step {
        Step::Put(table, tenant, row)
        | Step::Insert(table, tenant, row)
        | Step::Swap(table, tenant, _, row) => (*table, tenant, &row.key),
        Step::Delete(table, tenant, key) => (*table, tenant, key),
    }
}
