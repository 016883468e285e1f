//! Capabilities with names: how many there are, and how they are forgotten.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

use evidence::CounterId;
use model::{CapabilityId, GrantId, TenantName, Timestamp};
use policy::{Counter, Named};
use store::Table;

use super::{Broker, Unsealed};
use crate::path::record::counted;

mod read;

impl Broker {
    /// When what is long over was last looked for.
    pub(crate) fn last_cleanup(&self) -> Option<Timestamp> {
        let at = self.cleaned.load(Ordering::Relaxed);
        (at != 0).then(|| Timestamp::from_millis(at))
    }

    /// How many capabilities with names are kept.
    #[must_use]
    pub fn known_capabilities(&self) -> usize {
        self.grants.tally(self.now()).total
    }

    /// Forgets capabilities that were over for longer than lists keep them, a bounded number at a time, and then the counters of
    /// their uses: not before, as who could still use one would begin anew. Blocks.
    pub(super) fn forget_old(&self, unsealed: &Unsealed) {
        let (now, keep) = (self.now(), self.agent().config.retention.max(LEAST_KEPT));
        let before = self.cleaned.swap(now.millis(), Ordering::Relaxed);
        if now.since(Timestamp::from_millis(before)) < CLEANING {
            self.cleaned.store(before, Ordering::Relaxed);
            return;
        }
        let long_ago = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        let old = self.long_over(Timestamp::from_millis(now.millis().saturating_sub(long_ago)));
        for old in old.rchunks(PAGE) {
            let mut batch = store::Batch::new();
            let mut counters = BTreeMap::<&TenantName, Vec<CounterId>>::new();
            for Old { id, tenant, counter } in old {
                batch = batch.delete(Table::Grants, tenant, id.to_string().as_bytes());
                counters.entry(tenant).or_default().extend(counter);
            }
            if let Err(error) = self.storage().commit(&batch) {
                // They stay listed; the next time may go better.
                tracing::warn!(%error, "capabilities that are long over could not be removed");
                return;
            }
            let ids: Vec<CapabilityId> = old.iter().map(|old| old.id).collect();
            self.grants.forget_named(&ids);
            counters
                .into_iter()
                .for_each(|(tenant, counters)| self.forget_counters(unsealed, tenant, counters));
        }
    }

    /// Capabilities with names that are over, with their counters. None before those that come from it: whose line is not whole
    /// has no counter that can be told.
    fn long_over(&self, until: Timestamp) -> Vec<Old> {
        let ended = self.grants.ended(until, MOST_FORGOTTEN).into_iter();
        let old = ended.filter_map(|id| {
            let named = self.grants.named(id)?;
            Some(Old { id, counter: self.counter_of(&named), tenant: named.tenant })
        });
        let mut old: Vec<Old> = old.collect();
        let mut going: HashSet<CapabilityId> = old.iter().map(|old| old.id).collect();
        // Children were made later, so from the end on each is decided before those that it comes from.
        for Old { id, .. } in old.iter().rev() {
            if self.grants.children(*id).iter().any(|child| !going.contains(child)) {
                going.remove(id);
            }
        }
        old.retain(|old| going.contains(&old.id));
        old
    }

    /// Where the uses of a capability with a name are counted.
    fn counter_of(&self, named: &Named) -> Option<CounterId> {
        let root = match named.parent {
            None => named.id,
            Some(_) => self.grants.lineage(named.id)?.first()?.id,
        };
        Some(counted(Counter::Narrowing(GrantId::from_bytes(root.to_bytes()), named.id)))
    }

    /// Removes counters of uses of what was forgotten. Blocks. Where it fails they stay, which costs room and nothing else.
    pub(super) fn forget_counters(&self, unsealed: &Unsealed, tenant: &TenantName, counters: Vec<CounterId>) {
        let (Some(lane), Ok(runtime)) = (unsealed.lane(0), tokio::runtime::Handle::try_current()) else {
            return;
        };
        if counters.is_empty() {
            return;
        }
        if let Err(error) = runtime.block_on(lane.forget(tenant.clone(), counters)) {
            tracing::warn!(%error, "counters of what is long over could not be removed");
        }
    }
}

/// One that is to be forgotten.
struct Old {
    id: CapabilityId,
    tenant: TenantName,
    counter: Option<CounterId>,
}

const PAGE: usize = 1_000;
/// How long what is over is kept at least: a clock that is set back a little, or a call that takes long, must not find it anew.
const LEAST_KEPT: std::time::Duration = std::time::Duration::from_secs(3_600);
/// Time between two looks for what is long over.
const CLEANING: std::time::Duration = std::time::Duration::from_secs(60);
/// Most that are forgotten at once, so that nobody waits long for the database.
const MOST_FORGOTTEN: usize = 20_000;
