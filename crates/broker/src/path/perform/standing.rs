//! Whether what allowed a call still stands, for one that goes on for long.

use model::{CapabilityId, Code, GrantId, Timestamp};
use policy::{GrantState, Permit};

use crate::broker::Broker;

/// What a permit rests on.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    grant: Option<GrantId>,
    narrowings: Vec<CapabilityId>,
    expires: Option<Timestamp>,
}

impl Standing {
    pub(crate) fn of(permit: &Permit) -> Self {
        let narrowings = permit.narrowings().to_vec();
        Self { grant: permit.grant(), narrowings, expires: permit.expires() }
    }

    /// Why it does not stand any more; `None` where it does.
    pub(crate) fn fallen(&self, broker: &Broker) -> Option<Code> {
        let Self { grant, narrowings, expires } = self;
        let now = broker.now();
        if expires.is_some_and(|end| now >= end) {
            return Some(Code::Expired);
        }
        let grants = broker.grants();
        let gone = match grant.map(|id| grants.find(id)) {
            None => false,
            Some(None) => true,
            Some(Some(grant)) if grant.expires.is_some_and(|end| now >= end) => return Some(Code::Expired),
            Some(Some(grant)) => !matches!(grant.state, GrantState::Active),
        };
        (gone || grants.any_revoked(narrowings.iter().copied())).then_some(Code::Revoked)
    }
}
