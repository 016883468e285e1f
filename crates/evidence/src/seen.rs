//! What a home remembers of its evidence in another place, so that an end that was cut off is found.
//!
//! Whoever can write the files can take away the newest of them, and what is left verifies. So the home's own rows say which
//! checkpoint was seen last and how many records it had signed; evidence that ends before that is not opened. It finds what was
//! lost or taken on one machine. Whoever can put the rows back as well is found by a checkpoint that somebody else keeps.

use crypto::{Digest, PublicKey};
use model::{TenantName, Timestamp};
use store::{Storage, Table};

use crate::checkpoint::{Beside, Checkpoint};
use crate::codec::{Decoder, Encoder};
use crate::{Error, Wrong, resume, standing};

/// A checkpoint that was there, and how much it had signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub number: u64,
    /// How many records of all chains were signed.
    pub records: u64,
    /// When it was signed.
    pub time: Timestamp,
    /// SHA-256 of the note before it. A later checkpoint may take its place within a minute, and has the same one.
    previous: Digest,
}

/// Proof that evidence reaches as far as it was seen to. Only [`Seen::is_there`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Whole(());

impl Seen {
    /// The last checkpoint of a storage; `None` where nothing was signed yet.
    ///
    /// # Errors
    /// When the storage can't be read, or the last checkpoint does not fit this key or the rows beside it.
    pub fn newest(storage: &dyn Storage, key: &PublicKey) -> Result<Option<Self>, Error> {
        let newest = standing::newest(storage, key, |checkpoint| match &checkpoint.heads {
            Beside::Whole(heads) => Ok(Ok(heads.iter().map(|head| head.size).sum())),
            Beside::Changed(_) => Ok(resume::heads(storage, checkpoint)?.map(|(_, resume)| resume.records)),
        })?;
        Ok(newest.map(|(Checkpoint { statement, .. }, records)| {
            let (number, time, previous) = (statement.number, statement.time, statement.previous);
            Self { number, records, time, previous }
        }))
    }

    /// That what was seen is still there.
    ///
    /// # Errors
    /// [`Error::Ended`] where it is not; else as [`Self::newest`].
    pub fn is_there(&self, storage: &dyn Storage, key: &PublicKey) -> Result<Whole, Error> {
        let found = Self::newest(storage, key)?;
        let ended = || Error::Ended { seen: *self, found };
        let reaches = |now: &Self| now.number >= self.number && now.records >= self.records;
        let newest = found.filter(reaches).ok_or_else(ended)?;
        let previous = if newest.number == self.number {
            newest.previous
        } else {
            let number = self.number.to_be_bytes();
            let value =
                storage.get(Table::Checkpoints, &TenantName::local(), &number).map_err(Error::Read)?;
            let row = store::Row { key: number.to_vec(), value: value.ok_or_else(ended)? };
            standing::read(&row, key)?.statement.previous
        };
        // Another log under the same key has another history.
        if previous == self.previous { Ok(Whole(())) } else { Err(ended()) }
    }

    /// As bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * 3 + 32);
        let mut to = Encoder(&mut bytes);
        to.long(self.number);
        to.long(self.records);
        to.long(self.time.millis());
        to.fixed(&self.previous);
        bytes
    }

    /// What [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Wrong> {
        let mut from = Decoder(bytes);
        let (number, records) = (from.long()?, from.long()?);
        let (time, previous) = (Timestamp::from_millis(from.long()?), from.fixed()?);
        from.end()?;
        Ok(Self { number, records, time, previous })
    }
}

#[cfg(test)]
mod tests;
