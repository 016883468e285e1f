//! Tests of the module `sorted`.

use std::collections::BTreeMap;

use super::*;

fn id_of(n: u64) -> CapabilityId {
    id([n, n.rotate_left(17)])
}

/// Numbers in an order of their own, the same each time.
fn shuffled(count: u64, step: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| n * step % count)
}

fn is_in_order<T>(sorted: &Sorted<T>) {
    assert!(sorted.blocks.iter().all(|block| !block.is_empty() && block.len() <= MOST));
    let keys: Vec<Key> = sorted.blocks.iter().flatten().map(|(key, _)| *key).collect();
    assert!(keys.is_sorted_by(|one, other| one < other));
}

#[test]
fn it_holds_what_a_tree_would() {
    let (mut sorted, mut tree) = (Sorted::default(), BTreeMap::new());
    for n in shuffled(9_973, 7_919) {
        sorted.insert(id_of(n), n);
        tree.insert(id_of(n), n);
    }
    for n in shuffled(9_973, 4_001).filter(|n| n % 3 != 0) {
        assert_eq!(sorted.remove(id_of(n)), tree.remove(&id_of(n)));
        assert_eq!(sorted.remove(id_of(n)), None);
    }
    sorted.insert(id_of(3), 77);
    tree.insert(id_of(3), 77);
    *sorted.get_mut(id_of(6)).unwrap() += 1;
    *tree.get_mut(&id_of(6)).unwrap() += 1;
    is_in_order(&sorted);
    assert_eq!(sorted.len(), tree.len());
    assert!(sorted.behind(None).eq(tree.iter().map(|(id, n)| (*id, n))));
    assert!(sorted.behind(Some(id_of(9_973))).eq([]));
    for n in [0, 1, 2, 3, 4_000, 9_972] {
        let behind = tree.range((std::ops::Bound::Excluded(id_of(n)), std::ops::Bound::Unbounded));
        assert!(sorted.behind(Some(id_of(n))).eq(behind.map(|(id, n)| (*id, n))), "behind {n}");
        assert_eq!(sorted.get(id_of(n)), tree.get(&id_of(n)));
    }
}

#[test]
fn blocks_stay_full_though_ids_of_a_moment_come_in_any_order() {
    let mut sorted = Sorted::default();
    for moment in 0..500 {
        shuffled(97, 31).for_each(|n| sorted.insert(id_of(moment * 97 + n), ()));
    }
    is_in_order(&sorted);
    let room = sorted.blocks.iter().map(Vec::capacity).sum::<usize>();
    assert!(room * 10 <= sorted.len() * 11, "{room} places for {} rows", sorted.len());
}

#[test]
fn what_is_forgotten_gives_its_room_back() {
    let mut sorted = Sorted::default();
    (0..50_000).for_each(|n| sorted.insert(id_of(n), ()));
    (0..50_000).filter(|n| n % 100 != 0).for_each(|n| drop(sorted.remove(id_of(n))));
    is_in_order(&sorted);
    assert!(sorted.blocks.iter().map(Vec::capacity).sum::<usize>() <= 8 * sorted.len());
}
