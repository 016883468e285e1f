//! What the writer has in memory: the end of each chain, open intents, counters, the last checkpoint.
//!
//! A group is staged in here, and kept or undone with its commit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Weak;

use crypto::Digest;
use model::{EvidenceId, TenantName, Timestamp};
use store::Storage;

use super::uses::Uses;
use crate::checkpoint::ChainHead;
use crate::event::{CounterId, Use};
use crate::heads::Heads;
use crate::leaf::Head;
use crate::receipt::Held;
use crate::tree::{self, Compact};
use crate::walk::Stage;
use crate::{Ending, Error, Kind, event};

/// The end of one chain.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) last: Digest,
    pub(super) tree: Compact,
    /// Its place among the heads; `None` before its first checkpoint.
    pub(super) place: Option<u64>,
    /// The head under the last checkpoint that saw it grow, and under the last one of an earlier number.
    pub(super) signed: Mark,
    pub(super) base: Mark,
    /// The number under which `signed` stands, where this log has signed it.
    pub(super) under: Option<u64>,
    pub(super) draft: Option<Draft>,
}

/// How large a chain was at a checkpoint, and how many had seen it grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) size: u64,
    pub(super) nth: u64,
}

/// The records of the group at hand.
pub(super) struct Draft {
    pub(super) first: u64,
    pub(super) row: Vec<u8>,
    was: (Digest, Compact),
}

/// An intent without its last outcome.
pub(super) struct Open {
    pub(super) tenant: TenantName,
    pub(super) seq: u64,
    pub(super) stage: Stage,
    /// What it has counted. Nothing after the log was opened again: it ends as `unknown` then, which gives nothing back.
    pub(super) uses: Vec<Use>,
    /// Gone when nobody can settle it any more.
    pub(super) held: Weak<()>,
    /// Whether an outcome of ours is on its way.
    pub(super) swept: bool,
}

/// The last checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) number: u64,
    pub(super) time: Timestamp,
    pub(super) digest: Digest,
    pub(super) previous: Digest,
    /// Whether the next one may take its place. Not after opening: the heads before it are not known then.
    pub(super) ours: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct State {
    pub(super) chains: BTreeMap<TenantName, Chain>,
    pub(super) open: HashMap<EvidenceId, Open, BuildHasherDefault<Folded>>,
    pub(super) uses: Uses,
    pub(super) last: Option<Last>,
    /// The tree over the heads under the last checkpoint.
    pub(super) heads: Heads,
    /// Records in all chains, also in those that are not in memory.
    pub(super) records: u64,
    /// The same without the group at hand.
    pub(super) counted: u64,
    /// Chains that grew behind the last checkpoint.
    pub(super) behind: BTreeSet<TenantName>,
    /// Chains that the next checkpoint brings from the form before into this one.
    pub(super) former: BTreeSet<TenantName>,
    /// The heads beside the last checkpoint, by place.
    pub(super) beside: BTreeMap<u64, ChainHead>,
    /// Chains with a draft.
    pub(super) touched: Vec<TenantName>,
    /// What to put back into `open` when the group fails, the latest last.
    pub(super) undo: Vec<(EvidenceId, Option<Open>)>,
    /// Whether a chain begins with this group.
    pub(super) begins: bool,
}

impl State {
    /// Adds a record to its chain; returns its place and hash.
    pub(super) fn append(
        &mut self,
        tenant: &TenantName,
        kind: Kind,
        time: Timestamp,
        body: &[u8],
    ) -> (u64, Digest) {
        if !self.chains.contains_key(tenant) {
            self.chains.insert(tenant.clone(), Chain::default());
        }
        let Some(chain) = self.chains.get_mut(tenant) else { return (0, Digest::default()) };
        let seq = chain.tree.size();
        self.begins |= seq == 0;
        let draft = chain.draft.get_or_insert_with(|| {
            self.touched.push(tenant.clone());
            Draft { first: seq, row: Vec::with_capacity(1_024), was: (chain.last, chain.tree.clone()) }
        });
        self.records += 1;
        let start = draft.row.len();
        draft.row.extend_from_slice(&[0; LENGTH]);
        Head { kind, tenant, seq, time, before: &chain.last }.encode(&mut draft.row);
        draft.row.extend_from_slice(body);
        // The last byte of the length is the 0 in front of a leaf, as long as the length is not written.
        chain.last = tree::leaf_hash_behind_zero(draft.row.get(start + LENGTH - 1..).unwrap_or_default());
        let (_, record) = draft.row.split_at_mut(start);
        if let Some((length, leaf)) = record.split_at_mut_checked(LENGTH) {
            length.copy_from_slice(&u32::try_from(leaf.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
        chain.tree.append(chain.last);
        (seq, chain.last)
    }

    /// Notes an intent as open; gives what keeps it so.
    pub(super) fn begin(&mut self, id: EvidenceId, tenant: &TenantName, seq: u64, uses: &[Use]) -> Held {
        let held = Held::default();
        let weak = std::sync::Arc::downgrade(&held.0);
        let (tenant, stage, uses) = (tenant.clone(), Stage::Intended, uses.to_vec());
        let open = Open { tenant, seq, stage, uses, held: weak, swept: false };
        self.undo.push((id, self.open.insert(id, open)));
        held
    }

    /// Notes that an intent is settled so far. `None` when it is not open.
    pub(super) fn settle(&mut self, id: EvidenceId, kind: Kind) -> Option<()> {
        let open = self.open.remove(&id)?;
        if kind == Kind::Head {
            let (tenant, held) = (open.tenant.clone(), open.held.clone());
            let (stage, uses) = (Stage::Streaming, Vec::new());
            let after = Open { tenant, seq: open.seq, stage, uses, held, swept: false };
            self.open.insert(id, after);
        }
        self.undo.push((id, Some(open)));
        Some(())
    }

    /// Gives back what an open intent has counted. Its outcome must follow in the same group.
    pub(super) fn give_back(&mut self, storage: &dyn Storage, id: EvidenceId) -> Result<(), Error> {
        match self.open.get(&id) {
            Some(open) => self.uses.give_back(storage, &open.tenant, &open.uses),
            None => Ok(()),
        }
    }

    /// Removes counters of uses, but for those of open intents, which may give a use back, and appends records that say so.
    pub(super) fn forget_counters(
        &mut self,
        storage: &dyn Storage,
        tenant: &TenantName,
        time: Timestamp,
        counters: &[CounterId],
    ) -> Result<(), Error> {
        let open = self.open.values().filter(|open| open.tenant == *tenant);
        let held: HashSet<CounterId> =
            open.flat_map(|open| open.uses.iter().map(|counted| counted.id)).collect();
        let free = counters.iter().copied().filter(|id| !held.contains(id));
        for gone in self.uses.forget(storage, tenant, free)?.chunks(event::MOST_FORGOTTEN) {
            let mut body = Vec::new();
            event::forgotten(gone, &mut body);
            let _ = self.append(tenant, Kind::Forgotten, time, &body);
        }
        Ok(())
    }

    /// Chains with records in the group at hand.
    pub(super) fn drafts(&self) -> impl Iterator<Item = (&TenantName, &Draft)> {
        self.touched.iter().filter_map(|tenant| Some((tenant, self.chains.get(tenant)?.draft.as_ref()?)))
    }

    /// Takes the row of a draft for its batch; the draft stays for undoing.
    pub(super) fn take_row(&mut self, tenant: &TenantName) -> Option<(u64, Vec<u8>)> {
        let draft = self.chains.get_mut(tenant)?.draft.as_mut()?;
        Some((draft.first, std::mem::take(&mut draft.row)))
    }

    /// Tenants with a draft.
    pub(super) fn touched(&self) -> Vec<TenantName> {
        self.touched.clone()
    }

    /// What is counted so far is durable.
    pub(super) fn settled(&mut self) {
        self.begins = false;
        self.counted = self.records;
    }

    /// The group is not durable: everything is as before it.
    pub(super) fn undo(&mut self) {
        for tenant in self.touched.drain(..) {
            if let Some(chain) = self.chains.get_mut(&tenant)
                && let Some(draft) = chain.draft.take()
            {
                (chain.last, chain.tree) = draft.was;
            }
        }
        for (id, before) in self.undo.drain(..).rev() {
            match before {
                Some(open) => self.open.insert(id, open),
                None => self.open.remove(&id),
            };
        }
        self.begins = false;
        self.records = self.counted;
        self.heads.undo();
        self.uses.undo();
    }

    /// Events that settle as `unknown` the intents that nobody can settle any more.
    pub(super) fn sweep(&mut self) -> Vec<(TenantName, Kind, EvidenceId, Vec<u8>)> {
        let lost = self.open.iter_mut().filter(|(_, open)| !open.swept && open.held.strong_count() == 0);
        lost.map(|(id, open)| {
            open.swept = true;
            let settles = event::Settles { id: *id, intent: open.seq };
            let mut body = Vec::new();
            let kind = match open.stage {
                Stage::Intended => {
                    event::Outcome::bare(Ending::Unknown).encode(settles, &mut body);
                    Kind::Outcome
                }
                Stage::Streaming => {
                    event::Closed::bare(Ending::Unknown).encode(settles, &mut body);
                    Kind::Close
                }
            };
            (open.tenant.clone(), kind, *id, body)
        })
        .collect()
    }

    /// Refuses an id that is open.
    pub(super) fn check_fresh(&self, id: EvidenceId) -> Result<(), Error> {
        if self.open.contains_key(&id) { Err(Error::Duplicate(id)) } else { Ok(()) }
    }
}

/// Hashes ids by folding them. They are made here, half of them at random, so nobody outside can choose ids that collide.
#[derive(Default)]
pub(super) struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, id: u128) {
        let [high, low] = [id >> 64, id & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or(0));
        // The table takes the highest bits and the lowest ones; the multiplication spreads all into the highest.
        self.0 = (high ^ low).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Bytes of the length in front of each record of a row.
const LENGTH: usize = 4;
