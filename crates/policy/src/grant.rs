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
use crate::table::Table;

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
}

impl Grants {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: Table::new(), revoked: Table::new() }
    }

    /// The grant with this id.
    #[must_use]
    pub fn find(&self, id: GrantId) -> Option<Arc<Grant>> {
        self.rows.find(&id)
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
        ids.any(|id| self.revoked.find(&id).is_some())
    }

    /// The first of these narrowings that was revoked.
    pub(crate) fn first_revoked(&self, ids: impl Iterator<Item = CapabilityId>) -> Option<CapabilityId> {
        ids.into_iter().find(|id| self.revoked.find(id).is_some())
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
