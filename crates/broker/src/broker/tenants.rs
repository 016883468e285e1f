//! The tenants of a broker, and what ends of theirs by itself.

use std::sync::Arc;

use model::{Refusal, TenantName};
use secrets::Stored;
use tenancy::{Credentials, Standing, Tenancy};

use super::{Broker, Unsealed, refused};

impl Broker {
    /// The tenants and their keys, read when they are needed for the first time.
    ///
    /// # Errors
    /// When a row can't be read.
    pub(crate) fn tenancy(&self) -> Result<&Tenancy, Refusal> {
        self.tenancy.read(&**self.storage(), &self.principals)?;
        Ok(&self.tenancy)
    }

    /// Goes on with rotations of data keys that broke off, in the background and one at a time.
    pub(super) fn go_on_rotating(self: &Arc<Self>) {
        let Ok(unsealed) = self.unsealed() else { return };
        let rotating = unsealed.keyring().rotating();
        if rotating.is_empty() {
            return;
        }
        // Task `rotation`; its owner is the runtime of whoever tidies, and what it leaves is where the next one begins.
        tokio::spawn(async move {
            for tenant in rotating {
                let done = unsealed.secrets().resume_rotation(&tenant).await;
                unsealed.rekeyed();
                match done {
                    Ok(None) => {}
                    Ok(Some(rows)) => tracing::info!(%tenant, rows, "the rotation of a data key is over"),
                    Err(error) => tracing::warn!(%tenant, %error, "the rotation of a data key broke off"),
                }
            }
        });
    }

    /// Removes the bytes of credentials that were replaced and whose grace is over. Blocks.
    pub(super) fn end_credentials(&self) {
        let (Ok(unsealed), Ok(tenancy)) = (self.unsealed(), self.tenancy()) else { return };
        for (name, row) in tenancy.all() {
            if row.standing() == Standing::Active
                && let Err(refusal) = self.end_credentials_of(&unsealed, &name)
            {
                // The rows still say that they have to go; the next time may go better.
                tracing::warn!(tenant = %name, code = %refusal.code, "credentials whose grace is over were not removed");
            }
        }
    }

    fn end_credentials_of(&self, unsealed: &Unsealed, tenant: &TenantName) -> Result<(), Refusal> {
        let (storage, keyring, now) = (&**self.storage(), unsealed.keyring(), self.now());
        let rows = Credentials::new(storage, tenant);
        for row in rows.over(now)? {
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
        Ok(())
    }
}
