//! The tenants of a broker: who they are, for whom they may keep credentials, and the root key that an environment brings.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use catalog::{Catalog, Providers};
use crypto::MacKey;
use memory::Secret;
use model::{Code, Inputs, KeyId, Refusal, TenantName};
use tenancy::{KeyRow, Standing, Tenancy};
use tokio::sync::Semaphore;

use super::{Broker, Often, Reading, Unsealed, refused};
use crate::inbound::Operate;

/// What is said about tenants from outside of their rows.
pub(super) struct Brought {
    /// For whom a tenant may keep a credential; `None` before anybody asked.
    providers: ArcSwapOption<Providers>,
    pub(super) often: OnceLock<Often>,
    root: OnceLock<Secret>,
    /// How webhooks are told, and what is known of them.
    pub(super) hooks: crate::hooks::Hooks,
    /// How many tenants are read at once for callers that nothing proves yet.
    awaking: Semaphore,
}

impl Default for Brought {
    fn default() -> Self {
        let (providers, often, root) = (ArcSwapOption::empty(), OnceLock::new(), OnceLock::new());
        let hooks = crate::hooks::Hooks::default();
        Self { providers, often, root, hooks, awaking: Semaphore::new(AT_ONCE) }
    }
}

impl Broker {
    /// Reads the tenant of the house, its keys, and the providers, where a process serves: a mistake stops its start. Others are read
    /// when they are asked for.
    pub(super) fn read_tenants(&self) -> Result<(), Refusal> {
        if self.settings.reading == Reading::AtOnce {
            let _ = self.tenancy(&self.settings.tenant)?;
            self.read_providers(&self.catalog())?;
        }
        Ok(())
    }

    /// The tenants and their keys; of this one everything is read. Blocks where that was not so.
    ///
    /// # Errors
    /// When a row can't be read.
    pub(crate) fn tenancy(&self, tenant: &TenantName) -> Result<&Tenancy, Refusal> {
        self.tenancy.read(&**self.storage(), tenant, &self.principals)?;
        Ok(&self.tenancy)
    }

    /// The same for a caller that nothing proves yet: of its tenant only what was read before, see [`Self::awaken`].
    pub(crate) const fn awake(&self) -> &Tenancy {
        &self.tenancy
    }

    /// Reads a tenant and opens its keys where that was not done yet, on a thread that may block: whoever comes first waits, and nobody
    /// else. What can't be read is said where it is missed.
    pub(crate) async fn awaken(self: &Arc<Self>, unsealed: &Unsealed, tenant: TenantName) {
        if self.tenancy.knows(&tenant) {
            return;
        }
        // Nobody is proven here: made-up names must not take all connections to the storage.
        let Ok(_turn) = self.brought.awaking.acquire().await else { return };
        let (broker, keyring) = (Arc::clone(self), unsealed.keyring());
        let read = tokio::task::spawn_blocking(move || {
            let standing = broker.tenancy(&tenant)?.find(&tenant).map(|row| row.standing());
            if standing == Some(Standing::Active) {
                let opened = keyring.open(&tenant);
                opened.map_err(|error| refused(&error, error.code(), error.hint()))?;
            }
            Ok::<(), Refusal>(())
        });
        if let Ok(Err(refusal)) = read.await {
            tracing::warn!(code = %refusal.code, "a tenant could not be read");
        }
    }

    /// Opens the keys of all tenants that have grants, where a process serves. What does not open is missed by whoever needs it. Blocks.
    pub(super) fn open_granted(&self, unsealed: &Unsealed) {
        if self.settings.reading == Reading::AtOnce {
            let tenants: BTreeSet<TenantName> =
                self.grants.all().iter().map(|grant| grant.tenant.clone()).collect();
            for tenant in tenants {
                if unsealed.capability_root(&tenant).is_none() {
                    tracing::warn!(%tenant, "the keys of a tenant could not be opened");
                }
            }
        }
    }

    /// The key under which the capabilities of a tenant are signed. Where a process serves, only what was opened: the keys of every tenant
    /// that has grants are, and another tenant's capability is nobody's, so that a made-up one costs no look into the storage.
    pub(crate) fn root_of(&self, unsealed: &Unsealed, tenant: &TenantName) -> Option<Arc<MacKey>> {
        match self.settings.reading {
            Reading::AtOnce => unsealed.keyring().house().opened_root(tenant),
            Reading::OnDemand { .. } => unsealed.capability_root(tenant),
        }
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

    /// The inputs of an operation, where a name with several spellings is written in one of them: a provider by its code, in lower case.
    /// Otherwise a policy about one spelling would be asked about another.
    pub(crate) fn spelled(&self, operate: &Operate) -> Result<Inputs, Refusal> {
        let mut inputs = operate.inputs.clone();
        let name = match (operate.integration.as_str(), operate.operation.as_str()) {
            ("doorward", "provider.show") => "name",
            ("doorward", operation) if operation.starts_with("credential.") => "provider",
            _ => return Ok(inputs),
        };
        if let Some(text) = inputs.get_mut(name)
            && let Some((code, _)) = self.providers()?.find(text)
        {
            *text = code.to_ascii_lowercase();
        }
        Ok(inputs)
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
        let tenancy = self.tenancy(&self.settings.tenant)?;
        let known = tenancy.keys_of(&self.settings.tenant);
        if known.iter().any(|kept| kept.row.tag().is_ok_and(|other| other == tag)) {
            return Ok(());
        }
        let id = KeyId::new(self.now(), self.random()?);
        let row = KeyRow::root(id, &tag, ROOT_KEY, (self.owner.clone(), self.now()))?;
        tenancy.put_key(&self.settings.tenant, row, &self.principals)
    }
}

/// Tenants that are read at once before their callers are proven; the storage has twice as many connections.
const AT_ONCE: usize = 4;
/// The file of the user's own providers, beside the folder of the integrations.
const PROVIDERS: &str = "providers.yaml";
/// The variable that it comes from, which is what it is called in lists.
const ROOT_KEY: &str = "CA_ROOT_API_KEY";
