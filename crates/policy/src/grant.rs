//! Grants: the stored rows behind capabilities, and what was revoked, in memory.
//!
//! The broker loads them from the store and tells of each change; a decision reads them without waiting.
//!
//! # Invariants
//!
//! - What was revoked stays revoked for as long as this process lives, whatever is loaded later: a reload that read the
//!   store before a revocation can't undo it.
//! - A grant that is not here does not exist.

use std::collections::HashSet;
use std::sync::Arc;

use model::{CapabilityId, GrantId, PrincipalName, TenantName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::caveat::Caveat;
use crate::permit::Counter;
use crate::table::Table;

mod ledger;
mod named;

use ledger::Ledger;
pub use ledger::Tally;
pub use named::{Held, Named, NamedState};

/// The row behind a root capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Its id, which every token of it names.
    pub id: GrantId,
    /// The tenant.
    pub tenant: TenantName,
    /// The principal that it was given to, and in whose name its holders act.
    pub principal: PrincipalName,
    /// What it takes away, whatever its tokens say.
    pub caveats: Vec<Caveat>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends; `None` for one that is only ever revoked.
    pub expires: Option<Timestamp>,
    /// Whether it stands.
    pub state: GrantState,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub giver: Option<PrincipalName>,
}

/// Whether a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GrantState {
    /// It may be used.
    Active,
    /// It may be used again when somebody resumes it.
    Suspended,
    /// Over, for good.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
}

/// All grants, and the narrowings that were revoked.
pub struct Grants {
    rows: Table<GrantId, Grant>,
    revoked: Table<CapabilityId, ()>,
    named: Ledger,
}

impl Grants {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: Table::new(), revoked: Table::new(), named: Ledger::default() }
    }

    /// The grant with this id. That of a capability with a name has the same 26 characters.
    #[must_use]
    pub fn find(&self, id: GrantId) -> Option<Arc<Grant>> {
        self.rows.find(&id).or_else(|| {
            let named = self.named(CapabilityId::from_bytes(id.to_bytes()))?;
            named.grant().map(Arc::new)
        })
    }

    /// Adds or replaces a grant. One that was revoked stays so.
    pub fn put(&self, grant: Grant) {
        let (id, grant) = (grant.id, Arc::new(grant));
        self.rows.change(&id, |known| {
            let over = known.filter(|known| matches!(known.state, GrantState::Revoked { .. }));
            Some(Arc::clone(over.unwrap_or(&grant)))
        });
    }

    /// Replaces everything by what the store holds. What was revoked here stays revoked.
    pub fn replace(
        &self,
        grants: impl IntoIterator<Item = Grant>,
        revoked: impl IntoIterator<Item = CapabilityId>,
    ) {
        revoked.into_iter().for_each(|narrowing| self.revoke_narrowing(narrowing));
        let mut loaded = HashSet::new();
        for grant in grants {
            loaded.insert(grant.id);
            self.put(grant);
        }
        self.rows.retain(|id| loaded.contains(id));
    }

    /// Revokes a grant with all its narrowings.
    pub fn revoke(&self, id: GrantId, at: Timestamp) {
        self.rows.change(&id, |known| {
            let mut grant = Grant::clone(known?);
            if !matches!(grant.state, GrantState::Revoked { .. }) {
                grant.state = GrantState::Revoked { at };
            }
            Some(Arc::new(grant))
        });
    }

    /// Revokes one narrowing and all below it.
    pub fn revoke_narrowing(&self, id: CapabilityId) {
        self.revoked.change(&id, |_| Some(Arc::new(())));
    }

    /// Every grant, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Grant>> {
        self.rows.all()
    }

    /// Whether one of these narrowings was revoked; for display, where no proof is needed.
    #[must_use]
    pub fn any_revoked(&self, mut ids: impl Iterator<Item = CapabilityId>) -> bool {
        ids.any(|id| self.is_revoked(id))
    }

    /// The first of these narrowings that was revoked.
    pub(crate) fn first_revoked(&self, ids: impl Iterator<Item = CapabilityId>) -> Option<CapabilityId> {
        ids.into_iter().find(|id| self.is_revoked(*id))
    }

    fn is_revoked(&self, id: CapabilityId) -> bool {
        let named = || self.named.state(id).is_some_and(|state| state != NamedState::Active);
        self.revoked.find(&id).is_some() || named()
    }

    // === capabilities with names ===

    /// The capability with this name.
    #[must_use]
    pub fn named(&self, id: CapabilityId) -> Option<Named> {
        self.named.find(id)
    }

    /// The capability with this name, behind those that it comes from; `None` where one of them is not there.
    #[must_use]
    pub fn lineage(&self, id: CapabilityId) -> Option<Vec<Named>> {
        let mut line = vec![self.named.find(id)?];
        while let Some(parent) = line.last().and_then(|last| last.parent) {
            // A token holds no more narrowings than this.
            if line.len() == LONGEST_LINE {
                return None;
            }
            line.push(self.named.find(parent)?);
        }
        line.reverse();
        Some(line)
    }

    /// Adds a capability with a name. One that was revoked stays so.
    ///
    /// # Errors
    /// When it doesn't fit into what is kept of one.
    pub fn name(&self, named: &Named) -> Result<(), crate::Error> {
        self.named.put(named)
    }

    /// Revokes a capability with a name and all that is known to come from it; says which.
    pub fn revoke_named(&self, id: CapabilityId, at: Timestamp) -> Vec<CapabilityId> {
        self.named.revoke(id, at)
    }

    /// Those that are known to come directly from a capability with a name.
    #[must_use]
    pub fn children(&self, id: CapabilityId) -> Vec<CapabilityId> {
        self.named.children(id)
    }

    /// Forgets capabilities with names.
    pub fn forget_named(&self, ids: &[CapabilityId]) {
        self.named.forget(ids);
    }

    /// Notes uses that were counted, for [`Named::used`]. The count that decides is the one beside the evidence.
    pub fn note_uses(&self, counters: impl Iterator<Item = Counter>, change: Change) {
        for counter in counters {
            if let Counter::Narrowing(_, id) = counter {
                self.named.note_use(id, change);
            }
        }
    }

    /// Sets what [`Named::used`] says, as it was counted beside the evidence.
    pub fn set_used(&self, id: CapabilityId, used: u32) {
        self.named.set_used(id, used);
    }

    /// At most `most` capabilities with names behind `after`, in the order of their making.
    #[must_use]
    pub fn named_after(&self, after: Option<CapabilityId>, most: usize) -> Vec<Named> {
        self.named.page(after, most)
    }

    /// At most `most` capabilities with names that ended at this time or before: those made last, in the order of their making, so
    /// that none is among them before what comes from it.
    #[must_use]
    pub fn ended(&self, until: Timestamp, most: usize) -> Vec<CapabilityId> {
        self.named.ended(until, most)
    }

    /// How many there are.
    #[must_use]
    pub fn tally(&self, now: Timestamp) -> Tally {
        self.named.tally(now)
    }
}

/// What happened to a count of uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One was taken.
    Taken,
    /// One was given back.
    GivenBack,
}

/// The most narrowings of one token.
const LONGEST_LINE: usize = 32;

impl Default for Grants {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
