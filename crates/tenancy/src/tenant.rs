//! What is known of a tenant.

use model::{Code, Refusal, TenantName, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Record, Table};

/// A tenant as a row; it stays when the tenant is erased, so that its name and its chain are never given to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantRow {
    /// What it may have.
    pub plan: Plan,
    /// When it was made.
    pub created: Timestamp,
    /// When its keys were destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Timestamp>,
}

impl Record for TenantRow {
    const TABLE: Table = Table::Tenants;
}

/// Whether a tenant is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Active,
    /// Its keys were destroyed.
    Erased,
}

/// How many providers a tenant may have a credential for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Plan {
    /// Three.
    #[default]
    Starter,
    /// Six.
    Professional,
    /// Ten.
    Scale,
    /// As many as there are.
    Enterprise,
}

impl TenantRow {
    /// The key of the row.
    pub const KEY: &'static str = "tenant";

    /// Whether it is there.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        if self.erased.is_some() { Standing::Erased } else { Standing::Active }
    }

    /// A name for a new tenant: it stands in addresses and in keys, so it has one spelling that holds everywhere.
    ///
    /// # Errors
    /// `bad_request`.
    pub fn name(text: &str) -> Result<TenantName, Refusal> {
        let shaped = SHORTEST <= text.len()
            && text.len() <= LONGEST
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let name = text.parse().ok().filter(|_| shaped);
        name.ok_or_else(|| {
            let message = format!("`{}` can't be the name of a tenant", text.escape_default());
            Refusal::new(Code::BadRequest, message).hint("3 to 50 lower-case letters, digits and `_`")
        })
    }
}

impl Plan {
    /// How many providers at most; `None` for no limit.
    #[must_use]
    pub const fn providers(self) -> Option<usize> {
        match self {
            Self::Starter => Some(3),
            Self::Professional => Some(6),
            Self::Scale => Some(10),
            Self::Enterprise => None,
        }
    }

    /// The plan of this name.
    ///
    /// # Errors
    /// `bad_request`.
    pub fn named(text: &str) -> Result<Self, Refusal> {
        [Self::Starter, Self::Professional, Self::Scale, Self::Enterprise]
            .into_iter()
            .find(|plan| plan.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                Refusal::new(Code::BadRequest, format!("there is no plan `{}`", text.escape_default()))
                    .hint("STARTER, PROFESSIONAL, SCALE or ENTERPRISE")
            })
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starter => "STARTER",
            Self::Professional => "PROFESSIONAL",
            Self::Scale => "SCALE",
            Self::Enterprise => "ENTERPRISE",
        }
    }
}

const SHORTEST: usize = 3;
const LONGEST: usize = 50;
