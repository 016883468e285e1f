//! A map that is read without waiting and changed by replacing one shard of it.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{QuickHash, QuickMap};

/// Readers never block; a change copies one of [`SHARDS`] maps, which holds pointers only. Only who manages the house adds keys.
pub(crate) struct Table<K, V> {
    hasher: QuickHash,
    shards: Box<[Shard<K, V>]>,
}

type Shard<K, V> = ArcSwap<QuickMap<K, Arc<V>>>;

impl<K: Hash + Eq + Clone, V> Table<K, V> {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| ArcSwap::from_pointee(QuickMap::default())).collect();
        Self { hasher: QuickHash::default(), shards }
    }

    pub(crate) fn find(&self, key: &K) -> Option<Arc<V>> {
        self.shard(key)?.load().get(key).cloned()
    }

    /// Replaces what is under `key` by what `change` makes of it. May run more than once, when others write as well.
    pub(crate) fn change(&self, key: &K, change: impl Fn(Option<&Arc<V>>) -> Option<Arc<V>>) {
        let Some(shard) = self.shard(key) else { return };
        shard.rcu(|map| {
            let mut next = QuickMap::clone(map);
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
                kept.map(|(key, value)| (key.clone(), Arc::clone(value))).collect::<QuickMap<_, _>>()
            });
        }
    }

    fn shard(&self, key: &K) -> Option<&Shard<K, V>> {
        let at = self.hasher.hash_one(key) % u64::try_from(SHARDS).unwrap_or(1);
        self.shards.get(usize::try_from(at).unwrap_or(0))
    }
}

const SHARDS: usize = 256;
