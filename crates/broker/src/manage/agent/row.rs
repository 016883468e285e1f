//! The stored row of a capability with a name: JSON that any tool can read, and behind it a line with a MAC by a key of the
//! house, so that a row that somebody else wrote is not believed.

use crypto::MacKey;
use model::{CapabilityId, PrincipalName, TenantName, Timestamp};
use policy::files::{Action, ResourceName};
use policy::{Caveat, HolderIs, Named, NamedState, Reach};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Row as Stored, Step, Table};

/// What is kept of a capability with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) id: CapabilityId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<CapabilityId>,
    pub(crate) principal: PrincipalName,
    pub(crate) identity: String,
    /// How the name of the identity is known.
    pub(crate) identity_source: String,
    pub(crate) holder: HolderIs,
    pub(crate) bearer: bool,
    /// What it takes away, but for its end, its uses and its holder.
    pub(crate) caveats: Vec<Caveat>,
    pub(crate) issuer: String,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) uses: u32,
    /// The id of the request that it was made for.
    pub(crate) request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    /// What the caller said of it. Proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
    /// The constraints as they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) constraints: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<Revoked>,
}

/// That it is over, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoked {
    pub(crate) at: Timestamp,
    /// Who, as it was proven.
    pub(crate) by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// A row whose MAC is right, with it.
pub(crate) struct Authentic {
    pub(crate) row: Row,
    pub(crate) signature: String,
}

impl Row {
    /// The step that writes it, and its signature.
    pub(crate) fn step(&self, key: &MacKey, tenant: &TenantName) -> Option<(Step, String)> {
        let mut value = serde_json::to_vec(self).ok()?;
        let name = self.id.to_string();
        let tag =
            row_key(key).tag(&[DOMAIN, tenant.as_str().as_bytes(), b"\n", name.as_bytes(), b"\n", &value]);
        value.push(b'\n');
        value.extend_from_slice(crypto::to_hex(&tag).as_bytes());
        let row = Stored { key: name.into_bytes(), value };
        Some((Step::Put(Table::Grants, tenant.clone(), row), crypto::to_base64(&tag)))
    }

    /// A stored row, where it is ours.
    pub(crate) fn read(key: &MacKey, tenant: &TenantName, name: &[u8], value: &[u8]) -> Option<Authentic> {
        Self::read_by(&row_key(key), tenant, name, value)
    }

    /// The same by the key of such rows, which whoever reads many derives once.
    pub(crate) fn read_by(
        rows: &MacKey,
        tenant: &TenantName,
        name: &[u8],
        value: &[u8],
    ) -> Option<Authentic> {
        let cut = value.iter().rposition(|byte| *byte == b'\n')?;
        let (json, tail) = value.split_at_checked(cut)?;
        let tag = crypto::from_hex(std::str::from_utf8(tail.get(1..)?).ok()?).ok()?;
        let parts = [DOMAIN, tenant.as_str().as_bytes(), b"\n", name, b"\n", json];
        let _authentic = rows.verify(&parts, &tag).ok()?;
        let row: Self = serde_json::from_slice(json).ok()?;
        (row.id.to_string().as_bytes() == name).then(|| Authentic { row, signature: crypto::to_base64(&tag) })
    }

    /// What decisions need of it.
    pub(crate) fn named(&self, tenant: &TenantName, used: u32) -> Named {
        let state = match &self.revoked {
            Some(revoked) => NamedState::Revoked { at: revoked.at },
            None => NamedState::Active,
        };
        Named {
            id: self.id,
            tenant: tenant.clone(),
            principal: self.principal.clone(),
            identity: self.identity.as_str().into(),
            parent: self.parent,
            holder: self.holder.clone(),
            bearer: self.bearer,
            caveats: self.caveats.clone(),
            expires: self.expires,
            uses: self.uses,
            used,
            state,
        }
    }

    pub(crate) fn reach(&self) -> Option<&Reach> {
        reach(&self.caveats)
    }
}

/// What a capability reaches.
pub(crate) fn reach(caveats: &[Caveat]) -> Option<&Reach> {
    caveats.iter().find_map(|caveat| match caveat {
        Caveat::Reach(reach) => Some(reach),
        _ => None,
    })
}

/// The one word for a list of actions.
pub(crate) fn kind_of(actions: &[Action]) -> &'static str {
    let order = [Action::Admin, Action::Delete, Action::Write, Action::Execute];
    order.into_iter().find(|action| actions.contains(action)).unwrap_or(Action::Read).as_str()
}

/// Actions and resource of a capability; without a reach it has none.
pub(crate) fn reached(caveats: &[Caveat]) -> (Vec<Action>, Option<ResourceName>) {
    reach(caveats)
        .map_or((Vec::new(), None), |reach| (reach.actions().collect(), Some(reach.resource().clone())))
}

/// The key of such rows, from the root key of their tenant.
pub(crate) fn row_key(root: &MacKey) -> MacKey {
    root.derive("capability rows", b"")
}

const DOMAIN: &[u8] = b"doorward/capability-row/1\n";
/// What the keys of such rows begin with, in the table of grants.
pub(crate) const PREFIX: &[u8] = b"cap_";
