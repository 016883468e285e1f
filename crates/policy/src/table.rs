//! A map that is read without waiting and changed by replacing one shard of it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Readers never block; a change copies one of [`SHARDS`] maps, which holds pointers only.
pub(crate) struct Table<K, V> {
    hasher: RandomState,
    shards: Box<[Shard<K, V>]>,
}

type Shard<K, V> = ArcSwap<HashMap<K, Arc<V>>>;

impl<K: Hash + Eq + Clone, V> Table<K, V> {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| ArcSwap::from_pointee(HashMap::new())).collect();
        Self { hasher: RandomState::new(), shards }
    }

    pub(crate) fn find(&self, key: &K) -> Option<Arc<V>> {
        self.shard(key)?.load().get(key).cloned()
    }

    /// Replaces what is under `key` by what `change` makes of it. May run more than once, when others write as well.
    pub(crate) fn change(&self, key: &K, change: impl Fn(Option<&Arc<V>>) -> Option<Arc<V>>) {
        let Some(shard) = self.shard(key) else { return };
        shard.rcu(|map| {
            let mut next = HashMap::clone(map);
            match change(map.get(key)) {
                Some(value) => next.insert(key.clone(), value),
                None => next.remove(key),
            };
            next
        });
    }

    /// Every value, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<V>> {
        self.shards.iter().flat_map(|shard| shard.load().values().cloned().collect::<Vec<_>>()).collect()
    }

    /// Drops every entry whose key `keep` does not name.
    pub(crate) fn retain(&self, keep: impl Fn(&K) -> bool) {
        for shard in &self.shards {
            shard.rcu(|map| {
                let kept = map.iter().filter(|(key, _)| keep(key));
                kept.map(|(key, value)| (key.clone(), Arc::clone(value))).collect::<HashMap<_, _>>()
            });
        }
    }

    fn shard(&self, key: &K) -> Option<&Shard<K, V>> {
        let at = self.hasher.hash_one(key) % u64::try_from(SHARDS).unwrap_or(1);
        self.shards.get(usize::try_from(at).unwrap_or(0))
    }
}

const SHARDS: usize = 256;
