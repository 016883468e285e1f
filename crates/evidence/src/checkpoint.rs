//! A checkpoint: one signature over the heads of all chains.
//!
//! ```text
//! ORIGIN
//! NUMBER OF HEADS
//! BASE64(root of the RFC 6962 tree over the heads, sorted by tenant)
//! number N
//! time MILLISECONDS
//! previous BASE64(SHA-256 of the note with number N - 1; zeros for number 0)
//!
//! — ORIGIN BASE64(key hash ‖ signature)
//! ```
//!
//! The heads stand beside the note. So one signature covers every tenant, and an export shows a tenant its own head with a proof,
//! and of the others nothing but how many they are.

use crypto::{Digest, PublicKey, SigningKey, from_base64, sha256, to_base64};
use model::{TenantName, Timestamp};

use crate::Wrong;
use crate::codec::{Decoder, Encoder};
use crate::note::{self, Origin};
use crate::tree::{self, Compact, Prover};

/// The head of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// The tenant.
    pub tenant: TenantName,
    /// How many kept checkpoints have seen this chain grow, this one included; so that none can be left out of an export.
    pub nth: u64,
    /// Number of records.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// Hash of the last one.
    pub last: Digest,
}

impl ChainHead {
    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        let mut to = Encoder(to);
        to.name(self.tenant.as_str());
        to.long(self.nth);
        to.long(self.size);
        to.fixed(&self.root);
        to.fixed(&self.last);
    }

    pub(crate) fn decode(from: &mut Decoder<'_>) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: from.name()?,
            nth: from.long()?,
            size: from.long()?,
            root: from.fixed()?,
            last: from.fixed()?,
        })
    }

    /// The hash of this head in the tree of heads.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut bytes = Vec::with_capacity(160);
        self.encode(&mut bytes);
        tree::leaf_hash(&bytes)
    }
}

/// What the text of a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The name that signed.
    pub origin: String,
    /// Number of chains.
    pub heads: u64,
    /// Root over their heads.
    pub root: Digest,
    /// Number of the checkpoint. Within a minute, a later one takes the place of the one before under the same number.
    pub number: u64,
    /// When it was signed.
    pub time: Timestamp,
    /// SHA-256 of the note before.
    pub previous: Digest,
}

impl Statement {
    fn text(&self) -> String {
        let Self { origin, heads, root, number, time, previous } = self;
        let (root, time, previous) = (to_base64(root), time.millis(), to_base64(previous));
        format!("{origin}\n{heads}\n{root}\nnumber {number}\ntime {time}\nprevious {previous}\n")
    }

    /// Reads a note and checks its signature.
    ///
    /// # Errors
    /// When it has another form, or the signature does not fit.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, Wrong> {
        let form = Wrong::Format("a checkpoint");
        let (text, name) = note::open(note, key)?;
        let mut lines = text.lines();
        let mut next = |label: &str| lines.next().and_then(|line| line.strip_prefix(label)).ok_or(form);
        let statement = Self {
            origin: next("")?.to_owned(),
            heads: number(next("")?)?,
            root: digest(next("")?)?,
            number: number(next("number ")?)?,
            time: Timestamp::from_millis(number(next("time ")?)?),
            previous: digest(next("previous ")?)?,
        };
        // One spelling only: the text must be what we would write.
        if statement.text() != text || statement.origin != name { Err(form) } else { Ok(statement) }
    }
}

/// A signed checkpoint with its heads, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What it says.
    pub statement: Statement,
    /// The heads, sorted by tenant.
    pub heads: Vec<ChainHead>,
    /// The signed note.
    pub note: String,
}

impl Checkpoint {
    /// Signs the heads, which are sorted by tenant.
    pub(crate) fn sign(
        heads: Vec<ChainHead>,
        (number, time, previous): (u64, Timestamp, Digest),
        origin: &Origin,
        key: &SigningKey,
    ) -> Self {
        let count = u64::try_from(heads.len()).unwrap_or(u64::MAX);
        let origin_text = origin.as_str().to_owned();
        let statement =
            Statement { origin: origin_text, heads: count, root: root(&heads), number, time, previous };
        let note = note::sign(&statement.text(), origin, key);
        Self { statement, heads, note }
    }

    /// The bytes of the stored row: length of the note in four bytes, note, heads.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = u32::try_from(self.note.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        bytes.extend_from_slice(self.note.as_bytes());
        for head in &self.heads {
            head.encode(&mut bytes);
        }
        bytes
    }

    /// Reads a stored row; checks the signature, the heads against it, and their order.
    pub(crate) fn decode(bytes: &[u8], key: &PublicKey) -> Result<Self, Wrong> {
        let mut from = Decoder(bytes);
        let length = usize::try_from(from.word()?).unwrap_or(usize::MAX);
        let note = std::str::from_utf8(from.take(length)?).map_err(|_| Wrong::Format("a checkpoint"))?;
        let statement = Statement::open(note, key)?;
        let mut heads: Vec<ChainHead> = Vec::new();
        while !from.0.is_empty() {
            let head = ChainHead::decode(&mut from)?;
            if heads.last().is_some_and(|before| before.tenant >= head.tenant) {
                return Err(Wrong::Format("heads out of order"));
            }
            heads.push(head);
        }
        if u64::try_from(heads.len()).ok() != Some(statement.heads) || root(&heads) != statement.root {
            return Err(Wrong::Signature);
        }
        Ok(Self { statement, heads, note: note.to_owned() })
    }

    /// SHA-256 of the note, which the next checkpoint holds.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&[self.note.as_bytes()])
    }

    /// The head of one tenant.
    #[must_use]
    pub fn head(&self, tenant: &TenantName) -> Option<&ChainHead> {
        self.heads.iter().find(|head| head.tenant == *tenant)
    }

    /// The head of one tenant with its place among the heads and the proof that it was signed.
    #[must_use]
    pub fn prove(&self, tenant: &TenantName) -> Option<(ChainHead, u64, Vec<Digest>)> {
        let index = self.heads.iter().position(|head| head.tenant == *tenant)?;
        let place = u64::try_from(index).ok()?;
        let mut prover = Prover::inclusion(place, self.statement.heads)?;
        for (at, head) in (0..).zip(&self.heads) {
            prover.pass(at, head.hash());
        }
        Some((self.heads.get(index)?.clone(), place, prover.finish()?))
    }
}

/// Whether leaves of a group written at `now` need a new checkpoint beside them, when the last one was signed at `last`. The
/// verification holds the same rule, so a checkpoint that was taken away leaves a gap that is seen.
pub(crate) fn due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now < last || now.since(last).as_millis() >= u128::from(EVERY))
}

/// Whether a checkpoint of `now` takes the place of the one of `last`: old ones are kept once a minute.
pub(crate) const fn replaces(last: Timestamp, now: Timestamp) -> bool {
    last.millis() / MINUTE == now.millis() / MINUTE
}

fn root(heads: &[ChainHead]) -> Digest {
    let mut tree = Compact::default();
    for head in heads {
        tree.append(head.hash());
    }
    tree.root()
}

fn number(text: &str) -> Result<u64, Wrong> {
    text.parse().map_err(|_| Wrong::Format("a number"))
}

fn digest(text: &str) -> Result<Digest, Wrong> {
    let bytes = from_base64(text).map_err(|_| Wrong::Format("a hash"))?;
    bytes.try_into().map_err(|_| Wrong::Format("a hash"))
}

/// Milliseconds between checkpoints under load.
pub(crate) const EVERY: u64 = 1_000;
const MINUTE: u64 = 60_000;
