//! Verification of a whole storage: checkpoints first, then every chain, then what is kept beside them.

mod beside;

use std::collections::{BTreeMap, BTreeSet};

use crypto::{Digest, PublicKey};
use model::{TenantName, Timestamp};
use store::{Storage, Table};

use super::{Chain, Report};
use crate::checkpoint::{Beside, ChainHead, Checkpoint, due};
use crate::history::History;
use crate::log::decode_count;
use crate::resume;
use crate::{At, Finding, Wrong, leaf};

/// Verifies everything that a storage holds. `progress` is told how many records of how many have been seen.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn verify_store(
    storage: &dyn Storage,
    key: &PublicKey,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Finding> {
    let signed = checkpoints(storage, key)?;
    let unreadable = |_| Finding::new(At::Row(TenantName::local(), "evidence"), Wrong::Unreadable);
    let tenants = storage.tenants(Table::Evidence).map_err(unreadable)?;
    for tenant in signed.heads.keys() {
        if !tenants.contains(tenant) {
            return Err(Finding::new(At::Record(tenant.clone(), 0), Wrong::Cut));
        }
    }
    let total = signed.heads.values().filter_map(|heads| heads.last()).map(|head| head.size).sum();
    let mut report = Report { checkpoints: signed.count, signed_until: signed.time, ..Report::default() };
    let (mut ends, mut behind) = (BTreeMap::new(), BTreeSet::new());
    for tenant in tenants {
        let Some(heads) = signed.heads.get(&tenant) else {
            return Err(Finding::new(At::Record(tenant, 0), Wrong::Checkpoint));
        };
        let done = report.records;
        let (chain, at_last) =
            chain(storage, tenant.clone(), heads, signed.time, &mut |seen| progress(done + seen, total))?;
        uses(storage, &chain)?;
        if chain.unsigned() > 0 {
            behind.insert(tenant.clone());
        }
        ends.insert(tenant, at_last);
        report.add(&chain.walk, chain.unsigned());
    }
    strangers(storage, &signed)?;
    beside::check(storage, &signed, ends, &behind)?;
    Ok(report)
}

/// All checkpoints, checked against one another.
#[derive(Default)]
struct Signed {
    count: u64,
    time: Option<Timestamp>,
    /// The heads under which a chain had grown.
    heads: BTreeMap<TenantName, Vec<ChainHead>>,
    /// All heads under the last checkpoint.
    history: History,
    /// Whether that is of the form before.
    former: bool,
}

fn checkpoints(storage: &dyn Storage, key: &PublicKey) -> Result<Signed, Finding> {
    let home = TenantName::local();
    let mut signed = Signed::default();
    let mut previous = Digest::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let at = At::Checkpoint(signed.count);
        let rows = storage.scan(Table::Checkpoints, &home, b"", after.as_deref(), PAGE);
        let rows = rows.map_err(|_| Finding::new(at, Wrong::Unreadable))?;
        let Some(last) = rows.last() else { return Ok(signed) };
        after = Some(last.key.clone());
        for row in rows {
            let wrong = |wrong| Finding::new(At::Checkpoint(signed.count), wrong);
            if row.key != signed.count.to_be_bytes() {
                return Err(wrong(Wrong::Checkpoint));
            }
            let checkpoint = Checkpoint::decode(&row.value, key).map_err(wrong)?;
            let statement = &checkpoint.statement;
            if statement.number != signed.count || statement.previous != previous {
                return Err(wrong(Wrong::Checkpoint));
            }
            previous = checkpoint.digest();
            let stated = signed.history.take(&checkpoint).map_err(wrong)?;
            let grown = grown(&signed.heads, &signed.history, &stated).map_err(wrong)?;
            for head in grown {
                signed.heads.entry(head.tenant.clone()).or_default().push(head);
            }
            signed.former = matches!(checkpoint.heads, Beside::Whole(_));
            signed.time = Some(statement.time);
            signed.count += 1;
        }
    }
}

/// The heads of chains that grew since the checkpoint before. No chain shrinks, or changes without growing.
fn grown(
    before: &BTreeMap<TenantName, Vec<ChainHead>>,
    history: &History,
    stated: &[u64],
) -> Result<Vec<ChainHead>, Wrong> {
    let mut grown = Vec::new();
    for head in stated.iter().filter_map(|place| history.at(*place)) {
        match before.get(&head.tenant).and_then(|heads| heads.last()) {
            Some(last) if last.size == head.size => {
                if last != head {
                    return Err(Wrong::Tree);
                }
            }
            Some(last) if last.size > head.size => return Err(Wrong::Cut),
            _ => grown.push(head.clone()),
        }
    }
    Ok(grown)
}

/// What there is of a chain at its last head: subtrees and open intents.
type AtLast = (Vec<Digest>, resume::Open);

/// Walks one chain past its heads. Gives also its state at the last one.
fn chain(
    storage: &dyn Storage,
    tenant: TenantName,
    heads: &[ChainHead],
    signed: Option<Timestamp>,
    progress: &mut dyn FnMut(u64),
) -> Result<(Chain, AtLast), Finding> {
    let mut chain = Chain::new(tenant.clone());
    let mut heads = heads.iter().peekable();
    let mut state = AtLast::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let seq = chain.walk.size();
        let rows = storage.scan(Table::Evidence, &tenant, b"", after.as_deref(), PAGE);
        let rows = rows.map_err(|_| Finding::new(At::Record(tenant.clone(), seq), Wrong::Unreadable))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.key.clone());
        for row in rows {
            let wrong = |seq| {
                let tenant = tenant.clone();
                move |wrong| Finding::new(At::Record(tenant, seq), wrong)
            };
            let first = chain.walk.size();
            if row.key != first.to_be_bytes() || row.value.is_empty() {
                return Err(wrong(first)(Wrong::Sequence));
            }
            for record in leaf::rows(&row.value) {
                let seq = chain.walk.size();
                let leaf = record.and_then(|bytes| chain.walk.step(bytes)).map_err(wrong(seq))?;
                // Behind the last head there is nothing but what was not due to be signed.
                if heads.peek().is_none() && due(signed, leaf.time) {
                    return Err(wrong(seq)(Wrong::Checkpoint));
                }
            }
            let size = chain.walk.size();
            while let Some(head) = heads.next_if(|head| head.size <= size) {
                chain.head(head).map_err(wrong(size.saturating_sub(1)))?;
                let open = chain.walk.open.iter().map(|(seq, (id, stage))| (*seq, *id, *stage));
                state = (chain.walk.tree.nodes().to_vec(), open.collect());
            }
            progress(size);
        }
    }
    match heads.next() {
        Some(_) => Err(Finding::new(At::Record(tenant, chain.walk.size()), Wrong::Cut)),
        None => Ok((chain, state)),
    }
}

/// The counters of uses are what the intents have counted.
fn uses(storage: &dyn Storage, chain: &Chain) -> Result<(), Finding> {
    let tenant = &chain.walk.tenant;
    let wrong = |wrong| Finding::new(At::Row(tenant.clone(), "uses"), wrong);
    let mut seen = 0;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = storage.scan(Table::Uses, tenant, b"", after.as_deref(), PAGE);
        let rows = rows.map_err(|_| wrong(Wrong::Unreadable))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.key.clone());
        for row in rows {
            let counted = chain.walk.uses.get(row.key.as_slice());
            if counted.is_none() || decode_count(&row.value).as_ref() != counted {
                return Err(wrong(Wrong::State));
            }
            seen += 1;
        }
    }
    if seen == chain.walk.uses.len() { Ok(()) } else { Err(wrong(Wrong::State)) }
}

/// Tenants without a chain have no counters and no state, and only the house has checkpoints.
fn strangers(storage: &dyn Storage, signed: &Signed) -> Result<(), Finding> {
    let home = TenantName::local();
    for (table, what) in [(Table::Uses, "uses"), (Table::Checkpoints, "checkpoints")] {
        let tenants = storage.tenants(table);
        let tenants = tenants.map_err(|_| Finding::new(At::Row(home.clone(), what), Wrong::Unreadable))?;
        for tenant in tenants {
            let known = match table {
                Table::Checkpoints => tenant == home,
                _ => signed.heads.contains_key(&tenant),
            };
            if !known {
                return Err(Finding::new(At::Row(tenant, what), Wrong::State));
            }
        }
    }
    Ok(())
}

/// Rows that are read at once.
const PAGE: usize = 64;
