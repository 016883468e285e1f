//! Caveats: what a capability takes away. A closed, typed list; one that is not known is refused.
//!
//! [`check`](self::check) answers whether a call keeps a caveat, [`within`] whether a narrowing only takes away, [`code`]
//! is the one byte form.
//!
//! # Invariants
//!
//! - Every check is total: a fact that is absent refuses.
//! - Every caveat has one byte form, and every byte form one caveat.

mod check;
mod code;
mod constraint;
mod hours;
mod limit;
mod list;
mod pattern;
mod reach;
mod window;
mod within;

use std::fmt;

use model::{Access, IntegrationName, Method, Timestamp};
use serde::{Deserialize, Serialize};

pub use check::Foretold;
pub(crate) use check::{Asked, Broken};
pub(crate) use code::{decode, encode};
pub use constraint::{ConstraintError, of_constraints, to_constraints};
pub use hours::Hours;
pub use limit::{Approval, HolderIs, Inputs, Methods, Rate};
pub use list::List;
pub use pattern::{Cidr, Host, OperationPattern, PathPrefix, ResourcePattern, Text};
pub use reach::{Reach, TOOLS};
pub use window::{Span, Window, Zone};
pub(crate) use within::wider;

/// One thing that a capability does not allow beyond. Several all apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Caveat {
    /// Only these integrations.
    Integrations(List<IntegrationName>),
    /// Only these operations.
    Operations(List<OperationPattern>),
    /// At most this access: `read` allows no write.
    Access(Access),
    /// Only these resources.
    Resources(List<ResourcePattern>),
    /// Only requests to these hosts.
    Hosts(List<Host>),
    /// Only requests with these methods.
    Methods(Methods),
    /// Only requests at or below these paths of the upstream.
    PathPrefix(List<PathPrefix>),
    /// Not before this time.
    NotBefore(Timestamp),
    /// Not at or after this time.
    NotAfter(Timestamp),
    /// Only in these hours.
    Hours(Hours),
    /// Only from these networks.
    Cidr(List<Cidr>),
    /// Only where the broker serves one of these environments.
    Environment(List<Text>),
    /// At most so many calls in a time; counted where the call is admitted.
    Rate(Rate),
    /// At most so many calls ever; counted where the call is admitted.
    Uses(std::num::NonZeroU64),
    /// Only for this purpose: a run id, a ticket.
    Purpose(Text),
    /// Only this process, as the kernel names it, or this key.
    Holder(HolderIs),
    /// Somebody approves first.
    Approval(Approval),
    /// Only these values of these inputs.
    Inputs(Inputs),
    /// Only what the agent's words for actions and resources reach: `read` on `secret:/db/primary`.
    Reach(Reach),
    /// Only in these hours of these days, as sets.
    Window(Window),
    /// Not in these spans of time.
    Blackout(List<Span>),
}

impl Caveat {
    /// The word for its kind, as in files.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Integrations(_) => "integrations",
            Self::Operations(_) => "operations",
            Self::Access(_) => "access",
            Self::Resources(_) => "resources",
            Self::Hosts(_) => "hosts",
            Self::Methods(_) => "methods",
            Self::PathPrefix(_) => "path_prefix",
            Self::NotBefore(_) => "not_before",
            Self::NotAfter(_) => "not_after",
            Self::Hours(_) => "hours",
            Self::Cidr(_) => "cidr",
            Self::Environment(_) => "environment",
            Self::Rate(_) => "rate",
            Self::Uses(_) => "uses",
            Self::Purpose(_) => "purpose",
            Self::Holder(_) => "holder",
            Self::Approval(_) => "approval",
            Self::Inputs(_) => "inputs",
            Self::Reach(_) => "reach",
            Self::Window(_) => "window",
            Self::Blackout(_) => "blackout",
        }
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind())?;
        match self {
            Self::Integrations(list) => row(f, list.iter()),
            Self::Operations(list) => row(f, list.iter()),
            Self::Access(access) => access.fmt(f),
            Self::Resources(list) => row(f, list.iter()),
            Self::Hosts(list) => row(f, list.iter()),
            Self::Methods(list) => row::<Method>(f, list.iter()),
            Self::PathPrefix(list) => row(f, list.iter()),
            Self::NotBefore(time) | Self::NotAfter(time) => time.fmt(f),
            Self::Hours(hours) => hours.fmt(f),
            Self::Cidr(list) => row(f, list.iter()),
            Self::Environment(list) => row(f, list.iter()),
            Self::Rate(rate) => rate.fmt(f),
            Self::Uses(uses) => uses.fmt(f),
            Self::Purpose(purpose) => purpose.fmt(f),
            Self::Holder(holder) => holder.fmt(f),
            Self::Approval(approval) => approval.fmt(f),
            Self::Inputs(inputs) => inputs.fmt(f),
            Self::Reach(reach) => reach.fmt(f),
            Self::Window(window) => window.fmt(f),
            Self::Blackout(spans) => row(f, spans.iter()),
        }
    }
}

/// The entries, one comma between two.
pub(crate) fn row<'a, T: fmt::Display + 'a>(
    f: &mut fmt::Formatter<'_>,
    entries: impl Iterator<Item = &'a T>,
) -> fmt::Result {
    for (at, entry) in entries.enumerate() {
        write!(f, "{}{entry}", if at == 0 { "" } else { ", " })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
