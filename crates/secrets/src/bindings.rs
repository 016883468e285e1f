//! Which integration may be lent which secrets. What no file declares is not lent.

use std::collections::{BTreeMap, BTreeSet};
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

    /// The same declarations for each of these tenants.
    #[must_use]
    pub fn declared(tenants: impl IntoIterator<Item = TenantName>, declared: Arc<dyn Declared>) -> Self {
        let (tenants, read) = (tenants.into_iter().collect(), RwLock::default());
        Self { named: BTreeMap::new(), declared: Some(Declarations { tenants, declared, read }) }
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
        let declared = self.declared.as_ref().filter(|declared| declared.tenants.contains(tenant));
        match declared {
            Some(declared) if declared.of(integration).contains(reference) => Ok(Bound(())),
            _ => Err(NotLent::Unbound),
        }
    }
}

/// Proof that an integration declared a reference.
#[derive(Debug)]
#[must_use]
pub(crate) struct Bound(());

/// What integrations declare, told when it is asked for.
pub trait Declared: Send + Sync {
    /// The references that an integration declares; none where it is unknown or can't be read.
    fn references(&self, integration: &IntegrationName) -> Vec<SecretRef>;
}

/// The same declarations for each of some tenants, each read once.
struct Declarations {
    tenants: BTreeSet<TenantName>,
    declared: Arc<dyn Declared>,
    read: RwLock<QuickMap<IntegrationName, Arc<[SecretRef]>>>,
}

impl Declarations {
    /// What an integration declares. What declares nothing is not kept: made-up names must not fill the memory.
    fn of(&self, integration: &IntegrationName) -> Arc<[SecretRef]> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(integration) {
            return Arc::clone(known);
        }
        drop(read);
        let references: Arc<[SecretRef]> = self.declared.references(integration).into();
        if !references.is_empty() {
            let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
            read.insert(integration.clone(), Arc::clone(&references));
        }
        references
    }
}
