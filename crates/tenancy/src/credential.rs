//! The credentials that tenants keep for providers, without their bytes: which ones there are, and which one of each is in use.
//!
//! One row of a tenant says for each provider which credential is in use, so two at once can't be written. It changes together
//! with the rows that it is about, and only where it is still as it was read.

mod due;

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Code, CredentialId, PrincipalName, Refusal, SecretName, TenantName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Batch, Record, Row, Storage, Table};

use crate::Plan;
use crate::unreadable;

pub use due::{Agenda, Look, looks, put_off};

/// A credential as a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRow {
    /// Its id.
    pub id: CredentialId,
    /// The code of its provider.
    pub provider: String,
    /// What kind of credential it is, as the list of providers says; empty in rows of an earlier version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The stored secret that holds its bytes.
    pub secret: SecretName,
    /// What it is called.
    pub name: String,
    /// What is known of it.
    pub status: Status,
    /// When it was set up.
    pub created: Timestamp,
    /// When it is over.
    pub expires: Timestamp,
    /// When a provider last said that it works.
    pub validated: Option<Timestamp>,
    /// Why the last validation did not say so.
    pub error: Option<String>,
    /// When a provider was last asked about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Timestamp>,
    /// What it says of itself that is no secret, such as its project.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What was noted beside it.
    pub metadata: Map<String, Value>,
    /// Who set it up.
    pub by: PrincipalName,
    /// The first eight hex digits of the SHA-256 of it.
    pub fingerprint: String,
    /// When its bytes go, after another one took its place.
    pub ends: Option<Timestamp>,
    /// Whether its bytes are gone.
    pub gone: bool,
}

impl Record for CredentialRow {
    const TABLE: Table = Table::Credentials;
}

/// What is known of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The provider took it.
    Valid,
    /// The provider refused it.
    Invalid,
    /// The provider did not say.
    Pending,
}

/// Whether a credential may take the place of one that works though its provider did not say that it works itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unvalidated {
    /// It may: whoever sets it up said so.
    Replaces,
    /// It waits.
    Waits,
}

/// Where a credential ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is the one in use.
    InUse,
    /// It is the one in use, in the place of this one.
    Replaced(CredentialId),
    /// It is kept beside the one in use.
    Beside,
    /// The plan of the tenant has no room for another provider. Nothing was written.
    NoRoom(usize),
}

/// The credentials of one tenant.
pub struct Credentials<'a> {
    storage: &'a dyn Storage,
    tenant: &'a TenantName,
    grace: Duration,
    agenda: Option<Agenda<'a>>,
}

/// What there is of a tenant.
struct Read {
    used: InUse,
    /// The bytes of the row of those in use.
    old: Option<Vec<u8>>,
    /// Every row, by provider and age.
    rows: Vec<CredentialRow>,
    /// When the tenant is looked at next.
    next: Option<Timestamp>,
}

/// Which credential of each provider is in use.
type InUse = BTreeMap<String, CredentialId>;

impl Status {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Invalid => "INVALID",
            Self::Pending => "PENDING",
        }
    }
}

impl CredentialRow {
    /// What it is shown as: one that is over is so whatever its provider said.
    #[must_use]
    pub fn shown(&self, now: Timestamp) -> &'static str {
        if self.expires <= now { "EXPIRED" } else { self.status.as_str() }
    }

    /// Whether its bytes have to go by now.
    fn is_over(&self, now: Timestamp) -> bool {
        !self.gone && self.ends.is_some_and(|end| end <= now)
    }

    fn key(&self) -> String {
        format!("{ROWS}{}/{}", self.provider, self.id)
    }
}

impl<'a> Credentials<'a> {
    /// The credentials of a tenant. Calls block.
    #[must_use]
    pub const fn new(storage: &'a dyn Storage, tenant: &'a TenantName) -> Self {
        Self { storage, tenant, grace: GRACE, agenda: None }
    }

    /// The same, which keeps the list of when tenants have to be looked at.
    #[must_use]
    pub const fn with_agenda(self, agenda: Agenda<'a>) -> Self {
        Self { agenda: Some(agenda), ..self }
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

    /// Whether the plan has room for a provider, or it has one already.
    ///
    /// # Errors
    /// When the row can't be read.
    pub fn room(&self, provider: &str, plan: Plan) -> Result<Settled, Refusal> {
        let raw = self.storage.get(Table::Credentials, self.tenant, IN_USE);
        let used = in_use(raw.map_err(|error| unreadable(&error))?.as_deref())?;
        Ok(full(&used, provider, plan).map_or(Settled::Beside, Settled::NoRoom))
    }

    /// Writes what came of a credential, and puts it in use where it may be: with the row of the one before, which ends after
    /// the grace, in one batch.
    ///
    /// # Errors
    /// When the rows can't be read or written.
    pub fn settle(
        &self,
        row: &CredentialRow,
        plan: Plan,
        how: (Unvalidated, Timestamp),
    ) -> Result<Settled, Refusal> {
        self.settle_with(row, plan, how, &|| Ok(Batch::new()))
    }

    /// The same in one batch with other steps, such as those that keep its bytes. They are made anew for each attempt.
    ///
    /// # Errors
    /// When the rows can't be read or written, and whatever `steps` gives.
    pub fn settle_with(
        &self,
        row: &CredentialRow,
        plan: Plan,
        (unvalidated, now): (Unvalidated, Timestamp),
        steps: &dyn Fn() -> Result<Batch, Refusal>,
    ) -> Result<Settled, Refusal> {
        for _ in 0..ATTEMPTS {
            let Read { mut used, old, rows: mut others, next } = self.read()?;
            if let Some(most) = full(&used, &row.provider, plan) {
                return Ok(Settled::NoRoom(most));
            }
            let (all, mut changed) = (others.clone(), vec![row.clone()]);
            others.retain(|known| known.provider == row.provider && known.id != row.id);
            let place = others.iter().position(|known| used.get(&row.provider) == Some(&known.id));
            let before = place.map(|place| others.swap_remove(place));
            let waits = before.as_ref().is_some_and(|before| match row.status {
                Status::Valid => false,
                Status::Invalid => true,
                Status::Pending => before.status == Status::Valid && unvalidated == Unvalidated::Waits,
            });
            let mut batch = put(steps()?, self.tenant, row)?;
            // Older ones that were never in use are of no more use now that there is a newer one.
            for old in others.iter().filter(|old| old.ends.is_none() && !old.gone && old.id < row.id) {
                let old = CredentialRow { ends: Some(now), ..old.clone() };
                batch = put(batch, self.tenant, &old)?;
                changed.push(old);
            }
            let mut settled = Settled::Beside;
            if !waits {
                settled = before.as_ref().map_or(Settled::InUse, |before| Settled::Replaced(before.id));
                if let Some(mut before) = before {
                    before.ends = Some(now.after(self.grace));
                    batch = put(batch, self.tenant, &before)?;
                    changed.push(before);
                }
                used.insert(row.provider.clone(), row.id);
                batch = self.swapped(batch, &used, old)?;
            }
            let batch = self.noted(batch, &used, (all, changed), (next, now));
            match self.storage.commit(&batch) {
                Ok(()) => return Ok(settled),
                // Another one was quicker; what it did is read and counted.
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Err(Refusal::new(Code::Conflict, "the credentials of the tenant change too fast"))
    }

    /// Takes a provider out of use; gives the rows whose bytes have to go. [`Self::gone`] says that they did.
    ///
    /// # Errors
    /// When the rows can't be read or written.
    pub fn remove(&self, provider: &str, now: Timestamp) -> Result<Vec<CredentialRow>, Refusal> {
        for _ in 0..ATTEMPTS {
            let Read { mut used, old, rows: all, next } = self.read()?;
            let of_this = |row: &&CredentialRow| row.provider == provider && !row.gone;
            let rows: Vec<_> = all.iter().filter(of_this).cloned().collect();
            let (mut batch, mut changed) = (Batch::new(), Vec::new());
            for row in &rows {
                let row = CredentialRow { ends: Some(now), ..row.clone() };
                batch = put(batch, self.tenant, &row)?;
                changed.push(row);
            }
            if used.remove(provider).is_some() {
                batch = self.swapped(batch, &used, old)?;
            }
            let batch = self.noted(batch, &used, (all, changed), (next, now));
            match self.storage.commit(&batch) {
                Ok(()) => return Ok(rows),
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Err(Refusal::new(Code::Conflict, "the credentials of the tenant change too fast"))
    }

    /// The bytes of this one are gone.
    ///
    /// # Errors
    /// When the row can't be written.
    pub fn gone(&self, row: &CredentialRow, now: Timestamp) -> Result<(), Refusal> {
        let ends = row.ends.or(Some(now));
        let batch = put(Batch::new(), self.tenant, &CredentialRow { gone: true, ends, ..row.clone() })?;
        self.storage.commit(&batch).map_err(|error| unreadable(&error))
    }

    /// All of it in one look: with a database behind a network, how often it is asked is what a call costs.
    fn read(&self) -> Result<Read, Refusal> {
        let (mut old, mut rows, mut next) = (None, Vec::new(), None);
        let read = store::each(self.storage, self.tenant, (Table::Credentials, b""), &mut |row| {
            if row.key == IN_USE {
                old = Some(row.value);
            } else if row.key == due::NEXT {
                next = due::noted_in(&row.value);
            } else if row.key.starts_with(ROWS.as_bytes()) {
                let wrong = |source| store::Error::Row { table: Table::Credentials.as_str(), source };
                rows.push(serde_json::from_slice(&row.value).map_err(wrong)?);
            }
            Ok(())
        });
        read.map_err(|error| unreadable(&error))?;
        Ok(Read { used: in_use(old.as_deref())?, old, rows, next })
    }

    fn swapped(&self, batch: Batch, used: &InUse, old: Option<Vec<u8>>) -> Result<Batch, Refusal> {
        let value = serde_json::to_vec(used)
            .map_err(|_| Refusal::new(Code::SourceUnavailable, "a row could not be written"))?;
        Ok(match old {
            None => batch.insert(Table::Credentials, self.tenant, IN_USE, value),
            Some(old) => {
                batch.swap(Table::Credentials, self.tenant, old, Row { key: IN_USE.to_vec(), value })
            }
        })
    }
}

/// Of each provider the newest that waits, else the one in use.
fn of_each(used: &InUse, rows: Vec<CredentialRow>) -> Vec<CredentialRow> {
    let mut found: BTreeMap<String, CredentialRow> = BTreeMap::new();
    for row in rows {
        let waits = row.status == Status::Pending && !row.gone && row.ends.is_none();
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

fn full(used: &InUse, provider: &str, plan: Plan) -> Option<usize> {
    plan.providers().filter(|most| !used.contains_key(provider) && used.len() >= *most)
}

fn put(batch: Batch, tenant: &TenantName, row: &CredentialRow) -> Result<Batch, Refusal> {
    store::put(batch, tenant, &row.key(), row).map_err(|error| unreadable(&error))
}

const ROWS: &str = "row/";
const IN_USE: &[u8] = b"in-use";
/// How long one that was replaced stays, for callers that still hold it.
const GRACE: Duration = Duration::from_secs(86_400);
const ATTEMPTS: usize = 64;

#[cfg(test)]
mod tests;
