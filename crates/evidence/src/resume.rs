//! What lets the log go on where it ended without reading everything again: subtrees and open intents at the last checkpoint.
//!
//! It is one row, replaced with each checkpoint in the same transaction. Nothing in it is believed: the subtrees must give
//! the signed roots, and a verification computes all of it again.

use crypto::Digest;
use model::{EvidenceId, TenantName};

use crate::Wrong;
use crate::codec::{Decoder, Encoder};
use crate::walk::Stage;

/// The state of all chains at one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resume {
    /// Number of the checkpoint.
    pub(crate) number: u64,
    /// The chains, sorted by tenant.
    pub(crate) chains: Vec<Chain>,
}

/// The state of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) tenant: TenantName,
    pub(crate) nodes: Vec<Digest>,
    /// Open intents, sorted by sequence number.
    pub(crate) open: Vec<(u64, EvidenceId, Stage)>,
}

impl Resume {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut to = Encoder(&mut bytes);
        to.long(self.number);
        for chain in &self.chains {
            to.name(chain.tenant.as_str());
            to.count(chain.nodes.len());
            for node in &chain.nodes {
                to.fixed(node);
            }
            to.long(u64::try_from(chain.open.len()).unwrap_or(u64::MAX));
            for (seq, id, stage) in &chain.open {
                to.long(*seq);
                to.fixed(&id.to_bytes());
                to.byte(match stage {
                    Stage::Intended => 0,
                    Stage::Streaming => 1,
                });
            }
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Wrong> {
        let mut from = Decoder(bytes);
        let mut resume = Self { number: from.long()?, chains: Vec::new() };
        while !from.0.is_empty() {
            let tenant = from.name()?;
            let nodes = from.list(Decoder::fixed)?;
            let count = from.long()?;
            let mut open = Vec::new();
            for _ in 0..count {
                let (seq, id) = (from.long()?, EvidenceId::from_bytes(from.fixed()?));
                let stage = match from.byte()? {
                    0 => Stage::Intended,
                    1 => Stage::Streaming,
                    _ => return Err(Wrong::Format("an unknown stage")),
                };
                open.push((seq, id, stage));
            }
            resume.chains.push(Chain { tenant, nodes, open });
        }
        Ok(resume)
    }
}

/// The key of the row in [`store::Table::Meta`].
pub(crate) const KEY: &[u8] = b"evidence/resume";
