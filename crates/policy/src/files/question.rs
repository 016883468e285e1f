//! What is asked of policy files.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::Timestamp;

use super::{Action, ResourceName};

/// May this caller have a capability for these actions on this resource?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// On what, or on everything that begins like this.
    pub resource: &'a ResourceName,
    /// To do what; each one has to be allowed.
    pub actions: &'a [Action],
    /// Who asks, as the agent names a proven caller.
    pub identity: &'a str,
    /// The other names that are proven of the caller. What a rule denies to one of them is denied, whatever name it asks under.
    pub also: &'a [Arc<str>],
    /// What is known beyond that.
    pub facts: &'a Facts,
    /// When.
    pub now: Timestamp,
}

/// What conditions may read. Only what the kernel or the owner said belongs in here, never what a caller claims.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The address of the peer. `None` on a Unix socket.
    pub address: Option<IpAddr>,
    /// By name: `environment` (what the broker serves, such as `production`), and what the agent's configuration says.
    pub environment: BTreeMap<String, String>,
    /// What the kernel says about the process at the other end.
    pub process: BTreeMap<ProcessFact, String>,
}

/// One fact about a process, in conditions of type `identity` under its word as the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProcessFact {
    /// User id, in digits.
    Uid,
    /// Group id, in digits.
    Gid,
    /// Control group (v2 path).
    Cgroup,
    /// Unit of systemd.
    Unit,
    /// Id of a container.
    Container,
    /// Service account of Kubernetes: `namespace/name`.
    ServiceAccount,
    /// Path of the program. It only narrows: the same program runs what its arguments say.
    Executable,
    /// SHA-256 of the program, in hex. It only narrows.
    Sha256,
}

impl ProcessFact {
    /// Every fact.
    pub const ALL: [Self; 8] = [
        Self::Uid,
        Self::Gid,
        Self::Cgroup,
        Self::Unit,
        Self::Container,
        Self::ServiceAccount,
        Self::Executable,
        Self::Sha256,
    ];

    /// Whether it only narrows: any process of the same user can have it.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Executable | Self::Sha256)
    }

    /// The key in conditions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Gid => "gid",
            Self::Cgroup => "cgroup",
            Self::Unit => "unit",
            Self::Container => "container",
            Self::ServiceAccount => "service_account",
            Self::Executable => "exe",
            Self::Sha256 => "sha256",
        }
    }
}
