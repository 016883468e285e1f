//! Secrets that were opened, by tenant and reference, so that a call waits for no disk.
//!
//! Readers take a snapshot and never wait; writers copy the small map. Each removal starts a new generation, and what was
//! fetched in an older one is not kept: a fetch that began before a rotation can't put the old version back.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use model::{QuickHash, QuickMap, SecretRef, TenantName};

use crate::held::Held;

/// The cache.
pub(crate) struct Cache {
    map: ArcSwap<Map>,
    writer: Mutex<()>,
    generation: AtomicU64,
    flights: [tokio::sync::Mutex<()>; FLIGHTS],
    hasher: QuickHash,
}

/// What the cache was when a fetch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// Few tenants are compared faster than hashed.
type Map = BTreeMap<TenantName, QuickMap<SecretRef, Arc<Held>>>;

impl Cache {
    pub(crate) fn new() -> Self {
        Self {
            map: ArcSwap::default(),
            writer: Mutex::new(()),
            generation: AtomicU64::new(0),
            flights: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            hasher: QuickHash::default(),
        }
    }

    pub(crate) fn find(&self, tenant: &TenantName, reference: &SecretRef) -> Option<Arc<Held>> {
        self.map.load().get(tenant)?.get(reference).map(Arc::clone)
    }

    /// To be asked before anything is read that will be kept.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    /// Keeps what was fetched, unless something was removed since.
    pub(crate) fn keep(&self, since: Generation, tenant: &TenantName, held: &Arc<Held>) {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != since {
            return;
        }
        let mut map = Map::clone(&self.map.load());
        if map.values().map(HashMap::len).sum::<usize>() >= MOST {
            remove_oldest(&mut map);
        }
        map.entry(tenant.clone()).or_default().insert(held.reference().clone(), Arc::clone(held));
        self.map.store(Arc::new(map));
    }

    /// Forgets one secret.
    pub(crate) fn remove(&self, tenant: &TenantName, reference: &str) {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        let mut map = Map::clone(&self.map.load());
        if let Some(secrets) = map.get_mut(tenant) {
            secrets.retain(|known, _| known.as_str() != reference);
        }
        self.map.store(Arc::new(map));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.map.store(Arc::default());
    }

    /// Held while a secret is fetched, so that it is fetched once. Others may share it; they wait a little.
    pub(crate) async fn flight(&self, tenant: &TenantName, reference: &SecretRef) -> Option<Flight<'_>> {
        let hash = self.hasher.hash_one((tenant, reference));
        let at = usize::try_from(hash % u64::try_from(FLIGHTS).unwrap_or(1)).unwrap_or(0);
        match self.flights.get(at) {
            Some(flight) => Some(flight.lock().await),
            None => None,
        }
    }
}

/// A fetch under way.
pub(crate) type Flight<'a> = tokio::sync::MutexGuard<'a, ()>;

fn remove_oldest(map: &mut Map) {
    let all = map.iter().flat_map(|(tenant, secrets)| secrets.values().map(move |held| (tenant, held)));
    let oldest = all.min_by_key(|(_, held)| held.fetched());
    let Some((tenant, reference)) = oldest.map(|(tenant, held)| (tenant.clone(), held.reference().clone()))
    else {
        return;
    };
    if let Some(secrets) = map.get_mut(&tenant) {
        secrets.remove(&reference);
    }
}

/// Most secrets that are kept.
const MOST: usize = 1024;
const FLIGHTS: usize = 16;

#[cfg(test)]
mod tests;
