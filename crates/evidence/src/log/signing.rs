//! Checkpoints of the log: what they sign, what they bring into the storage, what is remembered of them.
//!
//! # Invariants
//!
//! - A checkpoint costs what grew since the last one, whatever else there is.
//! - Its rows are in the batch of the group that it signs, or in one of their own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crypto::{Digest, SigningKey};
use model::{TenantName, Timestamp};
use store::{Batch, Table};

use super::state::{Chain, Last, Mark, State};
use crate::checkpoint::{self, ChainHead, Checkpoint};
use crate::note::Origin;
use crate::resume::{self, former};

/// A checkpoint that waits for its commit.
pub(super) struct Signed {
    checkpoint: Checkpoint,
    /// The chains that it saw grow, with the marks that they have from then on.
    chains: Vec<(resume::Chain, Mark)>,
    /// All heads beside it, by place.
    beside: BTreeMap<u64, ChainHead>,
    /// Tenants with open intents.
    open: BTreeSet<TenantName>,
}

impl State {
    /// Whether a checkpoint belongs into the group at hand.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.begins
            || !self.former.is_empty()
            || self.behind.len() > checkpoint::MOST_BEHIND
            || checkpoint::due(self.last.map(|last| last.time), now)
    }

    /// Signs the heads as they are, the group at hand included. What it costs grows with the chains that grew since the last time. `None`
    /// where a head has no place, which means that something of ours is wrong.
    pub(super) fn sign(&mut self, now: Timestamp, origin: &Origin, key: &SigningKey) -> Option<Signed> {
        let few = self.beside.len();
        let replaces = self.last.is_some_and(|last| last.ours && checkpoint::replaces(last.time, now, few));
        let (number, previous) = match self.last {
            None => (0, Digest::default()),
            Some(last) if replaces => (last.number, last.previous),
            Some(last) => (last.number + 1, last.digest),
        };
        let mut open: HashMap<&TenantName, resume::Open> = HashMap::new();
        for (id, intent) in &self.open {
            open.entry(&intent.tenant).or_default().push((intent.seq, *id, intent.stage));
        }
        let holders = open.keys().copied().cloned().collect();
        let mut beside = if replaces { self.beside.clone() } else { BTreeMap::new() };
        let mut next = self.heads.count();
        let (mut chains, mut leaves) = (Vec::new(), BTreeMap::new());
        let grown: BTreeSet<&TenantName> =
            self.touched.iter().chain(&self.behind).chain(&self.former).collect();
        for tenant in grown {
            let chain = self.chains.get(tenant)?;
            let place = chain.place.unwrap_or(next);
            next = next.max(place + 1);
            let mark = chain.mark(number);
            let (root, last) = (chain.tree.root(), chain.last);
            let head = ChainHead { tenant: tenant.clone(), nth: mark.nth, size: mark.size, root, last };
            leaves.insert(place, head.hash());
            beside.insert(place, head.clone());
            let mut open = open.remove(tenant).unwrap_or_default();
            open.sort_unstable_by_key(|(seq, ..)| *seq);
            chains.push((resume::Chain { place, head, nodes: chain.tree.nodes().to_vec(), open }, mark));
        }
        self.heads.set(leaves)?;
        let over = (self.heads.count(), self.heads.root());
        let heads = beside.iter().map(|(place, head)| (*place, head.clone())).collect();
        let checkpoint = Checkpoint::sign(over, heads, (number, now, previous), origin, key);
        Some(Signed { checkpoint, chains, beside, open: holders })
    }

    /// Adds to the batch of the group what its checkpoint brings, or which chains are behind the last one now.
    pub(super) fn put(&self, mut batch: Batch, signed: Option<&Signed>) -> Batch {
        let home = TenantName::local();
        let Some(Signed { checkpoint, chains, beside: _, open }) = signed else {
            if self.touched.iter().all(|tenant| self.behind.contains(tenant)) {
                return batch;
            }
            let behind: BTreeSet<&TenantName> = self.behind.iter().chain(&self.touched).collect();
            return batch.put(Table::Meta, &home, resume::BEHIND, resume::encode_names(behind));
        };
        for (chain, _) in chains {
            batch = batch.put(Table::Meta, &chain.head.tenant, resume::CHAIN, chain.encode());
        }
        if !self.behind.is_empty() {
            batch = batch.delete(Table::Meta, &home, resume::BEHIND);
        }
        if !self.former.is_empty() {
            batch = batch.delete(Table::Meta, &home, former::KEY);
        }
        resume::put(batch, checkpoint, &self.heads, (self.records, open.clone()))
    }

    /// The group is durable, and with it the checkpoint.
    pub(super) fn keep(&mut self, signed: Option<Signed>) {
        for tenant in self.touched.drain(..) {
            if let Some(chain) = self.chains.get_mut(&tenant) {
                chain.draft = None;
            }
            if signed.is_none() {
                self.behind.insert(tenant);
            }
        }
        self.undo.clear();
        self.uses.keep();
        self.settled();
        let Some(Signed { checkpoint, chains, beside, open: _ }) = signed else { return };
        let statement = &checkpoint.statement;
        for (resume::Chain { place, head, .. }, mark) in chains {
            if let Some(chain) = self.chains.get_mut(&head.tenant) {
                chain.keep(place, mark, statement.number);
            }
        }
        self.heads.keep();
        self.beside = beside;
        self.behind.clear();
        self.former.clear();
        self.last = Some(Last {
            number: statement.number,
            time: statement.time,
            digest: checkpoint.digest(),
            previous: statement.previous,
            ours: true,
        });
        self.forget(statement.number);
    }

    /// Forgets chains that can be read again as they are, where there are very many.
    fn forget(&mut self, number: u64) {
        if self.chains.len() > REMEMBERED {
            self.chains.retain(|_, chain| chain.under == Some(number));
        }
    }
}

impl Chain {
    /// The mark under a checkpoint of this number of the chain as it is now.
    fn mark(&self, number: u64) -> Mark {
        let before = if self.under == Some(number) { self.base } else { self.signed };
        let size = self.tree.size();
        Mark { size, nth: before.nth + u64::from(size != before.size) }
    }

    /// A checkpoint of this number is durable.
    fn keep(&mut self, place: u64, mark: Mark, number: u64) {
        if self.under != Some(number) {
            self.base = self.signed;
        }
        (self.place, self.signed, self.under) = (Some(place), mark, Some(number));
    }
}

/// Chains in memory; beyond, those that did not grow lately are read again.
const REMEMBERED: usize = 50_000;
