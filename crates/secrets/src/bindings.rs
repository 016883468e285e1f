//! Which integration may be lent which secrets, and which it may check with. What no file declares is neither lent nor checked.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::{IntegrationName, QuickMap, SecretRef, TenantName};

use crate::error::NotLent;

/// Which integration of which tenant uses which secrets. Nothing else is lent to it.
#[derive(Default)]
pub struct Bindings {
    named: BTreeMap<TenantName, QuickMap<IntegrationName, Vec<SecretRef>>>,
    declared: Option<Declarations>,
}

impl Bindings {
    /// No bindings: nothing is lent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same declarations for every tenant. That there is such a tenant its permit and its keys prove; nothing here grows with them.
    #[must_use]
    pub fn declared(declared: Arc<dyn Declared>) -> Self {
        let read = RwLock::default();
        Self { named: BTreeMap::new(), declared: Some(Declarations { declared, read }) }
    }

    /// Adds one.
    #[must_use]
    pub fn bind(mut self, tenant: &TenantName, integration: &IntegrationName, reference: SecretRef) -> Self {
        let integrations = self.named.entry(tenant.clone()).or_default();
        integrations.entry(integration.clone()).or_default().push(reference);
        self
    }

    pub(crate) fn check(
        &self,
        tenant: &TenantName,
        integration: &IntegrationName,
        reference: &SecretRef,
    ) -> Result<Bound, NotLent> {
        let named = self.named.get(tenant).and_then(|integrations| integrations.get(integration));
        if named.is_some_and(|named| named.contains(reference)) {
            return Ok(Bound(()));
        }
        match &self.declared {
            Some(_) if is_kept_for(integration, reference) => Ok(Bound(())),
            Some(declared) if declared.of(integration).lent.contains(reference) => Ok(Bound(())),
            _ => Err(NotLent::Unbound),
        }
    }

    /// Whether an integration checks what comes in with this secret.
    pub(crate) fn check_incoming(
        &self,
        integration: &IntegrationName,
        reference: &SecretRef,
    ) -> Result<Bound, NotLent> {
        match &self.declared {
            Some(declared) if declared.of(integration).checked.contains(reference) => Ok(Bound(())),
            _ => Err(NotLent::Unbound),
        }
    }
}

/// A credential that a tenant keeps for a provider is bound to the provider's integration by its name.
fn is_kept_for(integration: &IntegrationName, reference: &SecretRef) -> bool {
    let of_this =
        reference.path().strip_prefix(KEPT).and_then(|rest| rest.strip_prefix(integration.as_str()));
    reference.scheme() == "store" && of_this.is_some_and(|rest| rest.starts_with('/'))
}

const KEPT: &str = "credentials/";

/// Proof that an integration declared a reference.
#[derive(Debug)]
#[must_use]
pub(crate) struct Bound(());

/// What integrations declare, told when it is asked for.
pub trait Declared: Send + Sync {
    /// The references that an integration may be lent; none where it is unknown or can't be read.
    fn references(&self, integration: &IntegrationName) -> Vec<SecretRef>;

    /// The references that it checks with what comes in. They are never lent, unless [`Self::references`] has them too.
    fn checked(&self, integration: &IntegrationName) -> Vec<SecretRef>;
}

/// What integrations declare, each read once.
struct Declarations {
    declared: Arc<dyn Declared>,
    read: RwLock<QuickMap<IntegrationName, Arc<Declaration>>>,
}

/// What one integration declares.
struct Declaration {
    lent: Vec<SecretRef>,
    checked: Vec<SecretRef>,
}

impl Declarations {
    /// What an integration declares. What declares nothing is not kept: made-up names must not fill the memory.
    fn of(&self, integration: &IntegrationName) -> Arc<Declaration> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(integration) {
            return Arc::clone(known);
        }
        drop(read);
        let (lent, checked) = (self.declared.references(integration), self.declared.checked(integration));
        let keep = !lent.is_empty() || !checked.is_empty();
        let declaration = Arc::new(Declaration { lent, checked });
        if keep {
            let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
            read.insert(integration.clone(), Arc::clone(&declaration));
        }
        declaration
    }
}
