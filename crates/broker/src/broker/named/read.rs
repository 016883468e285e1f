//! Reading capabilities with names from the storage: when the keys are there, for each row is proven ours by one of them.
//!
//! There may be a million, and nothing is answered before all are there. So while a page of them is proven and understood, by all cores, the
//! next one is read.

use std::collections::HashMap;
use std::sync::PoisonError;

use crypto::MacKey;
use evidence::CounterId;
use model::{CapabilityId, Code, Refusal, TenantName, Timestamp};
use policy::{Caveat, HolderIs, Named, NamedState};
use store::{Row as Stored, Storage, Table};

use super::PAGE;
use crate::broker::load::unreadable;
use crate::broker::{Broker, Unsealed, refused};
use crate::manage::agent::row::{PREFIX, Row, row_key};

impl Broker {
    /// Reads them once. A process that lives for one call does so only when a call asks for one. Blocks.
    pub(crate) fn read_named(&self, unsealed: &Unsealed) -> Result<(), Refusal> {
        let mut read = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if *read {
            return Ok(());
        }
        for tenant in self.storage().tenants(Table::Grants).map_err(|error| unreadable(&error))? {
            let Some(key) = unsealed.capability_root(&tenant) else { continue };
            self.read_all(&tenant, &row_key(&key))?;
            self.read_uses(&tenant)?;
        }
        *read = true;
        Ok(())
    }

    fn read_all(&self, tenant: &TenantName, key: &MacKey) -> Result<(), Refusal> {
        let storage = &**self.storage();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut rows = page(storage, tenant, None)?;
        while let Some(last) = rows.last() {
            let after = last.key.clone();
            let full = rows.len() == MOST_READ;
            let (next, named) = std::thread::scope(|scope| {
                let next = full.then(|| scope.spawn(|| page(storage, tenant, Some(&after))));
                let part = if full { rows.len().div_ceil(cores) } else { MOST_READ };
                let mut parts = rows.chunks(part);
                // The first part here: of few there is no other.
                let first = parts.next().unwrap_or_default();
                let rest: Vec<_> =
                    parts.map(|part| scope.spawn(move || self.understood(tenant, key, part))).collect();
                let mut named = self.understood(tenant, key, first);
                for part in rest {
                    named.extend(part.join().map_err(|_| broke_off())?);
                }
                let next = next.map(|next| next.join().map_err(|_| broke_off())?).transpose()?;
                Ok::<_, Refusal>((next.unwrap_or_default(), named))
            })?;
            for named in &named {
                let put = self.grants.name(named);
                put.map_err(|error| refused(&error, Code::SourceUnavailable, error.hint()))?;
            }
            rows = next;
        }
        Ok(())
    }

    fn understood(&self, tenant: &TenantName, key: &MacKey, rows: &[Stored]) -> Vec<Named> {
        let read = |row: &Stored| match Row::read_by(key, tenant, &row.key, &row.value) {
            Some(found) => Some(found.row.named(tenant, 0)),
            None => forged(self, tenant, &row.key),
        };
        rows.iter().filter_map(read).collect()
    }

    /// The uses that are counted beside the evidence, for answers.
    fn read_uses(&self, tenant: &TenantName) -> Result<(), Refusal> {
        let mut counts: HashMap<CounterId, u64> = HashMap::new();
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
                if let Some(used) = self.counter_of(named).and_then(|key| counts.get(&key)) {
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

fn page(storage: &dyn Storage, tenant: &TenantName, after: Option<&[u8]>) -> Result<Vec<Stored>, Refusal> {
    storage.scan(Table::Grants, tenant, PREFIX, after, MOST_READ).map_err(|error| unreadable(&error))
}

fn broke_off() -> Refusal {
    Refusal::new(Code::SourceUnavailable, "reading the capabilities broke off inside Doorward")
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

/// Rows that are read at once.
const MOST_READ: usize = 2_000;
