//! Tests of the cache: per tenant, by generation, bounded.

use super::*;
use crate::held::Found;
use crate::source::Stamp;
use crate::tests::fixture::{at, canary, tenant};

fn held(reference: &str, seconds: u64) -> Arc<Held> {
    let found = Found {
        version: 1,
        secret: canary(),
        stamp: Stamp::Fixed,
        before: Vec::new(),
        ends: None,
        ages: crate::Config::default().ages(),
    };
    Arc::new(Held::new(&reference.parse().unwrap(), found, at(seconds)).unwrap())
}

fn has(cache: &Cache, tenant: &TenantName, reference: &str) -> bool {
    cache.find(tenant, &reference.parse().unwrap()).is_some()
}

#[test]
fn a_secret_is_found_for_its_own_tenant_only() {
    let cache = Cache::new();
    let (acme, other) = (tenant("acme"), tenant("other"));
    cache.keep(cache.generation(), &acme, &held("env:A", 0));
    assert!(has(&cache, &acme, "env:A"));
    assert!(!has(&cache, &other, "env:A") && !has(&cache, &acme, "env:B"));
}

#[test]
fn what_was_fetched_before_a_removal_is_not_kept() {
    let cache = Cache::new();
    let acme = tenant("acme");
    for remove in [|cache: &Cache| cache.clear(), |cache: &Cache| cache.remove(&tenant("acme"), "env:B")] {
        let before = cache.generation();
        remove(&cache);
        cache.keep(before, &acme, &held("env:A", 0));
        assert!(!has(&cache, &acme, "env:A"));
    }
}

#[test]
fn one_removal_leaves_the_others_and_clearing_leaves_none() {
    let cache = Cache::new();
    let acme = tenant("acme");
    for name in ["env:A", "env:B"] {
        cache.keep(cache.generation(), &acme, &held(name, 0));
    }
    cache.remove(&acme, "env:A");
    assert!(!has(&cache, &acme, "env:A") && has(&cache, &acme, "env:B"));
    cache.clear();
    assert!(!has(&cache, &acme, "env:B"));
}

#[test]
fn the_oldest_makes_room_when_the_cache_is_full() {
    let cache = Cache::new();
    let acme = tenant("acme");
    let mut full = QuickMap::default();
    let one = held("env:A", 9);
    for at in 0..MOST - 1 {
        full.insert(format!("env:A{at}").parse().unwrap(), Arc::clone(&one));
    }
    full.insert("env:OLD".parse().unwrap(), held("env:OLD", 1));
    cache.map.store(Arc::new(BTreeMap::from([(acme.clone(), full)])));
    cache.keep(cache.generation(), &acme, &held("env:NEW", 10));
    assert!(has(&cache, &acme, "env:NEW") && !has(&cache, &acme, "env:OLD"));
    assert_eq!(cache.map.load().values().map(HashMap::len).sum::<usize>(), MOST);
}
