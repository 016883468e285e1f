//! The state from which the log goes on is the one at the last checkpoint, and nothing else stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use model::TenantName;
use store::{Storage, Table};

use super::{AtLast, Signed};
use crate::heads::Heads;
use crate::resume::{self, Resume, former};
use crate::{At, Finding, Wrong};

/// Rows by key.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Compares the rows of [`crate::resume`] with what they have to be. `ends` has every chain at its last head.
pub(super) fn check(
    storage: &dyn Storage,
    signed: &Signed,
    ends: BTreeMap<TenantName, AtLast>,
    behind: &BTreeSet<TenantName>,
) -> Result<(), Finding> {
    let home = TenantName::local();
    let wrong = |wrong| Finding::new(At::Row(home.clone(), "state of the log"), wrong);
    let mut found = rows(storage, &home)?;
    if signed.former {
        let row = found.remove(former::KEY).and_then(|row| former::Resume::decode(&row).ok());
        let chains = ends.into_iter().map(|(tenant, (nodes, open))| former::Chain { tenant, nodes, open });
        let expected = former::Resume { number: signed.count.saturating_sub(1), chains: chains.collect() };
        let same = row.as_ref() == Some(&expected) && found.is_empty();
        return if same { Ok(()) } else { Err(wrong(Wrong::State)) };
    }
    let open =
        ends.iter().filter(|(_, (_, open))| !open.is_empty()).map(|(tenant, _)| tenant.clone()).collect();
    let mut expected = of_the_house(signed, open);
    if !behind.is_empty() {
        expected.insert(resume::BEHIND.to_vec(), resume::encode_names(behind));
    }
    for (tenant, (nodes, open)) in ends {
        let Some((head, place)) = signed.history.of(&tenant) else { return Err(wrong(Wrong::State)) };
        let chain = resume::Chain { place, head: head.clone(), nodes, open }.encode();
        if tenant == home {
            expected.insert(resume::CHAIN.to_vec(), chain);
        } else if rows(storage, &tenant)? != Rows::from([(resume::CHAIN.to_vec(), chain)]) {
            return Err(Finding::new(At::Row(tenant, "state of the log"), Wrong::State));
        }
    }
    if found == expected { strangers(storage, signed) } else { Err(wrong(Wrong::State)) }
}

/// The rows of the house, but for its chain.
fn of_the_house(signed: &Signed, open: BTreeSet<TenantName>) -> Rows {
    let mut rows = Rows::new();
    let Some(number) = signed.count.checked_sub(1) else { return rows };
    let heads = signed.history.all();
    let mut tree = Heads::default();
    // Ascending places from the first one on are always taken.
    let _ = tree.set((0..).zip(heads.iter().map(crate::ChainHead::hash)));
    for (index, leaves) in tree.changed() {
        rows.insert(resume::tile(index), resume::encode_tile(leaves));
    }
    let (records, roots) = (heads.iter().map(|head| head.size).sum(), tree.roots().to_vec());
    let resume = Resume { number, records, count: tree.count(), roots, open };
    rows.insert(resume::HEADS.to_vec(), resume.encode());
    rows
}

/// A tenant without a chain has no state.
fn strangers(storage: &dyn Storage, signed: &Signed) -> Result<(), Finding> {
    let home = TenantName::local();
    let wrong = |tenant, wrong| Finding::new(At::Row(tenant, "state of the log"), wrong);
    let tenants = storage.tenants(Table::Meta).map_err(|_| wrong(home.clone(), Wrong::Unreadable))?;
    for tenant in tenants.into_iter().filter(|tenant| *tenant != home && signed.history.of(tenant).is_none())
    {
        if !rows(storage, &tenant)?.is_empty() {
            return Err(wrong(tenant, Wrong::State));
        }
    }
    Ok(())
}

fn rows(storage: &dyn Storage, tenant: &TenantName) -> Result<Rows, Finding> {
    let mut rows = Rows::new();
    let read = store::each(storage, tenant, (Table::Meta, resume::PREFIX), &mut |row| {
        rows.insert(row.key, row.value);
        Ok(())
    });
    read.map_err(|_| Finding::new(At::Row(tenant.clone(), "state of the log"), Wrong::Unreadable))?;
    Ok(rows)
}
