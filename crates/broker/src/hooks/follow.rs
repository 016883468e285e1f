//! Reads on in the evidence for a subscription: checkpoint after checkpoint, and of each only the chains that it saw grow.
//!
//! The last checkpoint is written again under its number while its minute lasts, with more heads. So one is left behind only when the
//! next one is there, and it is as it was when it was read.

use std::collections::BTreeMap;

use ::evidence::{Ended, Mark, Reader};
use model::{DeliveryId, Refusal, TenantName};

use super::known::Kept;
use super::rows::{self, Cursor, Delivery, InChain};
use super::{WAITING, events, unread};
use crate::sealed::Desk;

/// Where a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It has read everything.
    Newest,
    /// There is more, for another look.
    Behind,
}

/// Reads on, and writes what the subscription is to be told.
pub(super) fn on(desk: &Desk, reader: &Reader, kept: &mut Kept) -> Result<Place, Refusal> {
    let began = kept.number;
    let place = checkpoints(desk, reader, kept)?;
    if kept.number != began {
        let key = rows::cursor(kept.row.id);
        let held = desk.read::<Cursor>(&key)?.ok_or_else(rows::missing)?;
        desk.commit([desk.swap(&key, held, &Cursor { number: kept.number })?])?;
    }
    Ok(place)
}

fn checkpoints(desk: &Desk, reader: &Reader, kept: &mut Kept) -> Result<Place, Refusal> {
    for _ in 0..AT_ONCE {
        // In this order: what stands before one that is there does not change any more.
        let next = reader.mark(kept.number.saturating_add(1)).map_err(|error| unread(&error))?;
        let Some(mark) = reader.mark(kept.number).map_err(|error| unread(&error))? else {
            return Ok(Place::Newest);
        };
        if kept.seen != Some(mark.digest) {
            if !tell_of(desk, reader, kept, &mark)? {
                return Ok(Place::Behind);
            }
            kept.seen = Some(mark.digest);
        }
        match next {
            None => return Ok(Place::Newest),
            Some(next) => (kept.number, kept.seen) = (next.number, None),
        }
    }
    Ok(Place::Behind)
}

/// Reads the chains that a checkpoint saw grow. `false` where so much waits already that the rest has to.
fn tell_of(desk: &Desk, reader: &Reader, kept: &mut Kept, mark: &Mark) -> Result<bool, Refusal> {
    for (chain, size) in reader.grown(mark).map_err(|error| unread(&error))? {
        loop {
            if kept.waiting.len() >= WAITING {
                return Ok(false);
            }
            match read(desk, reader, kept, &chain, size) {
                Ok(true) => {}
                Ok(false) => break,
                // A chain that can't be read must not keep the others waiting: it is tried again when it has grown.
                Err(Unread::Chain(refusal)) => {
                    tracing::warn!(%chain, code = %refusal.code, why = %refusal.message, "a chain is not told to a webhook");
                    break;
                }
                Err(Unread::Rows(refusal)) => return Err(refusal),
            }
        }
    }
    Ok(true)
}

/// What can't be read: the evidence of one chain, or our own rows.
enum Unread {
    Chain(Refusal),
    Rows(Refusal),
}

/// Reads a part of a chain up to `size`. Whether there may be more.
fn read(
    desk: &Desk,
    reader: &Reader,
    kept: &mut Kept,
    chain: &TenantName,
    size: u64,
) -> Result<bool, Unread> {
    let unread = |error: &::evidence::Error| Unread::Chain(unread(error));
    let key = rows::in_chain(kept.row.id, chain);
    let (from, written) = match kept.places.get(chain) {
        Some(place) => *place,
        None => {
            let from = match desk.read::<InChain>(&key).map_err(Unread::Rows)? {
                Some(held) => held.row.next,
                None => reader.place_of(chain, kept.row.created).map_err(|error| unread(&error))?,
            };
            (from, from)
        }
    };
    if from >= size {
        return Ok(false);
    }
    let (ended, next) = reader.ended(chain, from, size).map_err(|error| unread(&error))?;
    let told: BTreeMap<DeliveryId, Delivery> =
        ended.iter().flat_map(|one| deliveries(kept, chain, one)).map(|one| (one.id, one)).collect();
    let far = next.saturating_sub(written) >= STRIDE;
    let written = if told.is_empty() && !far {
        written
    } else {
        write(desk, &key, &told, &InChain { chain: chain.clone(), next }).map_err(Unread::Rows)?;
        next
    };
    kept.waiting.extend(told.values().map(|one| (one.id, one.next)));
    if kept.places.len() >= REMEMBERED {
        // Read again from what is written down.
        kept.places.clear();
    }
    kept.places.insert(chain.clone(), (next, written));
    Ok(next > from)
}

/// Writes deliveries and the place behind them together.
fn write(
    desk: &Desk,
    key: &str,
    told: &BTreeMap<DeliveryId, Delivery>,
    place: &InChain,
) -> Result<(), Refusal> {
    let mut steps = Vec::new();
    for one in told.values() {
        let key = rows::delivery(one.webhook, one.id);
        // A restored home may read again what it was told to tell before.
        if desk.read::<Delivery>(&key)?.is_none() {
            steps.push(desk.insert(&key, one)?);
        }
    }
    steps.push(match desk.read::<InChain>(key)? {
        Some(held) => desk.swap(key, held, place)?,
        None => desk.insert(key, place)?,
    });
    desk.commit(steps)
}

/// What a subscription is told of something that ended, where it asked for that.
fn deliveries(kept: &Kept, chain: &TenantName, ended: &Ended) -> Vec<Delivery> {
    let hook = &kept.row;
    if ended.time < hook.created {
        return Vec::new();
    }
    let wanted = events::of(ended).into_iter().filter(|event| hook.wants(event.name));
    let told = wanted.filter_map(|event| {
        let about = format!("{}\0{chain}\0{}\0{}", hook.id, ended.seq, event.name);
        let digest = crypto::sha256(&[about.as_bytes()]);
        let id = DeliveryId::new(ended.time, *digest.first_chunk()?);
        let body = events::body(&event, chain, ended.time);
        Some(Delivery::new(id, hook.id, ended.time, event.name, body))
    });
    told.collect()
}

/// Checkpoints that are read for a subscription in one look.
const AT_ONCE: usize = 64;
/// Records of a chain that are read again at most, where memory and rows have to be made to agree.
const STRIDE: u64 = 4_096;
/// Chains whose places are in memory.
const REMEMBERED: usize = 20_000;
