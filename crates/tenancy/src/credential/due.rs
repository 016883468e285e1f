//! When the credentials of a tenant have to be looked at next, and a list of tenants in that order.
//!
//! The list is rows of the house, each with a time and a tenant in its key, so that a round reads those that are due and no others. A row of
//! the tenant says which of them is its own; it is written in the same batch as the credentials. Where two write at once, an entry too many
//! is left, which is one look too many.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Refusal, TenantName, Timestamp};
use store::{Batch, Storage, Table};

use super::settling::too_fast;
use super::{ATTEMPTS, CredentialRow, Credentials, InUse, of_each};
use crate::unreadable;

/// By what it is known when a tenant has to be looked at next.
#[derive(Clone, Copy)]
pub struct Agenda<'a> {
    /// The tenant whose rows the list is.
    pub house: &'a TenantName,
    /// When a credential is due to be validated, where it ever is.
    pub due: &'a dyn Fn(&CredentialRow) -> Option<Timestamp>,
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When the tenant has to be looked at.
    pub at: Timestamp,
    /// Who.
    pub tenant: TenantName,
}

/// The entries of the list that are due by now, the earliest first, and at most so many.
///
/// # Errors
/// When the list can't be read.
pub fn looks(
    storage: &dyn Storage,
    house: &TenantName,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Look>, Refusal> {
    let rows = storage.scan(Table::Meta, house, LIST, None, most).map_err(|error| unreadable(&error))?;
    let looks = rows.iter().filter_map(|row| {
        let (at, tenant) = row.key.strip_prefix(LIST)?.split_first_chunk::<8>()?;
        let tenant = std::str::from_utf8(tenant).ok()?.parse().ok()?;
        Some(Look { at: Timestamp::from_millis(u64::from_be_bytes(*at)), tenant })
    });
    Ok(looks.take_while(|look| look.at <= now).collect())
}

/// Puts a look off that could not be done, so that it is in nobody's way.
///
/// # Errors
/// When the list can't be written.
pub fn put_off(
    storage: &dyn Storage,
    house: &TenantName,
    Look { at, tenant }: &Look,
    until: Timestamp,
) -> Result<(), Refusal> {
    let batch = Batch::new().delete(Table::Meta, house, &key(*at, tenant));
    let batch = batch.put(Table::Meta, house, &key(until, tenant), Vec::new());
    storage.commit(&batch).map_err(|error| unreadable(&error))
}

impl Credentials<'_> {
    /// Writes when this tenant has to be looked at next, after a look that an entry asked for. What is due still is looked at again after `again`.
    ///
    /// # Errors
    /// When the rows can't be read or written.
    pub fn looked(&self, entry: Option<Timestamp>, now: Timestamp, again: Duration) -> Result<(), Refusal> {
        let Some(agenda) = self.agenda else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let read = self.read()?;
            let next = agenda.next(&read.used, read.rows, now);
            let next = next.map(|next| if next <= now { now.after(again) } else { next });
            let mut batch = Batch::new();
            if next.is_some() {
                // A tenant that is erased meanwhile is left without rows.
                let there = self.there()?;
                batch = batch.swap(Table::Tenants, self.tenant, there.value.clone(), there);
            }
            if let Some(entry) = entry.filter(|entry| Some(*entry) != next) {
                batch = batch.delete(Table::Meta, agenda.house, &key(entry, self.tenant));
            }
            let batch = agenda.moved(batch, self.tenant, (read.next, next));
            match self.storage.commit(&batch) {
                Ok(()) => return Ok(()),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Err(too_fast())
    }

    /// Adds to a batch that changes some credentials of this tenant when it has to be looked at next.
    pub(super) fn noted(
        &self,
        batch: Batch,
        used: &InUse,
        (before, changed): (Vec<CredentialRow>, Vec<CredentialRow>),
        (noted, now): (Option<Timestamp>, Timestamp),
    ) -> Batch {
        let Some(agenda) = self.agenda else { return batch };
        let mut rows: BTreeMap<_, _> = before.into_iter().map(|row| (row.id, row)).collect();
        rows.extend(changed.into_iter().map(|row| (row.id, row)));
        let next = agenda.next(used, rows.into_values().collect(), now);
        agenda.moved(batch, self.tenant, (noted, next))
    }
}

impl Agenda<'_> {
    /// When a tenant with these credentials has to be looked at next; `None` where there is nothing to look after.
    fn next(&self, used: &InUse, mut rows: Vec<CredentialRow>, now: Timestamp) -> Option<Timestamp> {
        rows.retain(|row| !row.gone);
        if rows.is_empty() {
            return None;
        }
        let ends: Vec<Timestamp> = rows.iter().filter_map(|row| row.ends).collect();
        let tried = of_each(used, rows).into_iter().filter_map(|row| {
            let over = row.tried.is_none_or(|tried| tried < row.expires).then_some(row.expires);
            if row.expires > now { (self.due)(&row).into_iter().chain(over).min() } else { over }
        });
        ends.into_iter().chain(tried).chain([now.after(LONGEST)]).min()
    }

    /// Another entry in the place of the one before.
    fn moved(
        &self,
        mut batch: Batch,
        tenant: &TenantName,
        (before, next): (Option<Timestamp>, Option<Timestamp>),
    ) -> Batch {
        if let Some(before) = before.filter(|before| Some(*before) != next) {
            batch = batch.delete(Table::Meta, self.house, &key(before, tenant));
        }
        match next {
            Some(next) => batch.put(Table::Meta, self.house, &key(next, tenant), Vec::new()).put(
                Table::Credentials,
                tenant,
                NEXT,
                next.millis().to_be_bytes().to_vec(),
            ),
            None if before.is_some() => batch.delete(Table::Credentials, tenant, NEXT),
            None => batch,
        }
    }
}

/// What the row of a tenant says.
pub(super) fn noted_in(row: &[u8]) -> Option<Timestamp> {
    Some(Timestamp::from_millis(u64::from_be_bytes(row.try_into().ok()?)))
}

fn key(at: Timestamp, tenant: &TenantName) -> Vec<u8> {
    [LIST, &at.millis().to_be_bytes(), tenant.as_str().as_bytes()].concat()
}

/// The row of a tenant that says which entry is its own.
pub(super) const NEXT: &[u8] = b"next-look";
const LIST: &[u8] = b"look/";
/// A tenant with credentials is looked at at least this often, whatever the list says.
const LONGEST: Duration = Duration::from_secs(86_400);
