//! Tests of the module `heads`.

use super::*;
use crate::tree::{leaf_hash, verify_inclusion};

fn leaf(n: u64) -> Digest {
    leaf_hash(&n.to_be_bytes())
}

fn plain(leaves: impl Iterator<Item = Digest>) -> Digest {
    let mut tree = Compact::default();
    leaves.for_each(|leaf| tree.append(leaf));
    tree.root()
}

#[test]
fn tiles_give_the_root_and_the_proofs_of_the_whole_tree() {
    for count in [1, 2, 255, 256, 257, 511, 512, 513, 1_000, 1_025] {
        let mut heads = Heads::default();
        heads.set((0..count).map(|n| (n, leaf(n)))).unwrap();
        heads.keep();
        let root = plain((0..count).map(leaf));
        assert_eq!((heads.count(), heads.root()), (count, root));
        for place in [0, 1, count / 2, count - 1].into_iter().filter(|place| *place < count) {
            let path = heads.path(place).unwrap();
            assert!(
                verify_inclusion(leaf(place), (place, count), &path, &root).is_some(),
                "{place} of {count}"
            );
        }
        // With one tile in memory it goes on as with all of them.
        let mut some = Heads::of(count, heads.roots().to_vec()).unwrap();
        let last = Heads::tile_of(count - 1);
        assert!(some.set([(count - 1, leaf(7))]).is_none());
        let leaves: Vec<Digest> = (last * TILE..count).map(leaf).collect();
        some.take(last, leaves).unwrap();
        some.set([(count - 1, leaf(7)), (count, leaf(8))]).unwrap();
        let changed = (0..count - 1).map(leaf).chain([leaf(7), leaf(8)]);
        assert_eq!(some.root(), plain(changed), "{count}");
    }
}

#[test]
fn what_was_set_is_undone_whole() {
    let mut heads = Heads::default();
    heads.set((0..300).map(|n| (n, leaf(n)))).unwrap();
    heads.keep();
    let (root, roots) = (heads.root(), heads.roots().to_vec());
    heads.set([(3, leaf(1)), (299, leaf(2)), (300, leaf(3))]).unwrap();
    heads.set((301..900).map(|n| (n, leaf(n)))).unwrap();
    assert_ne!(heads.root(), root);
    assert_eq!(heads.changed().map(|(tile, _)| tile).collect::<Vec<_>>(), [0, 1, 2, 3]);
    heads.undo();
    assert_eq!((heads.count(), heads.root(), heads.roots()), (300, root, roots.as_slice()));
    assert_eq!(heads.leaf(3), Some(&leaf(3)));
    assert!(heads.leaf(300).is_none() && !heads.has(2));
    assert!(heads.set([(302, leaf(1))]).is_none());
}

#[test]
fn a_tile_that_gives_another_root_is_not_taken() {
    let mut heads = Heads::default();
    heads.set((0..257).map(|n| (n, leaf(n)))).unwrap();
    let mut some = Heads::of(257, heads.roots().to_vec()).unwrap();
    assert!(some.take(0, (1..257).map(leaf).collect()).is_none());
    assert!(some.take(0, (0..255).map(leaf).collect()).is_none());
    assert!(some.take(2, Vec::new()).is_none());
    assert!(some.take(0, (0..256).map(leaf).collect()).is_some());
    assert!(Heads::of(257, vec![leaf(1)]).is_none());
}
