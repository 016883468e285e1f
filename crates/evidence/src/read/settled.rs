//! Calls in the order in which they ended, from a place in the chain on: for whoever is told of each, once it is signed.
//!
//! Which chains grew say the checkpoints, so that following all of them costs what changed and not what there is.

use std::collections::HashMap;

use crypto::{Digest, sha256};
use model::{TenantName, Timestamp};
use store::{Row, Table};

use super::{Reader, WINDOW, number};
use crate::checkpoint::Beside;
use crate::{At, Error, Event, Intent, Outcome, Refused, Wrong, standing};

/// A checkpoint, as whoever follows them sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub number: u64,
    /// SHA-256 of its row: the last checkpoint is written again under the same number, see [`crate::Statement::number`].
    pub digest: Digest,
    row: Row,
}

/// A call that ended, or was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Where the record of that stands.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// What ended.
    pub what: EndedWhat,
}

/// What ended, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedWhat {
    /// A call, with what came of it.
    Call(Box<Intent>, Box<Outcome>),
    /// A call that was refused.
    Refused(Box<Refused>),
}

impl Reader {
    /// The last checkpoint; `None` before there is one.
    ///
    /// # Errors
    /// When the storage can't be read.
    pub fn newest(&self) -> Result<Option<Mark>, Error> {
        let last = self.storage.last(Table::Checkpoints, &TenantName::local()).map_err(Error::Read)?;
        Ok(last.map(Mark::of))
    }

    /// The first checkpoint whose number is at least this.
    ///
    /// # Errors
    /// When the storage can't be read.
    pub fn mark(&self, from: u64) -> Result<Option<Mark>, Error> {
        let after = from.checked_sub(1).map(u64::to_be_bytes);
        let after = after.as_ref().map(<[u8; 8]>::as_slice);
        let rows = self.storage.scan(Table::Checkpoints, &TenantName::local(), b"", after, 1);
        Ok(rows.map_err(Error::Read)?.into_iter().next().map(Mark::of))
    }

    /// The chains that grew up to this checkpoint since the one before, with their sizes. Its signature is checked.
    ///
    /// # Errors
    /// When it is not in the format, or was not signed with this key.
    pub fn grown(&self, mark: &Mark) -> Result<Vec<(TenantName, u64)>, Error> {
        let heads = match standing::read(&mark.row, &self.key)?.heads {
            Beside::Changed(heads) => heads.into_iter().map(|(_, head)| head).collect(),
            Beside::Whole(heads) => heads,
        };
        Ok(heads.into_iter().map(|head| (head.tenant, head.size)).collect())
    }

    /// What ended in the records from `from` on and before `size`, and where to go on. `from` is 0 or what this or [`Self::place_of`]
    /// gave before; `size` is one of [`Self::grown`]. It gives a part of a long chain: all of it was seen when the place is `size`.
    ///
    /// # Errors
    /// When the storage can't be read, or a record is not in the format, or settles a call that is not there.
    pub fn ended(&self, tenant: &TenantName, from: u64, size: u64) -> Result<(Vec<Ended>, u64), Error> {
        let leaves = self.between(tenant, from, from.saturating_add(WINDOW).min(size))?;
        let mut next = from;
        let mut found = Vec::new();
        let mut begun = HashMap::new();
        for leaf in leaves {
            next = leaf.seq.saturating_add(1);
            let what = match leaf.event {
                Event::Intent(intent) => {
                    begun.insert(leaf.seq, intent);
                    continue;
                }
                Event::Outcome(settles, outcome) => {
                    let intent = match begun.remove(&settles.intent) {
                        Some(intent) => intent,
                        None => self.intent(tenant, settles.intent)?,
                    };
                    EndedWhat::Call(intent, Box::new(outcome))
                }
                Event::Refused(refused) => EndedWhat::Refused(refused),
                // Nothing was done.
                Event::Answered(_) => continue,
                Event::Head(..) | Event::Close(..) => continue,
                Event::Started(_) | Event::Notice(_) | Event::Forgotten(_) => continue,
            };
            found.push(Ended { seq: leaf.seq, time: leaf.time, what });
        }
        Ok((found, next))
    }

    /// A place in the chain before which everything was written before `since`.
    ///
    /// # Errors
    /// When the storage can't be read, or a record is not in the format.
    pub fn place_of(&self, tenant: &TenantName, since: Timestamp) -> Result<u64, Error> {
        let Some(newest) = self.storage.last(Table::Evidence, tenant).map_err(Error::Read)? else {
            return Ok(0);
        };
        let mut high = number(&newest.key).saturating_add(1);
        while high > 0 {
            let low = high.saturating_sub(WINDOW);
            let leaves = self.between(tenant, low, high)?;
            if let Some(first) = leaves.first().filter(|first| first.time < since) {
                return Ok(first.seq);
            }
            high = low;
        }
        Ok(0)
    }

    /// The intent at a place. It may stand in the middle of a row, which begins before it.
    fn intent(&self, tenant: &TenantName, seq: u64) -> Result<Box<Intent>, Error> {
        let mut reach = WINDOW;
        loop {
            let low = seq.saturating_sub(reach);
            let leaves = self.between(tenant, low, seq.saturating_add(1))?;
            let found = leaves.into_iter().rev().find(|leaf| leaf.seq == seq).map(|leaf| leaf.event);
            match found {
                Some(Event::Intent(intent)) => return Ok(intent),
                None if low > 0 => reach = reach.saturating_mul(4),
                _ => return Err(super::damaged(At::Record(tenant.clone(), seq), Wrong::Unmatched)),
            }
        }
    }
}

impl Mark {
    fn of(row: Row) -> Self {
        Self { number: number(&row.key), digest: sha256(&[&row.value]), row }
    }
}
