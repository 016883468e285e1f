//! The tree over the heads of all chains, in tiles, so that a checkpoint costs what changed and not what there is.
//!
//! A chain keeps its place: the heads stand in the order in which their chains began. A tile is [`TILE`] hashes of heads. Because that is a
//! power of two, the RFC 6962 tree over all heads is the RFC 6962 tree over the roots of the tiles; those are in memory, a tile is there
//! when a chain of it is.
//!
//! # Invariants
//!
//! - A tile that was read gives the root that is known of it, and all roots give the one that was signed.
//! - What was set since the last [`Heads::keep`] is undone by [`Heads::undo`], whole.

use std::collections::BTreeMap;

use crypto::Digest;

use crate::tree::{Compact, Prover};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    count: u64,
    roots: Vec<Digest>,
    tiles: BTreeMap<u64, Vec<Digest>>,
    /// Tiles as they were before what is set now; empty ones were not there.
    before: BTreeMap<u64, (Vec<Digest>, Option<Digest>)>,
    /// How many heads there were then.
    kept: u64,
}

impl Heads {
    /// The tree of so many heads whose tiles have these roots; `None` where their number does not fit.
    pub(crate) fn of(count: u64, roots: Vec<Digest>) -> Option<Self> {
        let fits = u64::try_from(roots.len()).ok()? == count.div_ceil(TILE);
        fits.then(|| Self { count, roots, kept: count, ..Self::default() })
    }

    /// Number of heads.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The roots of the tiles, in order.
    pub(crate) fn roots(&self) -> &[Digest] {
        &self.roots
    }

    /// The root over all heads.
    pub(crate) fn root(&self) -> Digest {
        root(&self.roots)
    }

    /// The tile in which a place is.
    pub(crate) const fn tile_of(place: u64) -> u64 {
        place / TILE
    }

    /// How many hashes a tile has.
    pub(crate) fn length(&self, tile: u64) -> u64 {
        self.count.saturating_sub(tile.saturating_mul(TILE)).min(TILE)
    }

    /// Whether a tile is in memory.
    pub(crate) fn has(&self, tile: u64) -> bool {
        self.tiles.contains_key(&tile)
    }

    /// Takes a tile that was read. `None` where it does not give the root that is known.
    pub(crate) fn take(&mut self, tile: u64, leaves: Vec<Digest>) -> Option<()> {
        let known = self.roots.get(usize::try_from(tile).ok()?)?;
        let fits = u64::try_from(leaves.len()).ok()? == self.length(tile) && root(&leaves) == *known;
        fits.then(|| drop(self.tiles.insert(tile, leaves)))
    }

    /// The hash at a place, where its tile is in memory.
    pub(crate) fn leaf(&self, place: u64) -> Option<&Digest> {
        self.tiles.get(&Self::tile_of(place))?.get(within(place))
    }

    /// Sets hashes at their places, which may be the next free ones, in ascending order. `None` where a tile is not in memory, or a place
    /// is beyond the next free one; then some may be set, and [`Self::undo`] takes them back.
    pub(crate) fn set(&mut self, leaves: impl IntoIterator<Item = (u64, Digest)>) -> Option<()> {
        let mut changed = Vec::new();
        for (place, leaf) in leaves {
            let tile = Self::tile_of(place);
            let at = usize::try_from(tile).ok()?;
            if place > self.count || !(self.has(tile) || within(place) == 0 && place == self.count) {
                return None;
            }
            let held = self.tiles.entry(tile).or_default();
            self.before.entry(tile).or_insert_with(|| (held.clone(), self.roots.get(at).copied()));
            match held.get_mut(within(place)) {
                Some(known) => *known = leaf,
                None => {
                    held.push(leaf);
                    self.count += 1;
                }
            }
            if changed.last() != Some(&tile) {
                changed.push(tile);
            }
        }
        for tile in changed {
            let made = root(self.tiles.get(&tile)?);
            let at = usize::try_from(tile).ok()?;
            match self.roots.get_mut(at) {
                Some(known) => *known = made,
                None => self.roots.push(made),
            }
        }
        Some(())
    }

    /// The tiles that were set since the last [`Self::keep`].
    pub(crate) fn changed(&self) -> impl Iterator<Item = (u64, &[Digest])> {
        self.before.keys().filter_map(|tile| Some((*tile, self.tiles.get(tile)?.as_slice())))
    }

    /// What was set is durable.
    pub(crate) fn keep(&mut self) {
        self.before.clear();
        self.kept = self.count;
    }

    /// What was set is not: all is as it was.
    pub(crate) fn undo(&mut self) {
        for (tile, (leaves, known)) in std::mem::take(&mut self.before).into_iter().rev() {
            let at = usize::try_from(tile).unwrap_or(usize::MAX);
            match known {
                Some(known) => {
                    self.tiles.insert(tile, leaves);
                    if let Some(root) = self.roots.get_mut(at) {
                        *root = known;
                    }
                }
                None => {
                    self.tiles.remove(&tile);
                    self.roots.truncate(at);
                }
            }
        }
        self.count = self.kept;
    }

    /// The proof that the head at a place is in the tree (RFC 9162, section 2.1.3). `None` where its tile is not in memory.
    pub(crate) fn path(&self, place: u64) -> Option<Vec<Digest>> {
        let tile = Self::tile_of(place);
        let mut path = inclusion(self.tiles.get(&tile)?, place % TILE)?;
        path.extend(inclusion(&self.roots, tile)?);
        Some(path)
    }
}

fn inclusion(leaves: &[Digest], index: u64) -> Option<Vec<Digest>> {
    let mut prover = Prover::inclusion(index, u64::try_from(leaves.len()).ok()?)?;
    for (at, leaf) in (0..).zip(leaves) {
        prover.pass(at, *leaf);
    }
    prover.finish()
}

fn root(leaves: &[Digest]) -> Digest {
    let mut tree = Compact::default();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree.root()
}

fn within(place: u64) -> usize {
    usize::try_from(place % TILE).unwrap_or(usize::MAX)
}

/// Hashes in a tile.
pub(crate) const TILE: u64 = 256;

#[cfg(test)]
mod tests;
