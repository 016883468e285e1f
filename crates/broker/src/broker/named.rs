//! Capabilities with names, read from the storage: when the keys are there, for each row is proven ours by one of them.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use model::{CapabilityId, GrantId, Refusal, TenantName, Timestamp};
use policy::{Caveat, HolderIs, Named, NamedState};
use store::Table;

use super::load::unreadable;
use super::{Broker, Unsealed};
use crate::manage::agent::row::{PREFIX, Row};
use crate::path::record::counted;

impl Broker {
    /// Reads them once. A process that lives for one call does so only when a call asks for one. Blocks.
    pub(crate) fn read_named(&self, unsealed: &Unsealed) -> Result<(), Refusal> {
        let mut read = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if *read {
            return Ok(());
        }
        let storage = &**self.storage();
        for tenant in storage.tenants(Table::Grants).map_err(|error| unreadable(&error))? {
            let Some(key) = unsealed.capability_root(&tenant) else { continue };
            let mut wrong = None;
            let each = store::each(storage, &tenant, (Table::Grants, PREFIX), &mut |stored| {
                let found = Row::read(&key, &tenant, &stored.key, &stored.value);
                let named = match found {
                    Some(found) => Some(found.row.named(&tenant, 0)),
                    None => forged(self, &tenant, &stored.key),
                };
                if let Some(named) = named
                    && let Err(error) = self.grants.name(&named)
                {
                    wrong = Some(super::refused(&error, model::Code::SourceUnavailable, error.hint()));
                }
                Ok(())
            });
            each.map_err(|error| unreadable(&error))?;
            if let Some(refusal) = wrong {
                return Err(refusal);
            }
            self.read_uses(&tenant)?;
        }
        *read = true;
        Ok(())
    }

    /// The uses that are counted beside the evidence, for answers.
    fn read_uses(&self, tenant: &TenantName) -> Result<(), Refusal> {
        let mut counts = std::collections::HashMap::new();
        store::each(&**self.evidence_storage(), tenant, (Table::Uses, b""), &mut |row| {
            if let (Ok(id), Ok(count)) = (<[u8; 16]>::try_from(row.key), <[u8; 8]>::try_from(row.value)) {
                counts.insert(id, u64::from_be_bytes(count));
            }
            Ok(())
        })
        .map_err(|error| unreadable(&error))?;
        if counts.is_empty() {
            return Ok(());
        }
        let mut after = None;
        loop {
            let page = self.grants.named_after(after, PAGE);
            after = page.last().map(|named| named.id);
            for named in page.iter().filter(|named| named.tenant == *tenant) {
                let Some(line) = self.grants.lineage(named.id) else { continue };
                let Some(root) = line.first() else { continue };
                let grant = GrantId::from_bytes(root.id.to_bytes());
                let key = counted(policy::Counter::Narrowing(grant, named.id));
                if let Some(used) = counts.get(&key) {
                    let used = u32::try_from(*used).unwrap_or(u32::MAX);
                    self.grants.set_used(named.id, used);
                }
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }
}

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

    /// Forgets capabilities that were over for longer than lists keep them, a bounded number at a time. Blocks.
    pub(super) fn forget_old(&self) {
        let (now, keep) = (self.now(), self.agent().config.retention);
        let before = self.cleaned.swap(now.millis(), Ordering::Relaxed);
        if now.since(Timestamp::from_millis(before)) < CLEANING {
            self.cleaned.store(before, Ordering::Relaxed);
            return;
        }
        let (mut after, mut left) = (None, MOST_FORGOTTEN);
        while left > 0 {
            let page = self.grants.named_after(after, PAGE);
            after = page.last().map(|named| named.id);
            let old: Vec<&Named> =
                page.iter().filter(|named| named.expires.after(keep) <= now).take(left).collect();
            left -= old.len();
            let mut batch = store::Batch::new();
            for named in &old {
                batch = batch.delete(Table::Grants, &named.tenant, named.id.to_string().as_bytes());
            }
            if !batch.is_empty() {
                if let Err(error) = self.storage().commit(&batch) {
                    // They stay listed; the next time may go better.
                    tracing::warn!(%error, "capabilities that are long over could not be removed");
                    return;
                }
                let ids: Vec<CapabilityId> = old.iter().map(|named| named.id).collect();
                self.grants.forget_named(&ids);
            }
            if page.len() < PAGE {
                return;
            }
        }
    }
}

/// What stands for a row that somebody else wrote: its name, so that it is not unknown, and nothing that could be used.
fn forged(broker: &Broker, tenant: &TenantName, key: &[u8]) -> Option<Named> {
    let id: CapabilityId = std::str::from_utf8(key).ok()?.parse().ok()?;
    tracing::error!(capability = %id, "the stored row of a capability was changed by somebody else");
    Some(Named {
        id,
        tenant: tenant.clone(),
        principal: broker.owner.clone(),
        identity: "".into(),
        parent: None,
        // Whose it was, only the row said; the owner is told.
        holder: HolderIs::new(Some(broker.settings.owner_uid), None, None).ok()?,
        bearer: false,
        caveats: Vec::<Caveat>::new(),
        expires: Timestamp::from_millis(0),
        uses: 0,
        used: 0,
        state: NamedState::Forged,
    })
}

const PAGE: usize = 1_000;
/// Time between two looks for what is long over.
const CLEANING: std::time::Duration = std::time::Duration::from_secs(60);
/// Most that are forgotten at once, so that nobody waits long for the database.
const MOST_FORGOTTEN: usize = 20_000;
