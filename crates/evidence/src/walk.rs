//! Walks along one chain and checks each record against those before it.
//!
//! # Invariants
//!
//! - After a step that succeeded, size, last hash, tree and open intents are what the writer had after writing that record.

use std::collections::{BTreeMap, HashMap};

use crypto::Digest;
use model::{EvidenceId, TenantName, Timestamp};

use crate::event::Settles;
use crate::leaf::{self, Raw};
use crate::tree::Compact;
use crate::{Event, Leaf, Wrong};

/// How far an intent is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not at all.
    Intended,
    /// Its stream's head.
    Streaming,
}

/// The state of one chain behind the last record that was walked over.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    pub(crate) tenant: TenantName,
    pub(crate) last: Digest,
    pub(crate) tree: Compact,
    /// Open intents by sequence number.
    pub(crate) open: BTreeMap<u64, (EvidenceId, Stage)>,
    /// Uses that the intents have counted, without those that their outcomes gave back.
    pub(crate) uses: HashMap<[u8; 16], u64>,
    /// What each intent has counted that may still give it back. Of an intent before the place where the walk began, nothing.
    counted: HashMap<u64, Vec<[u8; 16]>>,
    /// Time of the last record.
    pub(crate) time: Timestamp,
}

impl Walk {
    pub(crate) fn new(tenant: TenantName) -> Self {
        Self {
            tenant,
            last: Digest::default(),
            tree: Compact::default(),
            open: BTreeMap::new(),
            uses: HashMap::new(),
            counted: HashMap::new(),
            time: Timestamp::default(),
        }
    }

    pub(crate) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Checks the next record and takes it in.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Leaf, Wrong> {
        let raw = Raw::decode(bytes)?;
        if raw.tenant != self.tenant {
            return Err(Wrong::Tenant);
        }
        if raw.seq != self.size() {
            return Err(Wrong::Sequence);
        }
        if raw.before != self.last {
            return Err(Wrong::Chain);
        }
        let leaf = raw.whole()?;
        self.settle(&leaf)?;
        self.last = leaf::hash(bytes);
        self.tree.append(self.last);
        self.time = leaf.time;
        Ok(leaf)
    }

    fn settle(&mut self, leaf: &Leaf) -> Result<(), Wrong> {
        match &leaf.event {
            Event::Intent(intent) => {
                self.open.insert(leaf.seq, (intent.id, Stage::Intended));
                for counted in &intent.uses {
                    *self.uses.entry(counted.id).or_default() += 1;
                }
                if !intent.uses.is_empty() {
                    self.counted.insert(leaf.seq, intent.uses.iter().map(|counted| counted.id).collect());
                }
                Ok(())
            }
            Event::Outcome(settles, outcome) => {
                self.advance(*settles, Stage::Intended, None)?;
                let counted = self.counted.remove(&settles.intent).unwrap_or_default();
                for id in counted.iter().filter(|_| outcome.gives_back()) {
                    // It was counted by this walk, so it is not zero.
                    self.uses.entry(*id).and_modify(|count| *count = count.saturating_sub(1));
                }
                Ok(())
            }
            Event::Head(settles, _) => {
                self.counted.remove(&settles.intent);
                self.advance(*settles, Stage::Intended, Some(Stage::Streaming))
            }
            Event::Close(settles, _) => self.advance(*settles, Stage::Streaming, None),
            Event::Forgotten(counters) => {
                // A walk that begins behind a checkpoint has not seen what they counted.
                for id in counters {
                    self.uses.remove(id);
                }
                Ok(())
            }
            Event::Refused(_) | Event::Answered(_) | Event::Started(_) | Event::Notice(_) => Ok(()),
        }
    }

    fn advance(&mut self, settles: Settles, from: Stage, to: Option<Stage>) -> Result<(), Wrong> {
        if self.open.get(&settles.intent) != Some(&(settles.id, from)) {
            return Err(Wrong::Unmatched);
        }
        match to {
            Some(stage) => self.open.insert(settles.intent, (settles.id, stage)),
            None => self.open.remove(&settles.intent),
        };
        Ok(())
    }
}
