//! One record of a chain: version, kind, tenant, sequence number, time, hash of the record before, event.

use crypto::Digest;
use model::{TenantName, Timestamp};

use crate::codec::{Decoder, Encoder};
use crate::event::Said;
use crate::{Event, Kind, Wrong, tree};

/// A record as it was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The tenant in whose chain it stands.
    pub tenant: TenantName,
    /// Its place in the chain and in the tree, counted from 0.
    pub seq: u64,
    /// When its group was written.
    pub time: Timestamp,
    /// The hash of the record before; zeros for the first.
    pub before: Digest,
    /// What happened.
    pub event: Event,
}

/// The head of a record. The event follows.
pub(crate) struct Head<'a> {
    pub(crate) kind: Kind,
    pub(crate) tenant: &'a TenantName,
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) before: &'a Digest,
}

impl Head<'_> {
    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        let mut to = Encoder(to);
        to.byte(VERSION);
        to.byte(self.kind as u8);
        to.name(self.tenant.as_str());
        to.long(self.seq);
        to.long(self.time.millis());
        to.fixed(self.before);
    }
}

/// A record whose event is bytes still.
pub(crate) struct Raw<'a> {
    pub(crate) kind: Kind,
    pub(crate) tenant: TenantName,
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) before: Digest,
    pub(crate) body: &'a [u8],
}

impl<'a> Raw<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Wrong> {
        let mut from = Decoder(bytes);
        if from.byte()? != VERSION {
            return Err(Wrong::Format("an unknown version"));
        }
        Ok(Self {
            kind: Kind::decode(from.byte()?)?,
            tenant: from.name()?,
            seq: from.long()?,
            time: Timestamp::from_millis(from.long()?),
            before: from.fixed()?,
            body: from.0,
        })
    }

    pub(crate) fn whole(self) -> Result<Leaf, Wrong> {
        let event = Event::decode(self.kind, &self.tenant, self.body)?;
        Ok(Leaf { tenant: self.tenant, seq: self.seq, time: self.time, before: self.before, event })
    }
}

impl Leaf {
    /// Reads a record.
    ///
    /// # Errors
    /// When it is not in the format.
    pub fn decode(bytes: &[u8]) -> Result<Self, Wrong> {
        Raw::decode(bytes)?.whole()
    }

    /// The record as fields for people.
    #[must_use]
    pub fn said(&self) -> Said {
        let mut said = Said::default();
        said.text("kind", self.event.kind().as_str());
        said.text("time", &self.time);
        self.event.say(&mut said);
        said
    }
}

/// The records of one stored row, each behind its length in four bytes.
pub(crate) fn rows(value: &[u8]) -> impl Iterator<Item = Result<&[u8], Wrong>> {
    let mut from = Decoder(value);
    std::iter::from_fn(move || {
        if from.0.is_empty() {
            return None;
        }
        let next = from.word().and_then(|length| from.take(usize::try_from(length).unwrap_or(usize::MAX)));
        if next.is_err() {
            from = Decoder(&[]);
        }
        Some(next)
    })
}

/// The hash of a record, in the chain and in the tree.
pub(crate) fn hash(bytes: &[u8]) -> Digest {
    tree::leaf_hash(bytes)
}

const VERSION: u8 = 1;
