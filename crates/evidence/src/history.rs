//! All heads, as they follow from all checkpoints read one after another.
//!
//! # Invariants
//!
//! - Behind a checkpoint that was taken the heads give the root that it signed.
//! - A chain keeps its place, and a place its chain.

use std::collections::HashMap;

use crypto::Digest;
use model::TenantName;

use crate::Wrong;
use crate::checkpoint::{Beside, ChainHead, Checkpoint};
use crate::heads::Heads;

/// See the module.
#[derive(Default)]
pub(crate) struct History {
    heads: Vec<ChainHead>,
    places: HashMap<TenantName, u64>,
    tree: Heads,
    /// Whether a checkpoint of the later form was taken, behind which none of the form before stands.
    changed: bool,
}

impl History {
    /// Takes the next checkpoint. Gives the places of the heads that stand beside it.
    pub(crate) fn take(&mut self, checkpoint: &Checkpoint) -> Result<Vec<u64>, Wrong> {
        let places = match &checkpoint.heads {
            Beside::Whole(_) if self.changed => return Err(Wrong::Format("an older form of checkpoint")),
            Beside::Whole(heads) => {
                let known = heads.iter().filter(|head| self.places.contains_key(&head.tenant)).count();
                if known != self.heads.len() {
                    return Err(Wrong::Cut);
                }
                *self = Self::default();
                self.put((0..).zip(heads.iter().cloned()))?
            }
            Beside::Changed(heads) => {
                self.changed = true;
                self.put(heads.iter().cloned())?
            }
        };
        let statement = &checkpoint.statement;
        if self.tree.count() != statement.heads || self.tree.root() != statement.root {
            return Err(Wrong::Signature);
        }
        Ok(places)
    }

    fn put(&mut self, heads: impl Iterator<Item = (u64, ChainHead)>) -> Result<Vec<u64>, Wrong> {
        let (mut places, mut leaves) = (Vec::new(), Vec::new());
        for (place, head) in heads {
            leaves.push((place, head.hash()));
            places.push(place);
            let next = u64::try_from(self.heads.len()) == Ok(place);
            match usize::try_from(place).ok().and_then(|place| self.heads.get_mut(place)) {
                Some(known) if known.tenant == head.tenant => *known = head,
                Some(_) => return Err(Wrong::Tenant),
                None if !next => return Err(Wrong::Checkpoint),
                None if self.places.insert(head.tenant.clone(), place).is_some() => {
                    return Err(Wrong::Checkpoint);
                }
                None => self.heads.push(head),
            }
        }
        self.tree.set(leaves).ok_or(Wrong::Checkpoint)?;
        self.tree.keep();
        Ok(places)
    }

    /// The head at a place.
    pub(crate) fn at(&self, place: u64) -> Option<&ChainHead> {
        self.heads.get(usize::try_from(place).ok()?)
    }

    /// The head of a tenant and its place.
    pub(crate) fn of(&self, tenant: &TenantName) -> Option<(&ChainHead, u64)> {
        let place = *self.places.get(tenant)?;
        Some((self.at(place)?, place))
    }

    /// All heads in their order.
    pub(crate) fn all(&self) -> &[ChainHead] {
        &self.heads
    }

    /// The tree over them.
    pub(crate) fn into_tree(self) -> Heads {
        self.tree
    }

    /// The head of a tenant with its place and the proof that it was signed.
    pub(crate) fn prove(&self, tenant: &TenantName) -> Option<(ChainHead, u64, Vec<Digest>)> {
        let (head, place) = self.of(tenant)?;
        Some((head.clone(), place, self.tree.path(place)?))
    }
}
