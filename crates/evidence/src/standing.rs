//! Where the log and a tenant stand under the last checkpoint, without reading those before.

use crypto::{Digest, PublicKey};
use model::TenantName;
use store::{Row, Storage, Table};

use crate::checkpoint::{Beside, ChainHead, Checkpoint};
use crate::history::History;
use crate::{At, Error, Finding, Wrong, resume};

/// The last checkpoint, and what it says of a tenant.
pub(crate) struct Last {
    pub(crate) checkpoint: Checkpoint,
    /// The tenant's head, its place, and the proof that it was signed; `None` where it has none yet.
    pub(crate) head: Option<Proven>,
}

/// A head, its place among all heads, and the way to their root.
type Proven = (ChainHead, u64, Vec<Digest>);

/// Reads it.
pub(crate) fn last(
    storage: &dyn Storage,
    tenant: &TenantName,
    key: &PublicKey,
) -> Result<Option<Last>, Error> {
    let newest = newest(storage, key, |checkpoint| under(storage, checkpoint, tenant))?;
    Ok(newest.map(|(checkpoint, head)| Last { checkpoint, head }))
}

/// The last checkpoint and what is read of the rows beside it. A log that writes meanwhile is read again: the rows belong to one
/// checkpoint, or what is read of them does not fit.
pub(crate) fn newest<T>(
    storage: &dyn Storage,
    key: &PublicKey,
    beside: impl Fn(&Checkpoint) -> Result<Result<T, Wrong>, store::Error>,
) -> Result<Option<(Checkpoint, T)>, Error> {
    let home = TenantName::local();
    let mut left = ATTEMPTS;
    loop {
        let Some(row) = storage.last(Table::Checkpoints, &home).map_err(Error::Read)? else {
            return Ok(None);
        };
        let checkpoint = read(&row, key)?;
        match beside(&checkpoint).map_err(Error::Read)? {
            Ok(read) => return Ok(Some((checkpoint, read))),
            Err(_) if left > 0 => left -= 1,
            Err(wrong) => return Err(damaged(At::Row(home, "state of the log"), wrong)),
        }
    }
}

fn under(
    storage: &dyn Storage,
    checkpoint: &Checkpoint,
    tenant: &TenantName,
) -> Result<Result<Option<Proven>, Wrong>, store::Error> {
    if let Beside::Whole(_) = checkpoint.heads {
        let mut history = History::default();
        return Ok(history.take(checkpoint).map(|_| history.prove(tenant)));
    }
    let mut heads = match resume::heads(storage, checkpoint)? {
        Ok((heads, _)) => heads,
        Err(wrong) => return Ok(Err(wrong)),
    };
    Ok(resume::read_chain(storage, &mut heads, tenant)?.map(|chain| {
        let resume::Chain { place, head, .. } = chain?;
        Some((head, place, heads.path(place)?))
    }))
}

/// A row of the table of checkpoints.
pub(crate) fn read(row: &Row, key: &PublicKey) -> Result<Checkpoint, Error> {
    let number = row.key.as_slice().try_into().map_or(u64::MAX, u64::from_be_bytes);
    Checkpoint::decode(&row.value, key).map_err(|wrong| damaged(At::Checkpoint(number), wrong))
}

fn damaged(at: At, wrong: Wrong) -> Error {
    Error::Damaged(Box::new(Finding::new(at, wrong)))
}

/// How often a log that writes meanwhile is read again.
const ATTEMPTS: u32 = 50;
