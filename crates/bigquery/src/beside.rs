//! A storage around the home's own, which keeps the bytes of credentials in BigQuery.
//!
//! ```text
//! written    the intent in the store ─▶ rows in BigQuery, looked at ─▶ rows in the store, without the intent
//! removed    BigQuery is asked whether it is there ─▶ rows in the store, with the intent ─▶ rows in BigQuery ─▶ without the intent
//! ```
//!
//! Whatever stops in between leaves an intent, and whoever opens the store next, or writes for this tenant next, brings the table in line
//! with the store before anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Clock, TenantName};
use store::{Batch, Row, Step, Storage, Table};

use crate::marker::{Marker, OPEN, Open, PLACE, REVISION, digest, kept_at};
use crate::plan::{Plan, in_line, whose};
use crate::remote::{Seen, Which};
use crate::row::{Bytes, Write, micros};
use crate::view::credential_of;
use crate::{Error, Remote};

/// The storage of a home that keeps credentials in BigQuery.
pub struct Beside {
    inner: Arc<dyn Storage>,
    remote: Remote,
    house: TenantName,
    clock: Arc<dyn Clock>,
    /// One writer for a tenant at a time; tenants share a few of these.
    turns: [Mutex<()>; 16],
    prepared: Mutex<bool>,
}

impl Beside {
    /// The storage around another one. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] where the home keeps credentials in another table already; when the store can't be read.
    pub fn new(
        inner: Arc<dyn Storage>,
        remote: Remote,
        house: &TenantName,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, store::Error> {
        let place = remote.place().to_string();
        if let Some(kept) = kept_at(&*inner, house)?.filter(|kept| *kept != place) {
            return Err(Error::Elsewhere { kept, said: format!("name `{place}`") }.into());
        }
        let (turns, prepared) = (Default::default(), Mutex::new(false));
        Ok(Self { inner, remote, house: house.clone(), clock, turns, prepared })
    }

    /// Where the table is.
    #[must_use]
    pub const fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Sees once that the table is there with every column. Blocks.
    ///
    /// # Errors
    /// Those of [`Remote::prepare`].
    pub fn prepare(&self) -> Result<(), Error> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if !*prepared {
            for column in self.remote.prepare()? {
                tracing::info!(column, table = %self.remote.place(), "a column was added");
            }
            *prepared = true;
        }
        Ok(())
    }

    /// Brings the table in line with the store for every tenant of whom something was begun and not settled. Blocks.
    ///
    /// # Errors
    /// The first reason why one could not be; it is tried again with the next call.
    pub fn settle(&self) -> Result<(), store::Error> {
        let mut tenants = Vec::new();
        store::each(&*self.inner, &self.house, (Table::Meta, OPEN), &mut |row| {
            let name = row.key.strip_prefix(OPEN).and_then(|name| std::str::from_utf8(name).ok());
            tenants.extend(name.and_then(|name| name.parse::<TenantName>().ok()));
            Ok(())
        })?;
        let mut failed = None;
        for tenant in tenants {
            let _turn = self.turn(&tenant);
            if let Err(error) = self.brought_in_line(&tenant) {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    // === writing ===

    fn both(&self, tenant: &TenantName, batch: &Batch) -> Result<(), store::Error> {
        let _turn = self.turn(tenant);
        let plan = Plan::of(&*self.inner, tenant, batch)?;
        if plan.writes.is_empty() {
            return self.inner.commit(&plan.steps);
        }
        self.prepare()?;
        self.brought_in_line(tenant)?;
        let revision = self.revision(tenant)?;
        let open = plan.open(revision);
        if plan.erases {
            // Where BigQuery is out of reach, nothing is done.
            let _there = self.remote.seen(tenant.as_str(), &which(&plan.writes))?;
            self.inner.commit(&self.begun(plan.steps, tenant, &open)?)?;
            self.write(tenant, &plan.writes, revision)?;
            return self.inner.commit(&self.over(Batch::new(), tenant));
        }
        self.still_fits(&plan.steps)?;
        self.inner.commit(&self.begun(Batch::new(), tenant, &open)?)?;
        self.write(tenant, &plan.writes, revision)?;
        let settled = self.inner.commit(&self.over(plan.steps, tenant));
        if matches!(settled, Err(store::Error::Conflict))
            && let Err(error) = self.brought_in_line(tenant)
        {
            tracing::warn!(%tenant, %error, "the table is behind the store; it is brought in line with the next call");
        }
        settled
    }

    /// Writes rows and looks whether they stand there.
    fn write(&self, tenant: &TenantName, writes: &[Write], revision: u64) -> Result<(), store::Error> {
        self.remote.write(tenant.as_str(), writes, revision)?;
        let seen = self.remote.seen(tenant.as_str(), &which(writes))?;
        for write in writes {
            self.stands(write, revision, &seen)?;
        }
        Ok(())
    }

    fn stands(&self, write: &Write, revision: u64, seen: &[Seen]) -> Result<(), Error> {
        let id = &write.facts.id;
        let other = |what| Error::Other { id: id.clone(), table: self.remote.place().to_string(), what };
        let mut rows = seen.iter().filter(|seen| seen.id == *id);
        let (Some(row), None) = (rows.next(), rows.next()) else {
            return Err(other("does not stand there once"));
        };
        if row.revision != revision {
            return Err(other("was written by somebody else: its `updated_at` is another one"));
        }
        let wanted = match &write.bytes {
            // What was changed by hand is noticed when it is used, and must not be in the way of another one.
            Bytes::Keep => None,
            Bytes::Put(sealed) => Some(digest(sealed)),
            Bytes::Erase => Some(digest(b"")),
        };
        if wanted.is_some_and(|wanted| wanted != row.digest) {
            return Err(other("holds other bytes than were written"));
        }
        let same = |other: &&Seen| other.active && other.provider == write.facts.provider;
        if write.facts.active && seen.iter().filter(same).count() != 1 {
            return Err(other("is not the only one of its provider that is active"));
        }
        Ok(())
    }

    /// Brings the table in line where something was begun. Whoever calls this has the turn of the tenant.
    fn brought_in_line(&self, tenant: &TenantName) -> Result<(), store::Error> {
        let Some(mut open) = self.open(tenant)? else { return Ok(()) };
        self.prepare()?;
        let ids: BTreeSet<&str> = open.rows.keys().map(String::as_str).collect();
        let seen = self.remote.seen(tenant.as_str(), &Which::Of { ids, active: BTreeSet::new() })?;
        let in_table: BTreeMap<String, String> = seen.into_iter().map(|row| (row.id, row.digest)).collect();
        let (writes, steps) = in_line(&*self.inner, tenant, &open, &in_table)?;
        let revision = self.revision(tenant)?;
        open.revision = open.revision.max(revision);
        self.inner.commit(&self.begun(Batch::new(), tenant, &open)?)?;
        self.write(tenant, &writes, open.revision)?;
        tracing::info!(%tenant, rows = writes.len(), "credentials in BigQuery were brought in line with the store");
        self.inner.commit(&self.over(steps, tenant))
    }

    /// Notes what is begun, and of whom.
    fn begun(&self, batch: Batch, tenant: &TenantName, open: &Open) -> Result<Batch, store::Error> {
        let wrong = |source| store::Error::Row { table: Table::Meta.as_str(), source };
        let value = serde_json::to_vec(open).map_err(wrong)?;
        let place = self.remote.place().to_string().into_bytes();
        Ok(batch
            .put(Table::Meta, &self.house, &open_key(tenant), value)
            .put(Table::Meta, &self.house, PLACE, place)
            .put(Table::Meta, tenant, REVISION, open.revision.to_string().into_bytes()))
    }

    fn over(&self, batch: Batch, tenant: &TenantName) -> Batch {
        batch.delete(Table::Meta, &self.house, &open_key(tenant))
    }

    fn open(&self, tenant: &TenantName) -> Result<Option<Open>, store::Error> {
        let wrong = |source| store::Error::Row { table: Table::Meta.as_str(), source };
        let raw = self.inner.get(Table::Meta, &self.house, &open_key(tenant))?;
        raw.map(|raw| serde_json::from_slice(&raw).map_err(wrong)).transpose()
    }

    /// What `updated_at` of the next rows is: the time, but never what was before, also where clocks differ.
    fn revision(&self, tenant: &TenantName) -> Result<u64, store::Error> {
        let raw = self.inner.get(Table::Meta, tenant, REVISION)?;
        let last = raw.map(|raw| std::str::from_utf8(&raw).ok().and_then(|text| text.parse::<u64>().ok()));
        match last {
            None => Ok(micros(self.clock.now())),
            Some(Some(last)) => Ok(micros(self.clock.now()).max(last.saturating_add(1))),
            Some(None) => Err(Error::Answer("was noted in a row that is damaged").into()),
        }
    }

    /// Whether the store would still take these steps, so that BigQuery is not asked for nothing.
    fn still_fits(&self, steps: &Batch) -> Result<(), store::Error> {
        for step in steps.steps() {
            let (table, tenant, key, wanted) = match step {
                Step::Insert(table, tenant, row) => (table, tenant, &row.key, None),
                Step::Swap(table, tenant, old, row) => (table, tenant, &row.key, Some(old)),
                Step::Put(..) | Step::Delete(..) => continue,
            };
            if self.inner.get(*table, tenant, key)?.as_ref() != wanted {
                return Err(store::Error::Conflict);
            }
        }
        Ok(())
    }

    fn turn(&self, tenant: &TenantName) -> MutexGuard<'_, ()> {
        let [first, ..] = crypto::sha256(&[tenant.as_str().as_bytes()]);
        let [zeroth, ..] = &self.turns;
        let turn = self.turns.get(usize::from(first) % self.turns.len()).unwrap_or(zeroth);
        turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // === reading ===

    /// The bytes that are meant; a ciphertext that is kept here is given as it is.
    fn given(&self, tenant: &TenantName, key: &[u8], row: Vec<u8>) -> Result<Vec<u8>, Error> {
        let Some(marker) = Marker::read(&row) else { return Ok(row) };
        let Some((id, _)) = credential_of(key) else { return Ok(row) };
        self.prepare()?;
        let rows = self.remote.bytes(tenant.as_str(), &id)?;
        let what = if rows.is_empty() { "is not there" } else { "holds other bytes than were written" };
        let meant = rows.into_iter().find(|bytes| digest(bytes) == marker.digest());
        meant.ok_or_else(|| Error::Other { id, table: self.remote.place().to_string(), what })
    }

    /// The same for whoever goes over rows, to remove them perhaps: where the bytes that are meant are not there, what stands in their place,
    /// which nothing opens.
    fn given_or_marker(&self, tenant: &TenantName, row: Row) -> Result<Row, Error> {
        let Row { key, value } = row;
        match self.given(tenant, &key, value.clone()) {
            Err(Error::Other { .. }) => Ok(Row { key, value }),
            given => Ok(Row { key, value: given? }),
        }
    }
}

impl Storage for Beside {
    fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        let found = self.inner.get(table, tenant, key)?;
        match (table, found) {
            (Table::Versions, Some(row)) => Ok(Some(self.given(tenant, key, row)?)),
            (_, found) => Ok(found),
        }
    }

    fn scan(
        &self,
        table: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, store::Error> {
        let rows = self.inner.scan(table, tenant, prefix, after, limit)?;
        if table != Table::Versions {
            return Ok(rows);
        }
        rows.into_iter().map(|row| Ok(self.given_or_marker(tenant, row)?)).collect()
    }

    fn last(&self, table: Table, tenant: &TenantName) -> Result<Option<Row>, store::Error> {
        let last = self.inner.last(table, tenant)?;
        match last {
            Some(row) if table == Table::Versions => Ok(Some(self.given_or_marker(tenant, row)?)),
            other => Ok(other),
        }
    }

    fn tenants(&self, table: Table) -> Result<Vec<TenantName>, store::Error> {
        self.inner.tenants(table)
    }

    fn commit(&self, batch: &Batch) -> Result<(), store::Error> {
        match whose(batch)? {
            None => self.inner.commit(batch),
            Some(tenant) => self.both(tenant, batch),
        }
    }
}

/// The rows that have to be looked at after these were written.
fn which(writes: &[Write]) -> Which<'_> {
    let active = writes.iter().filter(|write| write.facts.active);
    Which::Of {
        ids: writes.iter().map(|write| write.facts.id.as_str()).collect(),
        active: active.map(|write| write.facts.provider.as_str()).collect(),
    }
}

fn open_key(tenant: &TenantName) -> Vec<u8> {
    [OPEN, tenant.as_str().as_bytes()].concat()
}
