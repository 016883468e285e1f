//! Secrets that were opened, by tenant and reference, so that a call waits for no disk.
//!
//! Readers take a snapshot and never wait; writers copy the small map. Each removal starts a new generation, and what was
//! fetched in an older one is not kept: a fetch that began before a rotation can't put the old version back.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use model::{QuickMap, SecretRef, TenantName};

use crate::Error;
use crate::held::{Held, Stale};

/// The cache.
pub(crate) struct Cache {
    map: ArcSwap<Map>,
    writer: Mutex<()>,
    generation: AtomicU64,
    flights: Mutex<QuickMap<(TenantName, SecretRef), Arc<Flying>>>,
}

/// Fetches of one secret, one after the other, and how the last one ended for those who waited for it.
#[derive(Default)]
struct Flying {
    turn: Arc<tokio::sync::Mutex<()>>,
    failed: Mutex<Option<(Instant, Error)>>,
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
            flights: Mutex::default(),
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

    /// Held while a secret is fetched, so that it is fetched once, whoever asks.
    ///
    /// # Errors
    /// Those of a fetch that ended while this one waited: what it found out is not found out again by each.
    pub(crate) async fn flight(
        &self,
        tenant: &TenantName,
        reference: &SecretRef,
    ) -> Result<Flight<'_>, Error> {
        let asked = Instant::now();
        let key = (tenant.clone(), reference.clone());
        let flying = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(flights.entry(key.clone()).or_default())
        };
        // Made before the wait, so that whoever goes away while waiting leaves nothing behind.
        let leave = Leave { cache: self, key, flying: Arc::clone(&flying) };
        let turn = Arc::clone(&flying.turn).lock_owned().await;
        let failed = flying.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let same = failed.as_ref().filter(|(ended, _)| *ended >= asked).and_then(|(_, error)| error.again());
        match same {
            Some(error) => Err(error),
            None => {
                drop(failed);
                drop(flying);
                Ok(Flight { _turn: turn, leave })
            }
        }
    }

    /// What is lent of a tenant though its source is out of reach.
    pub(crate) fn stale(&self, tenant: &TenantName) -> Vec<Stale> {
        let map = self.map.load();
        map.get(tenant).into_iter().flat_map(HashMap::values).filter_map(|held| held.stale()).collect()
    }
}

/// A fetch under way.
pub(crate) struct Flight<'a> {
    _turn: tokio::sync::OwnedMutexGuard<()>,
    leave: Leave<'a>,
}

impl Flight<'_> {
    /// Tells those who wait how it ended.
    pub(crate) fn failed(&self, error: &Error) {
        let mut failed = self.leave.flying.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = error.again().map(|error| (Instant::now(), error));
    }
}

/// Forgets the flight of a secret with the last one who is interested in it.
struct Leave<'a> {
    cache: &'a Cache,
    key: (TenantName, SecretRef),
    flying: Arc<Flying>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut flights = self.cache.flights.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own and this one: nobody else has it, and nobody gets it while the map is locked.
        if Arc::strong_count(&self.flying) <= 2 {
            flights.remove(&self.key);
        }
    }
}

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

#[cfg(test)]
mod tests;
