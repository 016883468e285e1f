//! Where a log goes on when it is opened: the last checkpoint, what stands behind it, and what is open.
//!
//! # Invariants
//!
//! - Nothing is signed again that was not checked: subtrees give the signed roots, and what was written after the checkpoint
//!   continues the chain that was signed.

use std::sync::Weak;

use crypto::PublicKey;
use model::TenantName;
use store::{Storage, Table};

use super::state::{Chain, Last, Mark, Open, State};
use crate::checkpoint::{ChainHead, Checkpoint};
use crate::resume::{self, Resume};
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
            None => Ok(state),
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
    let wrong = |wrong| damaged(At::Row(home.clone(), "state of the log"), wrong);
    let bytes = storage.get(Table::Meta, &home, resume::KEY).map_err(Error::Read)?;
    let resume = Resume::decode(&bytes.ok_or_else(|| wrong(Wrong::State))?).map_err(wrong)?;
    if resume.number != number || resume.chains.len() != checkpoint.heads.len() {
        return Err(wrong(Wrong::State));
    }
    for (head, chain) in checkpoint.heads.iter().zip(resume.chains) {
        let walk = begin(head, chain).ok_or_else(|| wrong(Wrong::State))?;
        let walk = follow(storage, walk)?;
        take(&mut state, head, walk);
    }
    state.last = Some(Last {
        number,
        time: checkpoint.statement.time,
        digest: checkpoint.digest(),
        previous: checkpoint.statement.previous,
        ours: false,
    });
    Ok(state)
}

/// The chain as it was at the checkpoint; `None` when the stored state does not give the signed head.
fn begin(head: &ChainHead, chain: resume::Chain) -> Option<Walk> {
    let tree = Compact::of(head.size, chain.nodes)?;
    if chain.tenant != head.tenant || tree.root() != head.root {
        return None;
    }
    let mut walk = Walk::new(chain.tenant);
    (walk.tree, walk.last) = (tree, head.last);
    walk.open = chain.open.into_iter().map(|(seq, id, stage)| (seq, (id, stage))).collect();
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

fn take(state: &mut State, head: &ChainHead, walk: Walk) {
    let signed = Mark { size: head.size, nth: head.nth };
    let Walk { tenant, last, tree, open, .. } = walk;
    for (seq, (id, stage)) in open {
        let (tenant, uses, held) = (tenant.clone(), Vec::new(), Weak::new());
        let open = Open { tenant, seq, stage, uses, held, swept: false };
        state.open.insert(id, open);
    }
    state.chains.insert(tenant, Chain { last, tree, signed, base: signed, draft: None });
}

fn damaged(at: At, wrong: Wrong) -> Error {
    Error::Damaged(Box::new(Finding::new(at, wrong)))
}

/// Rows that are read at once.
const PAGE: usize = 64;
