//! The credentials that tenants keep for providers, without their bytes: which ones there are, and which one of each is in use.
//!
//! One row of a tenant says for each provider which credential is in use, so two at once can't be written. It changes together
//! with the rows that it is about, and only where it is still as it was read. So does each of those rows: what somebody else wrote
//! since is never written over.

mod due;
mod revising;
mod row;
mod settling;

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Code, CredentialId, Refusal, TenantName, Timestamp};
use store::{Batch, Row, Storage, Table};

use crate::{Plan, unreadable};

pub use due::{Agenda, Look, looks, put_off};
pub use revising::Revised;
pub use row::{CredentialRow, Status};
pub use settling::{Begun, How, Settled, Unvalidated};

/// The credentials of one tenant.
pub struct Credentials<'a> {
    storage: &'a dyn Storage,
    tenant: &'a TenantName,
    grace: Duration,
    agenda: Option<Agenda<'a>>,
    known: Option<&'a dyn Fn(&str) -> bool>,
}

/// What there is of a tenant.
struct Read {
    used: InUse,
    /// The bytes of the row of those in use.
    old: Option<Vec<u8>>,
    /// Every row, by provider and age.
    rows: Vec<CredentialRow>,
    /// The bytes of each row.
    raw: BTreeMap<CredentialId, Vec<u8>>,
    /// When the tenant is looked at next.
    next: Option<Timestamp>,
}

/// Which credential of each provider is in use.
type InUse = BTreeMap<String, CredentialId>;

impl<'a> Credentials<'a> {
    /// The credentials of a tenant. Calls block.
    #[must_use]
    pub const fn new(storage: &'a dyn Storage, tenant: &'a TenantName) -> Self {
        Self { storage, tenant, grace: GRACE, agenda: None, known: None }
    }

    /// The same, which keeps the list of when tenants have to be looked at.
    #[must_use]
    pub const fn with_agenda(self, agenda: Agenda<'a>) -> Self {
        Self { agenda: Some(agenda), ..self }
    }

    /// The same, where credentials of a provider that is not known use up nothing of the plan: there can be no other one of it.
    #[must_use]
    pub const fn with_known(self, known: &'a dyn Fn(&str) -> bool) -> Self {
        Self { known: Some(known), ..self }
    }

    /// How many providers the plan has, where there is no room for this one.
    fn full(&self, used: &InUse, provider: &str, plan: Plan) -> Option<usize> {
        let counted = used.keys().filter(|code| self.known.is_none_or(|known| known(code))).count();
        plan.providers().filter(|most| !used.contains_key(provider) && counted >= *most)
    }

    /// The same with another time for which one that was replaced stays.
    #[must_use]
    pub const fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Every row, by provider and age.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn all(&self) -> Result<Vec<CredentialRow>, Refusal> {
        let rows = store::all_under::<CredentialRow>(self.storage, self.tenant, ROWS.as_bytes());
        Ok(rows.map_err(|error| unreadable(&error))?.into_iter().map(|(_, row)| row).collect())
    }

    /// The rows that are in use, by provider.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn in_use(&self) -> Result<BTreeMap<String, CredentialRow>, Refusal> {
        let Read { used, rows, .. } = self.read()?;
        let kept = rows.into_iter().filter(|row| used.get(&row.provider) == Some(&row.id));
        Ok(kept.map(|row| (row.provider.clone(), row)).collect())
    }

    /// The rows that a provider may be asked about: of each provider the newest that waits, else the one in use.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn to_try(&self) -> Result<Vec<CredentialRow>, Refusal> {
        let Read { used, rows, .. } = self.read()?;
        Ok(of_each(&used, rows))
    }

    /// What a round wants to know, in one look: the rows whose bytes have to go by now, and those that a provider may be asked about.
    ///
    /// # Errors
    /// When a row can't be read.
    pub fn round(&self, now: Timestamp) -> Result<(Vec<CredentialRow>, Vec<CredentialRow>), Refusal> {
        let Read { used, rows, .. } = self.read()?;
        let over = rows.iter().filter(|row| row.is_over(now)).cloned().collect();
        Ok((over, of_each(&used, rows)))
    }

    /// Takes a provider out of use; gives the rows whose bytes have to go. [`Self::gone`] says that they did.
    ///
    /// # Errors
    /// When the rows can't be read or written, and whatever `still` says of the one in use.
    pub fn remove(
        &self,
        provider: &str,
        now: Timestamp,
        still: &dyn Fn(Option<&CredentialRow>) -> Result<(), Refusal>,
    ) -> Result<Vec<CredentialRow>, Refusal> {
        for _ in 0..ATTEMPTS {
            let mut read = self.read()?;
            let used = read.used.get(provider);
            still(read.rows.iter().find(|row| used == Some(&row.id)))?;
            let of_this = |row: &&CredentialRow| row.provider == provider && !row.gone;
            let rows: Vec<_> = read.rows.iter().filter(of_this).cloned().collect();
            let changed = rows.iter().map(|row| CredentialRow { ends: Some(now), ..row.clone() }).collect();
            if read.used.remove(provider).is_none() && rows.is_empty() {
                return Ok(rows);
            }
            match self.storage.commit(&self.changed(Batch::new(), read, changed, now)?) {
                Ok(()) => return Ok(rows),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Err(settling::too_fast())
    }

    /// All of it in one look: with a database behind a network, how often it is asked is what a call costs.
    fn read(&self) -> Result<Read, Refusal> {
        let (mut old, mut rows, mut raw, mut next) = (None, Vec::new(), BTreeMap::new(), None);
        let read = store::each(self.storage, self.tenant, (Table::Credentials, b""), &mut |row| {
            if row.key == IN_USE {
                old = Some(row.value);
            } else if row.key == due::NEXT {
                next = due::noted_in(&row.value);
            } else if row.key.starts_with(ROWS.as_bytes()) {
                let wrong = |source| store::Error::Row { table: Table::Credentials.as_str(), source };
                let read: CredentialRow = serde_json::from_slice(&row.value).map_err(wrong)?;
                raw.insert(read.id, row.value);
                rows.push(read);
            }
            Ok(())
        });
        read.map_err(|error| unreadable(&error))?;
        Ok(Read { used: in_use(old.as_deref())?, old, rows, raw, next })
    }

    /// Adds to a batch rows that are new or other than they were read, which ones are in use, and when the tenant is looked at next. Where one
    /// of them is not any more as it was read, the batch is a conflict.
    fn changed(
        &self,
        mut batch: Batch,
        Read { used, old, rows, raw, next }: Read,
        changed: Vec<CredentialRow>,
        now: Timestamp,
    ) -> Result<Batch, Refusal> {
        let unwritten = |_| Refusal::new(Code::SourceUnavailable, "a row could not be written");
        for row in &changed {
            let (key, value) = (row.key().into_bytes(), serde_json::to_vec(row).map_err(unwritten)?);
            batch = self.written(batch, raw.get(&row.id).cloned(), Row { key, value });
        }
        if in_use(old.as_deref())? != used {
            let value = serde_json::to_vec(&used).map_err(unwritten)?;
            batch = self.written(batch, old, Row { key: IN_USE.to_vec(), value });
        }
        Ok(self.noted(batch, &used, (rows, changed), (next, now)))
    }

    fn written(&self, batch: Batch, old: Option<Vec<u8>>, row: Row) -> Batch {
        match old {
            None => batch.insert(Table::Credentials, self.tenant, &row.key, row.value),
            Some(old) => batch.swap(Table::Credentials, self.tenant, old, row),
        }
    }
}

/// Of each provider the newest that waits, else the one in use.
fn of_each(used: &InUse, rows: Vec<CredentialRow>) -> Vec<CredentialRow> {
    let mut found: BTreeMap<String, CredentialRow> = BTreeMap::new();
    for row in rows {
        let waits = row.status == Status::Pending && row.is_kept();
        let in_use = used.get(&row.provider) == Some(&row.id);
        let better = match found.get(&row.provider) {
            None => waits || in_use,
            Some(other) if other.status == Status::Pending => waits && row.id > other.id,
            Some(_) => waits,
        };
        if better {
            found.insert(row.provider.clone(), row);
        }
    }
    found.into_values().collect()
}

fn in_use(raw: Option<&[u8]>) -> Result<InUse, Refusal> {
    raw.map_or_else(
        || Ok(InUse::new()),
        |bytes| {
            serde_json::from_slice(bytes).map_err(|_| {
                Refusal::new(Code::SourceUnavailable, "the row of the credentials in use is damaged")
            })
        },
    )
}

const ROWS: &str = "row/";
const IN_USE: &[u8] = b"in-use";
/// How long one that was replaced stays, for callers that still hold it.
const GRACE: Duration = Duration::from_secs(86_400);
const ATTEMPTS: usize = 64;

#[cfg(test)]
mod tests;
