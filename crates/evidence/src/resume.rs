//! What lets the log go on where it ended without reading everything again, and one tenant without reading the others.
//!
//! Rows of [`Table::Meta`], written in the transaction of the checkpoint that they belong to:
//!
//! - `evidence/heads` of the house: how many heads there are, the roots of their tiles, and which tenants have open intents;
//! - `evidence/tile/N` of the house: the hashes of the heads of one tile;
//! - `evidence/chain` of a tenant: its head with its place, the subtrees, the open intents;
//!
//! and `evidence/behind` of the house, written with each group that lets another chain grow beyond the last checkpoint: which ones did.
//!
//! Nothing in them is believed: subtrees must give the signed head, heads their tile, and tiles the signed root. A verification computes all of
//! them again.

use std::collections::BTreeSet;

use crypto::Digest;
use model::{EvidenceId, TenantName};
use store::{Batch, Storage, Table};

use crate::Wrong;
use crate::checkpoint::{ChainHead, Checkpoint};
use crate::codec::{Decoder, Encoder};
use crate::heads::{Heads, TILE};
use crate::walk::Stage;

/// Open intents of a chain, by sequence number.
pub(crate) type Open = Vec<(u64, EvidenceId, Stage)>;

/// What there is of all chains at one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resume {
    /// Number of the checkpoint.
    pub(crate) number: u64,
    /// Records in all chains.
    pub(crate) records: u64,
    /// Heads.
    pub(crate) count: u64,
    /// The roots of their tiles.
    pub(crate) roots: Vec<Digest>,
    /// Tenants with open intents.
    pub(crate) open: BTreeSet<TenantName>,
}

/// What there is of one chain at the last checkpoint under which it grew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) place: u64,
    pub(crate) head: ChainHead,
    pub(crate) nodes: Vec<Digest>,
    pub(crate) open: Open,
}

impl Resume {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut to = Encoder(&mut bytes);
        to.long(self.number);
        to.long(self.records);
        to.long(self.count);
        self.roots.iter().for_each(|root| to.fixed(root));
        self.open.iter().for_each(|tenant| to.name(tenant.as_str()));
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Wrong> {
        let mut from = Decoder(bytes);
        let (number, records, count) = (from.long()?, from.long()?, from.long()?);
        let mut roots = Vec::new();
        for _ in 0..count.div_ceil(TILE) {
            roots.push(from.fixed()?);
        }
        Ok(Self { number, records, count, roots, open: names(from)? })
    }
}

impl Chain {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        Encoder(&mut bytes).long(self.place);
        self.head.encode(&mut bytes);
        let mut to = Encoder(&mut bytes);
        to.count(self.nodes.len());
        self.nodes.iter().for_each(|node| to.fixed(node));
        encode_open(&mut to, &self.open);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Wrong> {
        let mut from = Decoder(bytes);
        let (place, head) = (from.long()?, ChainHead::decode(&mut from)?);
        let nodes = from.list(Decoder::fixed)?;
        let open = decode_open(&mut from)?;
        from.end()?;
        Ok(Self { place, head, nodes, open })
    }
}

fn encode_open(to: &mut Encoder<'_>, open: &Open) {
    to.long(u64::try_from(open.len()).unwrap_or(u64::MAX));
    for (seq, id, stage) in open {
        to.long(*seq);
        to.fixed(&id.to_bytes());
        to.byte(match stage {
            Stage::Intended => 0,
            Stage::Streaming => 1,
        });
    }
}

fn decode_open(from: &mut Decoder<'_>) -> Result<Open, Wrong> {
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
    Ok(open)
}

/// Names behind one another, sorted.
pub(crate) fn encode_names<'a>(names: impl IntoIterator<Item = &'a TenantName>) -> Vec<u8> {
    let mut bytes = Vec::new();
    names.into_iter().for_each(|name| Encoder(&mut bytes).name(name.as_str()));
    bytes
}

/// The names in a row.
pub(crate) fn decode_names(bytes: &[u8]) -> Result<BTreeSet<TenantName>, Wrong> {
    names(Decoder(bytes))
}

fn names(mut from: Decoder<'_>) -> Result<BTreeSet<TenantName>, Wrong> {
    let mut names = BTreeSet::new();
    while !from.0.is_empty() {
        let name: TenantName = from.name()?;
        if names.last().is_some_and(|before| *before >= name) {
            return Err(Wrong::Format("names out of order"));
        }
        names.insert(name);
    }
    Ok(names)
}

/// The hashes of a tile, as they are stored.
pub(crate) fn encode_tile(leaves: &[Digest]) -> Vec<u8> {
    leaves.concat()
}

fn decode_tile(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (leaves, rest) = bytes.as_chunks();
    rest.is_empty().then(|| leaves.to_vec())
}

/// The key of a tile.
pub(crate) fn tile(index: u64) -> Vec<u8> {
    [TILES, index.to_be_bytes().as_slice()].concat()
}

/// Adds to a batch what belongs to a checkpoint: all rows but those of the chains.
pub(crate) fn put(
    mut batch: Batch,
    checkpoint: &Checkpoint,
    heads: &Heads,
    (records, open): (u64, BTreeSet<TenantName>),
) -> Batch {
    let home = TenantName::local();
    let number = checkpoint.statement.number;
    let (count, roots) = (heads.count(), heads.roots().to_vec());
    let resume = Resume { number, records, count, roots, open };
    batch = batch.put(Table::Checkpoints, &home, &number.to_be_bytes(), checkpoint.encode());
    for (index, leaves) in heads.changed() {
        batch = batch.put(Table::Meta, &home, &tile(index), encode_tile(leaves));
    }
    batch.put(Table::Meta, &home, HEADS, resume.encode())
}

/// The tree of heads at a checkpoint, without its tiles, and what is stored beside it.
pub(crate) fn heads(
    storage: &dyn Storage,
    checkpoint: &Checkpoint,
) -> Result<Result<(Heads, Resume), Wrong>, store::Error> {
    let row = storage.get(Table::Meta, &TenantName::local(), HEADS)?;
    let Some(Ok(resume)) = row.map(|row| Resume::decode(&row)) else { return Ok(Err(Wrong::State)) };
    let statement = &checkpoint.statement;
    let heads = Heads::of(resume.count, resume.roots.clone());
    let heads = heads.filter(|heads| {
        (resume.number, resume.count) == (statement.number, statement.heads) && heads.root() == statement.root
    });
    Ok(heads.map(|heads| (heads, resume)).ok_or(Wrong::State))
}

/// Reads the tile in which a place is, where it is not there yet.
pub(crate) fn read_tile(
    storage: &dyn Storage,
    heads: &mut Heads,
    place: u64,
) -> Result<Result<(), Wrong>, store::Error> {
    let index = Heads::tile_of(place);
    if heads.has(index) {
        return Ok(Ok(()));
    }
    let row = storage.get(Table::Meta, &TenantName::local(), &tile(index))?;
    let leaves = row.and_then(|row| decode_tile(&row));
    Ok(leaves.and_then(|leaves| heads.take(index, leaves)).ok_or(Wrong::State))
}

/// Reads the row of a chain; its head is the one that stands in the tree.
pub(crate) fn read_chain(
    storage: &dyn Storage,
    heads: &mut Heads,
    tenant: &TenantName,
) -> Result<Result<Option<Chain>, Wrong>, store::Error> {
    let Some(row) = storage.get(Table::Meta, tenant, CHAIN)? else { return Ok(Ok(None)) };
    let chain = match Chain::decode(&row) {
        Ok(chain) if chain.head.tenant == *tenant => chain,
        _ => return Ok(Err(Wrong::State)),
    };
    if let Err(wrong) = read_tile(storage, heads, chain.place)? {
        return Ok(Err(wrong));
    }
    let stands = heads.leaf(chain.place) == Some(&chain.head.hash());
    Ok(if stands { Ok(Some(chain)) } else { Err(Wrong::State) })
}

/// What the log wrote in the form before: the state of all chains in one row.
pub(crate) mod former {
    use super::{Decoder, Digest, Open, TenantName, Wrong, decode_open};

    /// The state of all chains at one checkpoint.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Resume {
        /// Number of the checkpoint.
        pub(crate) number: u64,
        /// The chains, sorted by tenant.
        pub(crate) chains: Vec<Chain>,
    }

    /// The state of one chain.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Chain {
        pub(crate) tenant: TenantName,
        pub(crate) nodes: Vec<Digest>,
        pub(crate) open: Open,
    }

    impl Resume {
        pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Wrong> {
            let mut from = Decoder(bytes);
            let mut resume = Self { number: from.long()?, chains: Vec::new() };
            while !from.0.is_empty() {
                let (tenant, nodes) = (from.name()?, from.list(Decoder::fixed)?);
                let open = decode_open(&mut from)?;
                resume.chains.push(Chain { tenant, nodes, open });
            }
            Ok(resume)
        }
    }

    /// The key of the row.
    pub(crate) const KEY: &[u8] = b"evidence/resume";
}

/// What the keys of all rows begin with.
pub(crate) const PREFIX: &[u8] = b"evidence/";
/// The key of [`Resume`].
pub(crate) const HEADS: &[u8] = b"evidence/heads";
/// The key of [`Chain`].
pub(crate) const CHAIN: &[u8] = b"evidence/chain";
/// The key of the row of chains behind the last checkpoint; there is none where there are none.
pub(crate) const BEHIND: &[u8] = b"evidence/behind";
/// What the keys of tiles begin with.
const TILES: &[u8] = b"evidence/tile/";
