//! Rounds through the tenants: what of their credentials is over goes, and what is due to be validated again is told.
//!
//! A round looks at a few tenants at a time. What is due follows from the rows alone (when a provider was last asked, plus a time
//! that is a little different for each credential), so a restart repeats nothing and nothing comes all at once.

use std::time::Duration;

use model::{Refusal, TenantName, Timestamp};
use secrets::Stored;
use store::Table;
use tenancy::{CredentialRow, Credentials, Status};

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

    /// Looks at the next tenants of a round: removes the bytes of what is over, and tells what is due. Blocks.
    pub fn look_after(&self, round: &mut Round) -> Vec<Due> {
        let Ok(unsealed) = self.unsealed() else { return Vec::new() };
        if round.left.is_empty() {
            // Of a tenant that was erased there are none.
            round.left = self.storage().tenants(Table::Credentials).unwrap_or_default();
            let slices = self.often().round().as_millis() / self.often().rest().as_millis().max(1);
            round.slice = round.left.len().div_ceil(usize::try_from(slices).unwrap_or(1).max(1)).max(1);
        }
        let from = round.left.len().saturating_sub(round.slice);
        let mut due = Vec::new();
        for tenant in round.left.split_off(from) {
            match self.look_after_one(&unsealed, &tenant) {
                Ok(more) => due.extend(more),
                // The rows still say what has to be done; the next round may go better.
                Err(refusal) => {
                    tracing::warn!(%tenant, code = %refusal.code, "the credentials of a tenant were not looked after");
                }
            }
        }
        due
    }

    fn look_after_one(&self, unsealed: &Unsealed, tenant: &TenantName) -> Result<Vec<Due>, Refusal> {
        let (storage, keyring, now) = (&**self.storage(), unsealed.keyring(), self.now());
        let rows = Credentials::new(storage, tenant);
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
        let (providers, often) = (self.providers()?, self.often());
        let due = to_try.into_iter().filter(|row| {
            let known = providers.find(&row.provider).is_some_and(|(_, found)| found.integration.is_some());
            // One that is over is looked at once more, so that the evidence says that it is.
            let unsaid = row.tried.is_none_or(|tried| tried < row.expires);
            if row.expires > now { known && often.due(row).is_some_and(|due| due <= now) } else { unsaid }
        });
        Ok(due.map(|row| Due { tenant: tenant.clone(), provider: row.provider }).collect())
    }
}

const DAY: Duration = Duration::from_secs(86_400);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3_600);
const MOST_REST: Duration = Duration::from_secs(60);
/// In how many slices a round is done, where that leaves time between them.
const SLICES: u32 = 10;

#[cfg(test)]
mod tests;
