//! Where a log goes on when it is opened: the last checkpoint, what stands behind it, and what is open.
//!
//! A chain is read when something is written to it, or at once where it has open intents or grew behind the last checkpoint; so opening
//! does not grow with tenants.
//!
//! # Invariants
//!
//! - Nothing is signed again that was not checked: subtrees give the signed heads, heads the signed root, and what was written after the
//!   checkpoint continues the chain that was signed.

use std::collections::BTreeSet;
use std::sync::Weak;

use crypto::PublicKey;
use model::TenantName;
use store::{Storage, Table};

use super::state::{Chain, Last, Mark, Open, State};
use crate::checkpoint::{Beside, ChainHead, Checkpoint};
use crate::history::History;
use crate::resume::{self, former};
use crate::tree::Compact;
use crate::walk::Walk;
use crate::{At, Error, Finding, Wrong, leaf};

/// The state of the log in a storage.
pub(super) fn state(storage: &dyn Storage, key: &PublicKey) -> Result<State, Error> {
    let home = TenantName::local();
    let mut state = State::default();
    let Some(row) = storage.last(Table::Checkpoints, &home).map_err(Error::Read)? else {
        // Every chain is signed with its first group, so without a checkpoint there must be no chain.
        return match storage.tenants(Table::Evidence).map_err(Error::Read)?.into_iter().next() {
            None => {
                // So that a second log over the same storage finds its place taken.
                state.chains.insert(home, Chain::default());
                Ok(state)
            }
            Some(tenant) => Err(damaged(At::Row(tenant, "checkpoints"), Wrong::Checkpoint)),
        };
    };
    let number = row.key.as_slice().try_into().map(u64::from_be_bytes);
    let number = number.map_err(|_| damaged(At::Row(home.clone(), "checkpoints"), Wrong::Format("a key")))?;
    let at = || At::Checkpoint(number);
    let checkpoint = Checkpoint::decode(&row.value, key).map_err(|wrong| damaged(at(), wrong))?;
    if checkpoint.statement.number != number {
        return Err(damaged(at(), Wrong::Checkpoint));
    }
    state.last = Some(Last {
        number,
        time: checkpoint.statement.time,
        digest: checkpoint.digest(),
        previous: checkpoint.statement.previous,
        ours: false,
    });
    match &checkpoint.heads {
        Beside::Changed(_) => begin(&mut state, storage, &checkpoint)?,
        Beside::Whole(_) => begin_former(&mut state, storage, &checkpoint)?,
    }
    state.settled();
    Ok(state)
}

/// The tree of heads, and the chains that have to be looked at.
fn begin(state: &mut State, storage: &dyn Storage, checkpoint: &Checkpoint) -> Result<(), Error> {
    let home = TenantName::local();
    let (mut heads, resume) = resume::heads(storage, checkpoint).map_err(Error::Read)?.map_err(wrong)?;
    if let Some(last) = resume.count.checked_sub(1) {
        // Where the next chain begins.
        resume::read_tile(storage, &mut heads, last).map_err(Error::Read)?.map_err(wrong)?;
    }
    (state.heads, state.records) = (heads, resume.records);
    let behind = storage.get(Table::Meta, &home, resume::BEHIND).map_err(Error::Read)?;
    let behind = behind.map_or_else(|| Ok(BTreeSet::new()), |row| resume::decode_names(&row));
    state.behind = behind.map_err(wrong)?;
    // The chain of the house gets the first record of every log.
    let first: BTreeSet<TenantName> = state.behind.iter().cloned().chain(resume.open).chain([home]).collect();
    first.iter().try_for_each(|tenant| ready(state, storage, tenant))
}

/// Reads the end of a chain, where it was not read yet.
pub(super) fn ready(state: &mut State, storage: &dyn Storage, tenant: &TenantName) -> Result<(), Error> {
    if state.chains.contains_key(tenant) {
        return Ok(());
    }
    let read = resume::read_chain(storage, &mut state.heads, tenant).map_err(Error::Read)?;
    let Some(resume::Chain { place, head, nodes, open }) = read.map_err(wrong)? else {
        // A chain is signed with its first group, so one without a head has no records.
        return match storage.last(Table::Evidence, tenant).map_err(Error::Read)? {
            None => {
                state.chains.insert(tenant.clone(), Chain::default());
                Ok(())
            }
            Some(_) => Err(damaged(At::Record(tenant.clone(), 0), Wrong::Checkpoint)),
        };
    };
    let walk = walk(&head, nodes, open).ok_or_else(|| wrong(Wrong::State))?;
    let walk = follow(storage, walk)?;
    let behind = walk.size().saturating_sub(head.size);
    (state.records, state.counted) = (state.records + behind, state.counted + behind);
    take(state, (place, &head), walk);
    Ok(())
}

/// All chains at once, from the form before. The next checkpoint brings them into the later one.
fn begin_former(state: &mut State, storage: &dyn Storage, checkpoint: &Checkpoint) -> Result<(), Error> {
    let mut history = History::default();
    let number = checkpoint.statement.number;
    history.take(checkpoint).map_err(|wrong| damaged(At::Checkpoint(number), wrong))?;
    let bytes = storage.get(Table::Meta, &TenantName::local(), former::KEY).map_err(Error::Read)?;
    let resume = former::Resume::decode(&bytes.ok_or_else(|| wrong(Wrong::State))?).map_err(wrong)?;
    if resume.number != number || resume.chains.len() != history.all().len() {
        return Err(wrong(Wrong::State));
    }
    for ((place, head), chain) in (0..).zip(history.all()).zip(resume.chains) {
        let same = chain.tenant == head.tenant;
        let walk = walk(head, chain.nodes, chain.open).filter(|_| same).ok_or_else(|| wrong(Wrong::State))?;
        let walk = follow(storage, walk)?;
        state.records += walk.size();
        take(state, (place, head), walk);
    }
    state.former = state.chains.keys().cloned().collect();
    state.heads = history.into_tree();
    Ok(())
}

/// The chain as it was at the checkpoint; `None` when the stored state does not give the signed head.
fn walk(head: &ChainHead, nodes: Vec<crypto::Digest>, open: resume::Open) -> Option<Walk> {
    let tree = Compact::of(head.size, nodes)?;
    if tree.root() != head.root {
        return None;
    }
    let mut walk = Walk::new(head.tenant.clone());
    (walk.tree, walk.last) = (tree, head.last);
    walk.open = open.into_iter().map(|(seq, id, stage)| (seq, (id, stage))).collect();
    Some(walk)
}

/// Walks over what was written after the checkpoint.
fn follow(storage: &dyn Storage, mut walk: Walk) -> Result<Walk, Error> {
    let tenant = walk.tenant.clone();
    let at = |seq| At::Record(tenant.clone(), seq);
    let newest = storage.last(Table::Evidence, &tenant).map_err(Error::Read)?;
    let newest = newest.ok_or_else(|| damaged(at(0), Wrong::Cut))?;
    let signed = walk.size();
    if newest.key.as_slice() < signed.to_be_bytes().as_slice() {
        // Nothing was written since: the last record must be the one that was signed.
        let last = leaf::rows(&newest.value).last();
        let last = last.transpose().ok().flatten().map(leaf::hash);
        return if last == Some(walk.last) { Ok(walk) } else { Err(damaged(at(signed), Wrong::Cut)) };
    }
    loop {
        let after = walk.size().saturating_sub(1).to_be_bytes();
        let rows = storage.scan(Table::Evidence, &tenant, b"", Some(&after), PAGE).map_err(Error::Read)?;
        if rows.is_empty() {
            return Ok(walk);
        }
        for row in rows {
            if row.key != walk.size().to_be_bytes() {
                return Err(damaged(at(walk.size()), Wrong::Sequence));
            }
            for record in leaf::rows(&row.value) {
                let seq = walk.size();
                record.and_then(|bytes| walk.step(bytes)).map_err(|wrong| damaged(at(seq), wrong))?;
            }
        }
    }
}

fn take(state: &mut State, (place, head): (u64, &ChainHead), walk: Walk) {
    let signed = Mark { size: head.size, nth: head.nth };
    let Walk { tenant, last, tree, open, .. } = walk;
    for (seq, (id, stage)) in open {
        // One that is known is still held: the chain was read before, and forgotten.
        state.open.entry(id).or_insert_with(|| {
            let (tenant, uses, held) = (tenant.clone(), Vec::new(), Weak::new());
            Open { tenant, seq, stage, uses, held, swept: false }
        });
    }
    if tree.size() > signed.size {
        state.behind.insert(tenant.clone());
    }
    let (place, base, under) = (Some(place), signed, None);
    state.chains.insert(tenant, Chain { last, tree, place, signed, base, under, draft: None });
}

fn wrong(wrong: Wrong) -> Error {
    damaged(At::Row(TenantName::local(), "state of the log"), wrong)
}

fn damaged(at: At, wrong: Wrong) -> Error {
    Error::Damaged(Box::new(Finding::new(at, wrong)))
}

/// Rows that are read at once.
const PAGE: usize = 64;
