//! Decisions that depend on nothing but their key. One set of policies has one cache, so the version needs no place in
//! the key.
//!
//! Bounded by construction: each key has one slot, and the last one written stays. A hit is one hash, one uncontended
//! lock and a comparison of the whole key; a collision of hashes costs an evaluation, never a wrong answer.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use model::{GrantId, IntegrationName, PrincipalName, QuickHash, Resource, TenantName};

use super::{Action, Decision, Subject};
use crate::principal::{Glass, Known, Standing};

/// Everything that the entities of a request are made of.
pub(super) struct Key<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) action: &'a Arc<Action>,
    pub(super) kind: &'a IntegrationName,
    pub(super) resource: &'a Resource,
}

pub(super) struct Cache {
    hasher: QuickHash,
    /// Entries are boxed, so that an empty cache of a small tenant is small.
    slots: Box<[Mutex<Option<Box<Entry>>>]>,
}

struct Entry {
    tenant: TenantName,
    principal: PrincipalName,
    known: Arc<Known>,
    standing: Standing,
    glass: Glass,
    grant: Option<GrantId>,
    action: Arc<Action>,
    kind: IntegrationName,
    resource: Resource,
    decision: Arc<Decision>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self { hasher: QuickHash::default(), slots: (0..SLOTS).map(|_| Mutex::new(None)).collect() }
    }

    pub(super) fn find(&self, key: &Key<'_>) -> Option<Arc<Decision>> {
        let slot = self.slot(key)?.lock().ok()?;
        slot.as_ref().filter(|entry| entry.is_for(key)).map(|entry| Arc::clone(&entry.decision))
    }

    pub(super) fn keep(&self, key: &Key<'_>, decision: &Arc<Decision>) {
        let Some(slot) = self.slot(key) else { return };
        // A poisoned slot is left alone: it answers nothing from then on, which costs time only.
        let Ok(mut slot) = slot.lock() else { return };
        let Subject { tenant, principal, known, standing, glass, grant } = key.subject;
        *slot = Some(Box::new(Entry {
            tenant: (*tenant).clone(),
            principal: (*principal).clone(),
            known: Arc::clone(known),
            standing: *standing,
            glass: *glass,
            grant: *grant,
            action: Arc::clone(key.action),
            kind: key.kind.clone(),
            resource: key.resource.clone(),
            decision: Arc::clone(decision),
        }));
    }

    fn slot(&self, key: &Key<'_>) -> Option<&Mutex<Option<Box<Entry>>>> {
        let Subject { tenant, principal, known, standing, glass, grant } = key.subject;
        let mut hasher = self.hasher.build_hasher();
        (tenant, principal, standing, glass, grant, key.kind, key.resource).hash(&mut hasher);
        Arc::as_ptr(known).hash(&mut hasher);
        Arc::as_ptr(key.action).hash(&mut hasher);
        let at = hasher.finish() % u64::try_from(SLOTS).unwrap_or(1);
        self.slots.get(usize::try_from(at).unwrap_or(0))
    }
}

impl Entry {
    /// The pointers stand for what they point to: the entry keeps both alive, so neither address is used again.
    fn is_for(&self, key: &Key<'_>) -> bool {
        let Subject { tenant, principal, known, standing, glass, grant } = key.subject;
        self.tenant == **tenant
            && self.principal == **principal
            && Arc::ptr_eq(&self.known, known)
            && self.standing == *standing
            && self.glass == *glass
            && self.grant == *grant
            && Arc::ptr_eq(&self.action, key.action)
            && self.kind == *key.kind
            && self.resource == *key.resource
    }
}

const SLOTS: usize = 16 * 1024;
