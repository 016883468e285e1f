//! Which roles principals have: durable rows, and in memory for every decision.

use std::collections::BTreeSet;

use model::{Code, PrincipalName, Refusal, TenantName, Timestamp};
use policy::{DEVELOPMENT, Known, OWNER, PrincipalKind, ROLES};
use serde::{Deserialize, Serialize};
use store::{Batch, Record, Table};

use super::load::{PolicyRow, unreadable};
use super::{Broker, Unsealed, refused};

/// A principal as a row; the key is [`PREFIX`] and its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalRow {
    pub(crate) kind: PrincipalKind,
    pub(crate) roles: BTreeSet<String>,
    pub(crate) changed: Timestamp,
}

impl Record for PrincipalRow {
    const TABLE: Table = Table::Grants;
}

impl Broker {
    /// Reads the roles of all principals. Blocks.
    pub(super) fn read_roles(&self) -> Result<(), Refusal> {
        for tenant in self.storage().tenants(Table::Grants).map_err(|error| unreadable(&error))? {
            for (principal, row) in self.roles_of(&tenant)? {
                self.give_roles(&tenant, &principal, &row)?;
            }
        }
        Ok(())
    }

    /// The principals of a tenant that have roles. Blocks.
    pub(crate) fn roles_of(
        &self,
        tenant: &TenantName,
    ) -> Result<Vec<(PrincipalName, PrincipalRow)>, Refusal> {
        let rows = store::all_under::<PrincipalRow>(&**self.storage(), tenant, PREFIX.as_bytes());
        let rows = rows.map_err(|error| unreadable(&error))?;
        let named = rows.into_iter().map(|(key, row)| {
            let name = key.strip_prefix(PREFIX).unwrap_or_default().parse();
            name.map(|name| (name, row)).map_err(|error: model::ParseError| {
                Refusal::new(Code::SourceUnavailable, format!("a stored principal has no name: {error}"))
            })
        });
        named.collect()
    }

    /// Changes the roles of a principal; they hold from when they are durable. Blocks.
    ///
    /// # Errors
    /// What `change` refuses, a role that nothing knows, and what keeps the row from the disk.
    pub(crate) fn change_roles(
        &self,
        tenant: &TenantName,
        principal: &PrincipalName,
        change: impl FnOnce(&mut PrincipalRow) -> Result<(), Refusal>,
    ) -> Result<PrincipalRow, Refusal> {
        let _writing = self.writing();
        let key = format!("{PREFIX}{principal}");
        let known = store::get::<PrincipalRow>(&**self.storage(), tenant, &key);
        let mut row = known.map_err(|error| unreadable(&error))?.unwrap_or_default();
        change(&mut row)?;
        row.changed = self.now();
        // Before it is written: a row that can't be read would keep the broker from starting.
        let _ = Known::new(row.kind, row.roles.iter().map(String::as_str))
            .map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
        let batch = match row.roles.is_empty() {
            true => Batch::new().delete(PrincipalRow::TABLE, tenant, key.as_bytes()),
            false => store::put(Batch::new(), tenant, &key, &row).map_err(|error| unreadable(&error))?,
        };
        self.storage().commit(&batch).map_err(|error| unreadable(&error))?;
        self.give_roles(tenant, principal, &row)?;
        self.sessions().end_of(tenant, principal);
        // Roles are looked up at each call; a row that is left is removed with the next look.
        let _ = self.keep_sessions();
        Ok(row)
    }

    /// Refuses a role that no policy knows: a misspelt one would give nothing, and nobody would notice.
    pub(crate) fn known_role(&self, tenant: &TenantName, role: &str) -> Result<(), Refusal> {
        let reserved = |why: &str| Err(Refusal::new(Code::BadRequest, format!("the role `{role}` {why}")));
        if role == DEVELOPMENT {
            return reserved("is that of callers that nothing proves, and is given to nobody else");
        }
        if ROLES.iter().any(|(known, _)| *known == role) {
            return Ok(());
        }
        let wanted = format!("Role::\"{role}\"");
        let rows = store::all::<PolicyRow>(&**self.storage(), tenant).map_err(|error| unreadable(&error))?;
        if rows.iter().any(|(_, row)| row.text.contains(&wanted)) {
            return Ok(());
        }
        let known: Vec<&str> = ROLES.iter().map(|(known, _)| *known).collect();
        Err(Refusal::new(Code::BadRequest, format!("no policy knows the role `{role}`"))
            .hint(format!("one of {}, or one that a policy of yours names", known.join(", "))))
    }

    fn give_roles(
        &self,
        tenant: &TenantName,
        principal: &PrincipalName,
        row: &PrincipalRow,
    ) -> Result<(), Refusal> {
        let owns = *tenant == self.settings().tenant && principal == self.owner();
        let roles = row.roles.iter().map(String::as_str).chain(owns.then_some(OWNER));
        let kind = if owns { PrincipalKind::Person } else { row.kind };
        let known = Known::new(kind, roles)
            .map_err(|error| refused(&error, Code::SourceUnavailable, error.hint()))?;
        self.principals().put(tenant, principal, known);
        Ok(())
    }

    /// Forgets approvals that are long over. What can't be done now is done later. Blocks.
    pub(super) fn forget_approvals(&self, unsealed: &Unsealed) {
        let Ok(tenants) = self.storage().tenants(Table::Approvals) else { return };
        for tenant in tenants {
            let desk = crate::sealed::Desk::of(self, unsealed, &tenant);
            match crate::approval::forget_old(&desk, self.now()) {
                Ok(counters) => self.forget_counters(unsealed, &tenant, counters),
                Err(error) => tracing::warn!(%error, "approvals that are long over could not be removed"),
            }
            match crate::plan::forget_old(&desk, self.now()) {
                Ok(counters) => self.forget_counters(unsealed, &tenant, counters),
                Err(error) => tracing::warn!(%error, "plans that are long over could not be removed"),
            }
            if let Err(error) = crate::once::forget_old(&desk, self.now()) {
                tracing::warn!(%error, "answers that were kept for a day could not be removed");
            }
        }
    }
}

/// What the keys of principals begin with, in the table of grants.
const PREFIX: &str = "principal/";
