//! Keeping a new credential, and putting it in use where it may be.
//!
//! A provider is asked before a credential is settled, and may take its time. Whatever was done meanwhile counts: of two that are set up at
//! once, the one that was begun later is in use in the end, whichever provider is quicker, and what was deleted does not come back.

use model::{Code, CredentialId, Refusal, Timestamp};
use store::{Batch, Row, Table};

use super::{ATTEMPTS, CredentialRow, Credentials, IN_USE, Read, Status, in_use};
use crate::{Plan, Standing, TenantRow, missing, unreadable};

/// Whether a credential may take the place of one that works though its provider did not say that it works itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unvalidated {
    /// It may: whoever sets it up said so.
    Replaces,
    /// It waits.
    Waits,
}

/// Which credential was in use when a set-up began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun(Option<CredentialId>);

/// How a new credential is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Whether it may take the place of one that works.
    pub unvalidated: Unvalidated,
    /// What was in use when its set-up began; `None` where that began just now and nobody was asked.
    pub begun: Option<Begun>,
    /// When it is settled.
    pub now: Timestamp,
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
    /// Since it was begun, this one was set up that was begun later, or what was there was deleted. Nothing was written.
    Outrun(Option<CredentialId>),
}

impl Begun {
    /// What outran a set-up that began so: another one in use, or none.
    fn outrun(self, row: CredentialId, now: Option<CredentialId>) -> Option<Settled> {
        let Self(then) = self;
        (now != then && now.is_none_or(|other| other > row)).then_some(Settled::Outrun(now))
    }
}

impl Credentials<'_> {
    /// What is in use when a set-up for a provider begins; the most providers that the plan has, where it has no room for this one.
    ///
    /// # Errors
    /// When the row can't be read.
    pub fn begin(&self, provider: &str, plan: Plan) -> Result<Result<Begun, usize>, Refusal> {
        let raw = self.storage.get(Table::Credentials, self.tenant, IN_USE);
        let used = in_use(raw.map_err(|error| unreadable(&error))?.as_deref())?;
        Ok(self.full(&used, provider, plan).map_or(Ok(Begun(used.get(provider).copied())), Err))
    }

    /// Writes what came of a new credential, and puts it in use where it may be: with the row of the one before, which ends after
    /// the grace, in one batch.
    ///
    /// # Errors
    /// When the rows can't be read or written, or the tenant is gone.
    pub fn settle(&self, row: &CredentialRow, plan: Plan, how: How) -> Result<Settled, Refusal> {
        self.settle_with(row, plan, how, &|_| Ok(Batch::new()))
    }

    /// The same in one batch with other steps, such as those that keep its bytes. They are made anew for each attempt, for the credential of
    /// the provider that is in use then; where that changes before they are written, there is another attempt.
    ///
    /// # Errors
    /// When the rows can't be read or written, the tenant is gone, and whatever `steps` gives.
    pub fn settle_with(
        &self,
        row: &CredentialRow,
        plan: Plan,
        How { unvalidated, begun, now }: How,
        steps: &dyn Fn(Option<&CredentialRow>) -> Result<Batch, Refusal>,
    ) -> Result<Settled, Refusal> {
        for _ in 0..ATTEMPTS {
            // Looked at before the rows, so that a tenant that is erased from here on is a conflict.
            let there = self.there()?;
            let mut read = self.read()?;
            let used = read.used.get(&row.provider).copied();
            if let Some(outrun) = begun.and_then(|begun| begun.outrun(row.id, used)) {
                return Ok(outrun);
            }
            if let Some(most) = self.full(&read.used, &row.provider, plan) {
                return Ok(Settled::NoRoom(most));
            }
            let before = read.in_place_of(row);
            let waits = before.as_ref().is_some_and(|before| match row.status {
                Status::Valid => false,
                Status::Invalid => true,
                Status::Pending => before.status == Status::Valid && unvalidated == Unvalidated::Waits,
            });
            let batch = steps(before.as_ref())?.swap(Table::Tenants, self.tenant, there.value.clone(), there);
            let mut changed = vec![row.clone()];
            changed.extend(read.left_behind(row, now));
            let mut settled = Settled::Beside;
            if !waits {
                settled = before.as_ref().map_or(Settled::InUse, |before| Settled::Replaced(before.id));
                changed.extend(self.replaced(&mut read, row, before, now));
            }
            match self.storage.commit(&self.changed(batch, read, changed, now)?) {
                Ok(()) => return Ok(settled),
                // Another one was quicker; what it did is read and counted.
                Err(store::Error::Conflict) => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Err(too_fast())
    }

    /// Puts a credential in use; gives the row of the one before, which ends after the grace.
    pub(super) fn replaced(
        &self,
        read: &mut Read,
        row: &CredentialRow,
        before: Option<CredentialRow>,
        now: Timestamp,
    ) -> Option<CredentialRow> {
        read.used.insert(row.provider.clone(), row.id);
        before.map(|before| CredentialRow { ends: Some(now.after(self.grace)), ..before })
    }

    /// The row that says that the tenant is there.
    pub(super) fn there(&self) -> Result<Row, Refusal> {
        let key = TenantRow::KEY.as_bytes().to_vec();
        let raw = self.storage.get(Table::Tenants, self.tenant, &key).map_err(|error| unreadable(&error))?;
        let value = raw.ok_or_else(|| missing(self.tenant))?;
        let damaged = |_| Refusal::new(Code::SourceUnavailable, "the row of the tenant is damaged");
        let row: TenantRow = serde_json::from_slice(&value).map_err(damaged)?;
        if row.standing() == Standing::Active { Ok(Row { key, value }) } else { Err(missing(self.tenant)) }
    }
}

impl Read {
    /// The other credential of its provider that is in use, where there is one.
    pub(super) fn in_place_of(&self, row: &CredentialRow) -> Option<CredentialRow> {
        let used = self.used.get(&row.provider);
        self.rows.iter().find(|known| used == Some(&known.id) && known.id != row.id).cloned()
    }

    /// Older ones that were never in use, which are of no more use now that there is a newer one.
    pub(super) fn left_behind(&self, row: &CredentialRow, now: Timestamp) -> Vec<CredentialRow> {
        let older = self.rows.iter().filter(|old| old.provider == row.provider && old.id < row.id);
        let never = older.filter(|old| old.is_kept() && self.used.get(&old.provider) != Some(&old.id));
        never.map(|old| CredentialRow { ends: Some(now), ..old.clone() }).collect()
    }
}

pub(super) fn too_fast() -> Refusal {
    Refusal::new(Code::Conflict, "the credentials of the tenant change too fast")
}
