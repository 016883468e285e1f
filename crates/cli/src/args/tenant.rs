//! Arguments of `doorward tenant` and `doorward key`.

use clap::{Args, Subcommand, ValueEnum};
use model::{KeyId, TenantName};

/// `doorward tenant`.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Make a tenant, with keys and a chain of evidence of its own
    Create {
        /// Its name: 3 to 50 lower-case letters, digits and `_`
        name: String,
        /// How many providers it may have: 3, 6, 10, or as many as there are
        #[arg(long, value_name = "PLAN", value_enum, ignore_case = true, default_value = "starter")]
        plan: Plan,
    },
    /// List tenants, also those that were erased
    List,
    /// Show one
    Show {
        /// Which one
        name: TenantName,
    },
    /// Give a tenant another data key, and seal everything of it anew while calls go on; again where it broke off
    RotateKey {
        /// Which one; `local` is the house itself
        name: TenantName,
    },
    /// Show how far the rotation of a data key is
    Rotation {
        /// Which one
        name: TenantName,
    },
    /// Destroy the keys of a tenant, and with them all that it keeps; its evidence stays
    Erase {
        /// Which one
        name: TenantName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What a tenant may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plan {
    /// Three providers.
    Starter,
    /// Six.
    Professional,
    /// Ten.
    Scale,
    /// As many as there are.
    Enterprise,
}

impl Plan {
    /// As it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Starter => "STARTER",
            Self::Professional => "PROFESSIONAL",
            Self::Scale => "SCALE",
            Self::Enterprise => "ENTERPRISE",
        }
    }
}

/// `doorward key`.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key for the API of a tenant, and show it once
    Create(Create),
    /// List the keys of a tenant; nothing shows a key again
    List {
        /// Whose keys; those of the root without it
        #[arg(long, value_name = "TENANT")]
        tenant: Option<TenantName>,
    },
    /// Make the next key with the same scopes; the one before works until the overlap is over
    Rotate(Rotate),
    /// Take a key back at once
    Revoke {
        /// Which one, such as `key_01j..`
        id: KeyId,
        /// Whose key; one of the root without it
        #[arg(long, value_name = "TENANT")]
        tenant: Option<TenantName>,
    },
}

/// `doorward key create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Whose key
    #[arg(long, value_name = "TENANT", required_unless_present = "root")]
    pub(crate) tenant: Option<TenantName>,
    /// Make a root key instead, which makes tenants and keys over HTTP and does nothing else
    #[arg(long, conflicts_with_all = ["tenant", "scopes"])]
    pub(crate) root: bool,
    /// What it may do [default: credentials:read,credentials:write]
    #[arg(long, value_name = "SCOPE,..")]
    pub(crate) scopes: Option<String>,
    /// How long it lasts, such as `90d` [default: until it is revoked]
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: Option<String>,
    /// What it is for, in your own words
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
}

/// `doorward key rotate`.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Which one, such as `key_01j..`
    pub(crate) id: KeyId,
    /// Whose key; one of the root without it
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<TenantName>,
    /// How long the key before goes on working, such as `10m` [default: 1d]
    #[arg(long, value_name = "DURATION")]
    pub(crate) overlap: Option<String>,
    /// How long the next key lasts [default: until it is revoked]
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: Option<String>,
}
