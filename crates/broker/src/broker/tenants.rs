//! The tenants of a broker: who they are, for whom they may keep credentials, and the root key that an environment brings.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use catalog::{Catalog, Providers};
use memory::Secret;
use model::{Code, KeyId, Refusal};
use tenancy::{KeyRow, Tenancy};

use super::{Broker, Often, Reading, Unsealed, refused};

/// What is said about tenants from outside of their rows.
#[derive(Default)]
pub(super) struct Brought {
    /// For whom a tenant may keep a credential; `None` before anybody asked.
    providers: ArcSwapOption<Providers>,
    pub(super) often: OnceLock<Often>,
    root: OnceLock<Secret>,
}

impl Broker {
    /// Reads tenants, keys and providers, where a process serves: a mistake stops its start.
    pub(super) fn read_tenants(&self) -> Result<(), Refusal> {
        if self.settings.reading == Reading::AtOnce {
            let _ = self.tenancy()?;
            self.read_providers(&self.catalog())?;
        }
        Ok(())
    }

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

    /// For whom a tenant may keep a credential: the built-in list, with `providers.yaml` of the home over it.
    ///
    /// # Errors
    /// The file and line that is wrong.
    pub fn providers(&self) -> Result<Arc<Providers>, Refusal> {
        match self.brought.providers.load_full() {
            Some(known) => Ok(known),
            None => self.read_providers(&self.catalog()),
        }
    }

    /// Reads the list again; on an error the former one stays.
    pub(super) fn read_providers(&self, catalog: &Catalog) -> Result<Arc<Providers>, Refusal> {
        let path = self.settings.layer.with_file_name(PROVIDERS);
        let read = Providers::load(&path, catalog);
        let read = read.map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
        self.brought.providers.store(Some(Arc::clone(&read)));
        Ok(read)
    }

    /// Takes this as a root key as well, as long as this process runs. Called before the keys are taken, once.
    pub fn bring_root_key(&self, key: Secret) {
        let _ = self.brought.root.set(key);
    }

    /// Makes the root key known that was brought. One that was revoked stays so.
    #[expect(clippy::disallowed_methods, reason = "makes the MAC that the key is found by")]
    pub(super) fn admit_root(&self, unsealed: &Unsealed) -> Result<(), Refusal> {
        let Some(key) = self.brought.root.get() else { return Ok(()) };
        let tag = key.expose(|bytes| KeyRow::tag_of(&unsealed.hashing_key(), bytes));
        let tenancy = self.tenancy()?;
        let known = tenancy.keys_of(&self.settings.tenant);
        if known.iter().any(|kept| kept.row.tag().is_ok_and(|other| other == tag)) {
            return Ok(());
        }
        let id = KeyId::new(self.now(), self.random()?);
        let row = KeyRow::root(id, &tag, ROOT_KEY, (self.owner.clone(), self.now()))?;
        tenancy.put_key(&self.settings.tenant, row, &self.principals)
    }
}

/// The file of the user's own providers, beside the folder of the integrations.
const PROVIDERS: &str = "providers.yaml";
/// The variable that it comes from, which is what it is called in lists.
const ROOT_KEY: &str = "CA_ROOT_API_KEY";
