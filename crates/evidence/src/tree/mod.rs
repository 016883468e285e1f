//! The Merkle tree of RFC 6962 (RFC 9162, section 2): hashes, the compact range, proofs and their verification.
//!
//! The tree itself is never stored. A [`Compact`] range (at most 64 hashes) grows it, and proofs are computed by one pass over
//! the records.

use crypto::{Digest, sha256};

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    sha256(&[&[0], leaf])
}

/// The hash of the leaf behind the first byte, which is 0 already: one piece is hashed faster than two.
pub(crate) fn leaf_hash_behind_zero(zero_and_leaf: &[u8]) -> Digest {
    debug_assert_eq!(zero_and_leaf.first(), Some(&0), "a leaf is told from a node by a byte 0");
    sha256(&[zero_and_leaf])
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut node = [1; 65];
    let [_, both @ ..] = &mut node;
    let (first, second) = both.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    sha256(&[&node])
}

/// A tree that can only grow: the roots of its perfect subtrees, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compact {
    size: u64,
    nodes: Vec<Digest>,
}

impl Compact {
    /// The tree of these subtrees; `None` when their number does not fit the size.
    #[must_use]
    pub fn of(size: u64, nodes: Vec<Digest>) -> Option<Self> {
        (u32::try_from(nodes.len()).ok()? == size.count_ones()).then_some(Self { size, nodes })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    #[must_use]
    pub fn nodes(&self) -> &[Digest] {
        &self.nodes
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Digest) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root; of an empty tree the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else { return sha256(&[]) };
        nodes.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Collects a proof from leaves that are passed by in order.
#[derive(Debug)]
pub struct Prover {
    /// Half-open ranges of leaves whose roots make the proof, in the proof's order, each with its place in leaf order.
    parts: Vec<(u64, u64, Compact)>,
}

impl Prover {
    /// Will prove that leaf `index` is in the tree of `size` leaves (RFC 9162, section 2.1.3). `None` where it is not in it.
    #[must_use]
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut parts = Vec::new();
        let (mut low, mut high) = (0, size);
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                parts.push((middle, high, Compact::default()));
                high = middle;
            } else {
                parts.push((low, middle, Compact::default()));
                low = middle;
            }
        }
        parts.reverse();
        Some(Self { parts })
    }

    /// Will prove that the tree of `old` leaves is the beginning of that of `size` (RFC 9162, section 2.1.4).
    #[must_use]
    pub fn consistency(old: u64, size: u64) -> Option<Self> {
        if old == 0 || old > size {
            return None;
        }
        let mut parts = Vec::new();
        let (mut low, mut high) = (0, size);
        while high != old {
            let middle = low + split(high - low);
            if old <= middle {
                parts.push((middle, high, Compact::default()));
                high = middle;
            } else {
                parts.push((low, middle, Compact::default()));
                low = middle;
            }
        }
        if low > 0 {
            parts.push((low, high, Compact::default()));
        }
        parts.reverse();
        Some(Self { parts })
    }

    /// Passes leaf `index` by.
    pub fn pass(&mut self, index: u64, leaf: Digest) {
        if let Some((.., tree)) = self.parts.iter_mut().find(|(low, high, _)| (*low..*high).contains(&index))
        {
            tree.append(leaf);
        }
    }

    /// The proof. `None` when a leaf was not passed by.
    #[must_use]
    pub fn finish(self) -> Option<Vec<Digest>> {
        let whole = |(low, high, tree): (u64, u64, Compact)| (tree.size() == high - low).then(|| tree.root());
        self.parts.into_iter().map(whole).collect()
    }
}

/// Proof that a leaf is in a tree, or that a tree is the beginning of another.
#[derive(Debug)]
#[must_use]
pub struct Proven(());

/// Verifies an inclusion proof (RFC 9162, section 2.1.3.2). `None` when it does not fit.
pub fn verify_inclusion(
    leaf: Digest,
    (index, size): (u64, u64),
    path: &[Digest],
    root: &Digest,
) -> Option<Proven> {
    if index >= size {
        return None;
    }
    let (mut place, mut last, mut node) = (index, size - 1, leaf);
    for other in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(other, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, other);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0 && node == *root).then_some(Proven(()))
}

/// Verifies a consistency proof between two trees (RFC 9162, section 2.1.4.2). `None` when it does not fit.
pub fn verify_consistency(old: (u64, &Digest), new: (u64, &Digest), path: &[Digest]) -> Option<Proven> {
    let ((old_size, old_root), (size, root)) = (old, new);
    if old_size == 0 || old_size > size {
        return None;
    }
    if old_size == size {
        return (path.is_empty() && old_root == root).then_some(Proven(()));
    }
    let mut path = path.iter();
    // A perfect old tree is a node of the new one, so its root is not repeated in the proof.
    let first = if old_size.is_power_of_two() { old_root } else { path.next()? };
    let (mut place, mut last) = (old_size - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut before, mut after) = (*first, *first);
    for other in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            before = node_hash(other, &before);
            after = node_hash(other, &after);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, other);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0 && before == *old_root && after == *root).then_some(Proven(()))
}

/// The largest power of two smaller than `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests;
