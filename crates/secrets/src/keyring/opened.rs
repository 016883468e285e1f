//! The keys of tenants: opened with the home, or one by one when they are asked for.
//!
//! # Invariants
//!
//! - Keys that were replaced are not put back by whoever read them before, and those of a tenant that was erased are not opened again.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::TenantName;
use store::Storage;

use crate::keys::TenantKeys;

/// See the module.
#[derive(Default)]
pub(super) struct Opened {
    /// Where those are that were not asked for yet; `None` where all were opened.
    storage: Option<Arc<dyn Storage>>,
    /// Shared by keyrings that follow one another where keys are opened on demand; else each has its own.
    keys: Arc<RwLock<BTreeMap<TenantName, Known>>>,
}

/// What is known of the keys of a tenant.
#[derive(Clone)]
pub(super) enum Known {
    /// These.
    Open(Arc<TenantKeys>),
    /// They were destroyed.
    Gone,
}

impl Opened {
    /// These, and no others.
    pub(super) fn of(keys: BTreeMap<TenantName, Arc<TenantKeys>>) -> Self {
        let keys = keys.into_iter().map(|(tenant, keys)| (tenant, Known::Open(keys))).collect();
        Self { storage: None, keys: Arc::new(RwLock::new(keys)) }
    }

    /// The same, and others when they are asked for.
    pub(super) fn on_demand(self, storage: Arc<dyn Storage>) -> Self {
        Self { storage: Some(storage), ..self }
    }

    /// Where keys are opened from on demand.
    pub(super) const fn storage(&self) -> Option<&Arc<dyn Storage>> {
        self.storage.as_ref()
    }

    pub(super) fn find(&self, tenant: &TenantName) -> Option<Known> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    /// Keeps keys that were read, where nothing else is known by now. Gives those that hold; `None` where they were destroyed.
    pub(super) fn keep(&self, tenant: &TenantName, read: TenantKeys) -> Option<Arc<TenantKeys>> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        match keys.entry(tenant.clone()).or_insert_with(|| Known::Open(Arc::new(read))) {
            Known::Open(keys) => Some(Arc::clone(keys)),
            Known::Gone => None,
        }
    }

    /// The keys that are open, by tenant.
    pub(super) fn all(&self) -> BTreeMap<TenantName, Arc<TenantKeys>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let open = keys.iter().filter_map(|(tenant, known)| match known {
            Known::Open(keys) => Some((tenant.clone(), Arc::clone(keys))),
            Known::Gone => None,
        });
        open.collect()
    }

    /// The same with this known of one tenant.
    pub(super) fn with(&self, tenant: &TenantName, known: Known) -> Self {
        let keys = match self.storage {
            Some(_) => Arc::clone(&self.keys),
            None => {
                let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
                Arc::new(RwLock::new(keys.clone()))
            }
        };
        keys.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), known);
        Self { storage: self.storage.clone(), keys }
    }
}
