//! A checkpoint: one signature over the heads of all chains.
//!
//! ```text
//! ORIGIN
//! NUMBER OF HEADS
//! BASE64(root of the RFC 6962 tree over the heads, in the order in which their chains began)
//! number N
//! time MILLISECONDS
//! previous BASE64(SHA-256 of the note with number N - 1; zeros for number 0)
//!
//! — ORIGIN BASE64(key hash ‖ signature)
//! ```
//!
//! Beside the note stand the heads that changed since the checkpoint before, each with its place; all heads follow from all checkpoints, and
//! those that are in force from the rows of [`crate::resume`]. So one signature covers every tenant and costs what changed, and an export
//! shows a tenant its own head with a proof, and of the others nothing but how many they are.
//!
//! In the form before (docs/decisions/0042) a checkpoint held all heads, sorted by tenant. It is read, and its places go on in that order.

use crypto::{Digest, PublicKey, SigningKey, from_base64, sha256, to_base64};
use model::{TenantName, Timestamp};

use crate::Wrong;
use crate::codec::{Decoder, Encoder};
use crate::note::{self, Origin};
use crate::tree;

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
    pub(crate) fn text(&self) -> String {
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
pub(crate) struct Checkpoint {
    /// What it says.
    pub(crate) statement: Statement,
    /// The heads beside it.
    pub(crate) heads: Beside,
    /// The signed note.
    pub(crate) note: String,
}

/// The heads that stand beside a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Those that changed since the checkpoint before, by ascending places.
    Changed(Vec<(u64, ChainHead)>),
    /// All of them, sorted by tenant: the form before.
    Whole(Vec<ChainHead>),
}

impl Checkpoint {
    /// Signs this root over so many heads.
    pub(crate) fn sign(
        (heads, root): (u64, Digest),
        changed: Vec<(u64, ChainHead)>,
        (number, time, previous): (u64, Timestamp, Digest),
        origin: &Origin,
        key: &SigningKey,
    ) -> Self {
        let statement = Statement { origin: origin.as_str().to_owned(), heads, root, number, time, previous };
        let note = note::sign(&statement.text(), origin, key);
        Self { statement, heads: Beside::Changed(changed), note }
    }

    /// The bytes of the stored row: a byte that says the form, length of the note in four bytes, note, heads. The form before begins with the
    /// length, whose first byte is 0.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(self.note.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = Vec::new();
        if let Beside::Changed(_) = self.heads {
            bytes.push(CHANGED);
        }
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(self.note.as_bytes());
        match &self.heads {
            Beside::Changed(heads) => {
                for (place, head) in heads {
                    Encoder(&mut bytes).long(*place);
                    head.encode(&mut bytes);
                }
            }
            Beside::Whole(heads) => heads.iter().for_each(|head| head.encode(&mut bytes)),
        }
        bytes
    }

    /// Reads a stored row and checks the signature. The heads are checked by whoever knows those before: [`crate::history`].
    pub(crate) fn decode(bytes: &[u8], key: &PublicKey) -> Result<Self, Wrong> {
        let (whole, mut from) = match bytes.split_first() {
            Some((&CHANGED, rest)) => (false, Decoder(rest)),
            _ => (true, Decoder(bytes)),
        };
        let length = usize::try_from(from.word()?).unwrap_or(usize::MAX);
        let note = std::str::from_utf8(from.take(length)?).map_err(|_| Wrong::Format("a checkpoint"))?;
        let statement = Statement::open(note, key)?;
        let heads = if whole { Beside::Whole(all(from)?) } else { Beside::Changed(changed(from)?) };
        Ok(Self { statement, heads, note: note.to_owned() })
    }

    /// SHA-256 of the note, which the next checkpoint holds.
    #[must_use]
    pub(crate) fn digest(&self) -> Digest {
        sha256(&[self.note.as_bytes()])
    }
}

fn all(mut from: Decoder<'_>) -> Result<Vec<ChainHead>, Wrong> {
    let mut heads: Vec<ChainHead> = Vec::new();
    while !from.0.is_empty() {
        let head = ChainHead::decode(&mut from)?;
        if heads.last().is_some_and(|before| before.tenant >= head.tenant) {
            return Err(Wrong::Format("heads out of order"));
        }
        heads.push(head);
    }
    Ok(heads)
}

fn changed(mut from: Decoder<'_>) -> Result<Vec<(u64, ChainHead)>, Wrong> {
    let mut heads: Vec<(u64, ChainHead)> = Vec::new();
    while !from.0.is_empty() {
        let (place, head) = (from.long()?, ChainHead::decode(&mut from)?);
        if heads.last().is_some_and(|(before, _)| *before >= place) {
            return Err(Wrong::Format("heads out of order"));
        }
        heads.push((place, head));
    }
    Ok(heads)
}

/// Whether leaves of a group written at `now` need a new checkpoint beside them, when the last one was signed at `last`. The
/// verification holds the same rule, so a checkpoint that was taken away leaves a gap that is seen.
pub(crate) fn due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now < last || now.since(last).as_millis() >= u128::from(EVERY))
}

/// Whether a checkpoint of `now` takes the place of the one of `last`, beside which so many heads stand: old ones are kept once a minute, and
/// more often where much changes, so that none has to be written again with many heads.
pub(crate) const fn replaces(last: Timestamp, now: Timestamp, heads: usize) -> bool {
    last.millis() / MINUTE == now.millis() / MINUTE && heads < FEW
}

fn number(text: &str) -> Result<u64, Wrong> {
    text.parse().map_err(|_| Wrong::Format("a number"))
}

fn digest(text: &str) -> Result<Digest, Wrong> {
    let bytes = from_base64(text).map_err(|_| Wrong::Format("a hash"))?;
    bytes.try_into().map_err(|_| Wrong::Format("a hash"))
}

/// With more chains than this behind the last checkpoint the next group brings one.
pub(crate) const MOST_BEHIND: usize = 512;
/// Milliseconds between checkpoints under load.
pub(crate) const EVERY: u64 = 1_000;
const MINUTE: u64 = 60_000;
/// So many heads beside a checkpoint, and the next one does not take its place.
const FEW: usize = 64;
/// The first byte of a row whose heads are those that changed.
const CHANGED: u8 = 1;
