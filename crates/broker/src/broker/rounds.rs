//! Looks after the credentials of tenants: what is over goes, and what is due to be validated again is told.
//!
//! When a tenant has to be looked at stands in a list that is written with its credentials ([`tenancy::looks`]), so only those that are due are
//! read. What is due follows from the rows alone (when a provider was last asked, plus a time that is a little different for each credential),
//! so a restart repeats nothing and nothing comes all at once. Where there is no list yet, or it was made for other times, one round through all
//! tenants makes it, a few at a time.

use std::time::Duration;

use catalog::Providers;
use model::{Refusal, TenantName, Timestamp};
use secrets::Stored;
use store::{Batch, Table};
use tenancy::{Agenda, CredentialRow, Credentials, Look, Status};

use super::{Broker, Unsealed, refused};

/// How often credentials are looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Often {
    /// How long after its last validation a credential is validated again; `None` for never.
    pub validate: Option<Duration>,
    /// How long after a validation that said nothing the provider is asked again; `None` for never.
    pub pending: Option<Duration>,
    /// How long one that was replaced stays, for whoever still holds it.
    pub grace: Duration,
}

/// Where a round is.
#[derive(Debug, Default)]
pub struct Round {
    left: Vec<TenantName>,
    slice: usize,
    /// Whether the list is known to be whole.
    listed: bool,
}

/// A credential that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose it is.
    pub tenant: TenantName,
    /// The code of its provider.
    pub provider: String,
}

impl Default for Often {
    fn default() -> Self {
        Self { validate: Some(DAY), pending: Some(DAY / 96), grace: DAY }
    }
}

impl Often {
    /// How long one round through all tenants takes.
    #[must_use]
    pub fn round(&self) -> Duration {
        let shortest = [self.validate, self.pending, Some(self.grace)].into_iter().flatten().min();
        (shortest.unwrap_or(DAY) / 4).clamp(SHORTEST, LONGEST)
    }

    /// How long it rests between two slices of a round.
    #[must_use]
    pub fn rest(&self) -> Duration {
        (self.round() / SLICES).clamp(SHORTEST, MOST_REST)
    }

    /// When a row is due, where it ever is.
    fn due(&self, row: &CredentialRow) -> Option<Timestamp> {
        let every = if row.status == Status::Pending { self.pending } else { self.validate }?;
        let since = row.tried.or(row.validated).unwrap_or(row.created);
        // Up to a fifth later, by what the id of the credential makes of it.
        let hash = crypto::sha256(&[row.id.to_string().as_bytes()]);
        let [high, low, ..] = hash;
        let part = u32::from(u16::from_be_bytes([high, low]));
        Some(since.after(every + every / 5 * part / u32::from(u16::MAX)))
    }
}

impl Often {
    /// The same, where it can be validated at all.
    pub(crate) fn due_at(&self, row: &CredentialRow, providers: &Providers) -> Option<Timestamp> {
        let known = providers.find(&row.provider).is_some_and(|(_, found)| found.integration.is_some());
        known.then(|| self.due(row)).flatten()
    }

    /// What the list is made for.
    fn written(&self) -> Vec<u8> {
        let Self { validate, pending, grace } = self;
        format!("1 {validate:?} {pending:?} {grace:?}").into_bytes()
    }
}

impl Broker {
    /// How credentials are looked after from now on. Said once.
    pub fn keep_credentials(&self, often: Often) {
        let _ = self.brought.often.set(often);
    }

    /// How credentials are looked after.
    #[must_use]
    pub fn often(&self) -> Often {
        self.brought.often.get().copied().unwrap_or_default()
    }

    /// Looks at tenants that are due, a few at a time: removes the bytes of what is over, and tells what has to be validated. Blocks.
    pub fn look_after(&self, round: &mut Round) -> Vec<Due> {
        let Ok(unsealed) = self.unsealed() else { return Vec::new() };
        if !round.listed && round.left.is_empty() {
            round.listed = self.is_listed();
        }
        if !round.listed {
            return self.list_next(&unsealed, round);
        }
        let looks = tenancy::looks(&**self.storage(), &self.settings.tenant, self.now(), MOST_LOOKS);
        let looks = looks.unwrap_or_else(|refusal| {
            tracing::warn!(code = %refusal.code, "the list of tenants that are due could not be read");
            Vec::new()
        });
        let mut due = Vec::new();
        for look in looks {
            match self.looked_after(&unsealed, &look.tenant, Some(look.at)) {
                Some(more) => due.extend(more),
                None => self.put_off(&look),
            }
        }
        due
    }

    /// Looks at the next tenants of a round through all, after which the list is whole.
    fn list_next(&self, unsealed: &Unsealed, round: &mut Round) -> Vec<Due> {
        if round.left.is_empty() {
            // Of a tenant that was erased there are none.
            let Ok(all) = self.storage().tenants(Table::Credentials) else { return Vec::new() };
            round.left = all;
            let slices = self.often().round().as_millis() / self.often().rest().as_millis().max(1);
            round.slice = round.left.len().div_ceil(usize::try_from(slices).unwrap_or(1).max(1)).max(1);
        }
        let from = round.left.len().saturating_sub(round.slice);
        let mut due = Vec::new();
        for tenant in round.left.split_off(from) {
            match self.looked_after(unsealed, &tenant, None) {
                Some(more) => due.extend(more),
                // It is in the list nevertheless.
                None => self.put_off(&Look { at: self.now(), tenant }),
            }
        }
        if round.left.is_empty() {
            let noted = Batch::new().put(Table::Meta, &self.settings.tenant, LISTED, self.often().written());
            round.listed = self.storage().commit(&noted).is_ok();
        }
        due
    }

    /// Whether every tenant that has credentials is in the list, for the times that are set.
    fn is_listed(&self) -> bool {
        let noted = self.storage().get(Table::Meta, &self.settings.tenant, LISTED);
        noted.is_ok_and(|noted| noted.as_deref() == Some(&self.often().written()[..]))
    }

    fn looked_after(
        &self,
        unsealed: &Unsealed,
        tenant: &TenantName,
        entry: Option<Timestamp>,
    ) -> Option<Vec<Due>> {
        let looked = self.look_after_one(unsealed, tenant, entry);
        // The rows still say what has to be done; the next look may go better.
        let failed = |refusal: Refusal| {
            tracing::warn!(%tenant, code = %refusal.code, "the credentials of a tenant were not looked after");
        };
        looked.map_err(failed).ok()
    }

    fn put_off(&self, look: &Look) {
        let until = self.now().after(self.often().round());
        if tenancy::put_off(&**self.storage(), &self.settings.tenant, look, until).is_err() {
            tracing::warn!(tenant = %look.tenant, "the list of tenants that are due could not be written");
        }
    }

    fn look_after_one(
        &self,
        unsealed: &Unsealed,
        tenant: &TenantName,
        entry: Option<Timestamp>,
    ) -> Result<Vec<Due>, Refusal> {
        let (storage, keyring, now) = (&**self.storage(), unsealed.keyring(), self.now());
        let (providers, often) = (self.providers()?, self.often());
        let due_at = |row: &CredentialRow| often.due_at(row, &providers);
        let agenda = Agenda { house: &self.settings.tenant, due: &due_at };
        let rows = Credentials::new(storage, tenant).with_agenda(agenda);
        let (over, to_try) = rows.round(now)?;
        for row in over {
            match Stored::new(storage, &keyring, tenant).forget(&row.secret, now) {
                Err(error)
                    if error.code() != model::Code::NotFound
                        && error.code() != model::Code::SecretMissing =>
                {
                    return Err(refused(&error, error.code(), error.hint()));
                }
                _ => rows.gone(&row, now)?,
            }
        }
        // Of a provider that is in the list no more, nobody can be asked.
        let known = |row: &CredentialRow| providers.find(&row.provider).is_some();
        let due = to_try.into_iter().filter(known).filter(|row| {
            // One that is over is looked at once more, so that the evidence says that it is.
            let unsaid = row.tried.is_none_or(|tried| tried < row.expires);
            if row.expires > now { due_at(row).is_some_and(|due| due <= now) } else { unsaid }
        });
        let due: Vec<_> = due.map(|row| Due { tenant: tenant.clone(), provider: row.provider }).collect();
        rows.looked(entry, now, often.round())?;
        Ok(due)
    }
}

const DAY: Duration = Duration::from_secs(86_400);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3_600);
const MOST_REST: Duration = Duration::from_secs(60);
/// In how many slices a round is done, where that leaves time between them.
const SLICES: u32 = 10;

/// Tenants that are looked at, one after another.
const MOST_LOOKS: usize = 64;
/// Where the house notes for which times the list of tenants is whole.
const LISTED: &[u8] = b"looks-listed";

#[cfg(test)]
mod tests;
