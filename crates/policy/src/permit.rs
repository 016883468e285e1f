//! The proof that policy allowed one call.

use std::num::NonZeroU8;
use std::sync::Arc;

use model::{Call, CapabilityId, GrantId, PrincipalName, TenantName, Timestamp};

use crate::caveat::Rate;
use crate::cedar::Version;

/// Proof that capability and policy allowed one call. Only [`Authority::authorise`](crate::Authority::authorise) makes
/// one; what it asks for in [`Limits`] is still to be admitted.
///
/// It can't be copied, so that one permit is one call:
///
/// ```compile_fail
/// fn twice(permit: policy::Permit) -> (policy::Permit, policy::Permit) {
///     (permit.clone(), permit)
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit {
    pub(crate) call: Call,
    pub(crate) tenant: TenantName,
    pub(crate) principal: PrincipalName,
    pub(crate) allowed: Allowed,
}

/// What was found about a call that is allowed.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(crate) grant: Option<GrantId>,
    pub(crate) narrowings: Box<[CapabilityId]>,
    pub(crate) limits: Limits,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) version: Version,
    pub(crate) determining: Arc<[Arc<str>]>,
    /// The rule of an allowlist by which the caller stands.
    pub(crate) listed: Option<Arc<str>>,
    /// The rule of a denylist under trial that matched.
    pub(crate) observed: Option<Arc<str>>,
}

impl Permit {
    /// The call.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The tenant whose secrets may be used.
    #[must_use]
    pub const fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// Who was allowed.
    #[must_use]
    pub const fn principal(&self) -> &PrincipalName {
        &self.principal
    }

    /// The grant, where a capability was presented.
    #[must_use]
    pub const fn grant(&self) -> Option<GrantId> {
        self.allowed.grant
    }

    /// The narrowings of the capability, from the root to the last.
    #[must_use]
    pub fn narrowings(&self) -> &[CapabilityId] {
        &self.allowed.narrowings
    }

    /// What is still to be counted or asked.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.allowed.limits
    }

    /// When the capability ends, which no lease may outlive.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.allowed.expires
    }

    /// The version of the policies that decided.
    #[must_use]
    pub const fn policy_version(&self) -> Version {
        self.allowed.version
    }

    /// The rule of an allowlist that allowed the call, where the caller stands by it: file and line.
    #[must_use]
    pub fn listed(&self) -> Option<&str> {
        self.allowed.listed.as_deref()
    }

    /// The rule of a denylist under trial that would have denied the call.
    #[must_use]
    pub fn observed(&self) -> Option<&str> {
        self.allowed.observed.as_deref()
    }

    /// The ids of the policies that decided, ascending.
    #[must_use]
    pub fn determining(&self) -> &[Arc<str>] {
        &self.allowed.determining
    }
}

/// What is to be counted before the call may be carried. Each entry applies, those of the ancestors as well.
#[derive(Debug, Default)]
pub struct Limits {
    pub(crate) rates: Vec<(Counter, Rate)>,
    pub(crate) uses: Vec<(Counter, u64)>,
    pub(crate) approvers: Option<NonZeroU8>,
}

impl Limits {
    /// Calls per time, from the root to the last narrowing. One counter may have several rates.
    #[must_use]
    pub fn rates(&self) -> &[(Counter, Rate)] {
        &self.rates
    }

    /// The most uses. One counter comes once, with the lowest number.
    #[must_use]
    pub fn uses(&self) -> &[(Counter, u64)] {
        &self.uses
    }

    /// How many different people have to approve this call first, where anybody has to.
    #[must_use]
    pub const fn approvers(&self) -> Option<NonZeroU8> {
        self.approvers
    }

    pub(crate) fn use_at_most(&mut self, counter: Counter, most: u64) {
        match self.uses.iter_mut().find(|(known, _)| *known == counter) {
            Some((_, least)) => *least = most.min(*least),
            None => self.uses.push((counter, most)),
        }
    }
}

/// Under what calls are counted. A narrowing's id is chosen by its holder, so it counts within its grant only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// All calls of a grant.
    Grant(GrantId),
    /// The calls of one narrowing and all below it.
    Narrowing(GrantId, CapabilityId),
}

/// The most people that anybody can ask to approve one call: a policy says it with one digit.
pub const MOST_APPROVERS: u8 = 9;
