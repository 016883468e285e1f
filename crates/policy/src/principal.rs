//! What is known of principals: their kind and roles. Loaded by the broker, read without waiting.
//!
//! Some roles say how a caller was proven, and count only then:
//!
//! | role | counts |
//! |---|---|
//! | `holder` | with a verified capability; never assigned |
//! | `proven` | for a caller whom the kernel proved, without a capability; never assigned |
//! | `owner` | for a caller whom the kernel proved, without a capability: who hands out a capability hands out less than all |
//! | `development` | for a caller that nothing proved; it is the only one that counts there |
//! | `listed` | for a caller whom the lists of an integration allow this very request; never assigned |
//! | `led` | for a call that another one led to; it is the only one that counts there, and never assigned |
//! | `break-glass` | for a request that breaks the glass: it says so, with a reason. Where the kernel proves the `owner`, that is enough |
//! | every other one | with a capability, the kernel's proof, or that of an incoming scheme, or an API key |

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{ParseError, PrincipalName, Proof, TenantName};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::table::Table;

/// The role of whoever presents a capability.
pub const HOLDER: &str = "holder";
/// The role of whoever the kernel proved, without a capability.
pub const PROVEN: &str = "proven";
/// The role of who owns the tenant.
pub const OWNER: &str = "owner";
/// The role of whoever the lists of an integration allow a request.
pub const LISTED: &str = "listed";
/// The role of whatever a call leads to.
pub const LED: &str = "led";
/// The role of whoever signed in, or holds a key of an API: they may look at their own session and end it.
pub const SIGNED_IN: &str = "signed-in";
/// The role that lets an unproven loopback caller do something at all.
pub const DEVELOPMENT: &str = "development";

/// The role of whoever may ask for more than is usual, and does so in this very request.
pub const BREAK_GLASS: &str = "break-glass";
/// Roles that the policies of the house and the set for teams know, with what they are for.
pub const ROLES: [(&str, &str); 8] = [
    (OWNER, "everything but disclosures, where the kernel proves it"),
    ("admin", "manages Doorward: capabilities, secrets, policies, roles"),
    ("manager", "the same as `admin`"),
    ("operator", "reads services; writes with an approval"),
    ("approver", "looks at what waits for an approval, and decides about it"),
    ("auditor", "reads the evidence, approvals, plans, policies and grants"),
    ("caller", "reads services"),
    (BREAK_GLASS, "may ask for writes of high risk, with a reason and aloud"),
];

/// Whether a request breaks the glass: it says that it asks for more than is usual, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Glass {
    /// As every day.
    Whole,
    /// It does.
    Broken,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A person.
    Person,
    /// A service.
    Service,
    /// A workload: a job, a container.
    Workload,
    /// An AI agent.
    Agent,
    /// Nobody said.
    #[default]
    Unknown,
}

impl PrincipalKind {
    /// The word used in files and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
            Self::Workload => "workload",
            Self::Agent => "agent",
            Self::Unknown => "unknown",
        }
    }
}

/// A principal's kind and roles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    kind: PrincipalKind,
    roles: BTreeSet<Box<str>>,
}

impl Known {
    /// A principal of this kind with these roles.
    ///
    /// # Errors
    /// When a role is not a word of lower-case letters, digits, `-` and `_`, or is [`HOLDER`] or
    /// [`PROVEN`], [`LISTED`], [`LED`] or [`SIGNED_IN`].
    pub fn new<'a>(kind: PrincipalKind, roles: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let roles = roles.into_iter().map(assignable).collect::<Result<_, _>>()?;
        Ok(Self { kind, roles })
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The roles that were assigned, in order.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(AsRef::as_ref)
    }

    /// The roles that count for a caller who stands like this.
    pub(crate) fn effective(&self, standing: Standing, glass: Glass) -> impl Iterator<Item = &str> {
        let counts = move |role: &&str| match standing {
            _ if *role == BREAK_GLASS && glass == Glass::Whole => false,
            Standing::Proven => *role != DEVELOPMENT,
            Standing::Holder => *role != DEVELOPMENT && *role != OWNER,
            Standing::Unproven => *role == DEVELOPMENT,
            Standing::Incoming(_) => *role != DEVELOPMENT && *role != OWNER,
            Standing::Key => *role != DEVELOPMENT && *role != OWNER,
            Standing::Signed => *role != DEVELOPMENT,
            Standing::Anonymous(_) | Standing::Led => false,
        };
        let given = match standing {
            Standing::Proven => Some(PROVEN),
            Standing::Holder => Some(HOLDER),
            Standing::Incoming(Listing::Allowed) | Standing::Anonymous(Listing::Allowed) => Some(LISTED),
            Standing::Led => Some(LED),
            Standing::Key | Standing::Signed => Some(SIGNED_IN),
            Standing::Unproven
            | Standing::Incoming(Listing::Silent)
            | Standing::Anonymous(Listing::Silent) => None,
        };
        // Who owns the place may break its glass, and says so like everybody.
        let owns = glass == Glass::Broken && standing == Standing::Proven && self.roles.contains(OWNER);
        let also = Some(BREAK_GLASS).filter(|_| owns && !self.roles.contains(BREAK_GLASS));
        self.roles.iter().map(AsRef::as_ref).filter(counts).chain(given).chain(also)
    }
}

fn assignable(role: &str) -> Result<Box<str>, Error> {
    if role == HOLDER || role == PROVEN || role == LISTED || role == LED || role == SIGNED_IN {
        return Err(Error::ReservedRole(role.to_owned()));
    }
    // A role is a word like a tenant's name; one spelling.
    if role.parse::<TenantName>().is_err() {
        return Err(ParseError::new("role", role, "lower-case letters, digits, `-` and `_`").into());
    }
    Ok(role.into())
}

/// How a caller stands before policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// The kernel proved who it is.
    Proven,
    /// It presented a capability that was verified.
    Holder,
    /// Nothing was proven.
    Unproven,
    /// What came with the request proved who it is.
    Incoming(Listing),
    /// The integration asks nobody who they are.
    Anonymous(Listing),
    /// It held a key of its tenant.
    Key,
    /// It signed in.
    Signed,
    /// A call that was permitted and recorded led to it.
    Led,
}

/// What the lists of an integration say about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Listing {
    /// They allow it, and do not deny it.
    Allowed,
    /// There are none, or they do not speak of it.
    Silent,
}

impl Standing {
    /// One number for each, for digests.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Proven => 0,
            Self::Holder => 1,
            Self::Unproven => 2,
            Self::Incoming(Listing::Silent) => 3,
            Self::Incoming(Listing::Allowed) => 4,
            Self::Anonymous(Listing::Silent) => 5,
            Self::Anonymous(Listing::Allowed) => 6,
            Self::Key => 7,
            Self::Led => 8,
            Self::Signed => 9,
        }
    }

    /// `None` where a capability is claimed and none was verified.
    pub(crate) const fn of(proof: Proof, verified: bool, listing: Listing) -> Option<Self> {
        match (proof, verified) {
            (_, true) => Some(Self::Holder),
            (Proof::Capability(_), false) => None,
            (Proof::Kernel, false) => Some(Self::Proven),
            (Proof::Loopback, false) => Some(Self::Unproven),
            (Proof::Incoming, false) => Some(Self::Incoming(listing)),
            (Proof::Anonymous, false) => Some(Self::Anonymous(listing)),
            (Proof::ApiKey(_), false) => Some(Self::Key),
            (Proof::Session(_), false) => Some(Self::Signed),
            (Proof::Led(_), false) => Some(Self::Led),
        }
    }
}

/// All principals that are known.
pub struct Principals {
    rows: Table<(TenantName, PrincipalName), Known>,
    /// What is known of everybody else: nothing.
    nobody: Arc<Known>,
}

impl Principals {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: Table::new(), nobody: Arc::default() }
    }

    /// Adds or replaces what is known of a principal.
    pub fn put(&self, tenant: &TenantName, principal: &PrincipalName, known: Known) {
        let known = Arc::new(known);
        self.rows.change(&(tenant.clone(), principal.clone()), |_| Some(Arc::clone(&known)));
    }

    /// Forgets a principal; it has no roles from now on.
    pub fn forget(&self, tenant: &TenantName, principal: &PrincipalName) {
        self.rows.change(&(tenant.clone(), principal.clone()), |_| None);
    }

    /// What is known of a principal; of one that nobody described, that it has no roles.
    #[must_use]
    pub fn find(&self, tenant: &TenantName, principal: &PrincipalName) -> Arc<Known> {
        let found = self.rows.find(&(tenant.clone(), principal.clone()));
        found.unwrap_or_else(|| Arc::clone(&self.nobody))
    }
}

impl Default for Principals {
    fn default() -> Self {
        Self::new()
    }
}
