//! A capability by its token, for whoever holds that: what is known of it.

use model::CapabilityId;
use policy::{Caveat, Named, NamedState, Token, verify};

use super::{Asker, known};
use crate::manage::Question;

/// The capability that a token is of, behind those that it comes from. Narrowings that its holder made by himself have no name and stand
/// at the end. `None` for a text that is no token of this house.
pub(super) fn line(managing: &Question<'_>, asker: &Asker, written: &str) -> Option<Vec<Named>> {
    let token = Token::parse(written.trim()).ok()?;
    let tenant = managing.admitted.permit.tenant();
    if token.tenant() != tenant {
        return None;
    }
    let root = managing.unsealed.capability_root(tenant)?;
    let verified = verify(&token, &root).ok()?;
    let broker = managing.worker.broker();
    let (grants, now) = (broker.grants(), broker.now());
    let ids: Vec<CapabilityId> = verified.narrowings().collect();
    let (at, mut line) =
        ids.iter().enumerate().rev().find_map(|(at, id)| Some((at, grants.lineage(*id)?)))?;
    let last = line.last()?.clone();
    // The token of a capability that is bound to its holder says nothing to anybody else.
    if !line.iter().all(|named| named.bearer) {
        let _his = known(broker, asker, tenant, &last.id.to_string()).ok()?;
    }
    for block in verified.blocks().iter().skip(at + 1) {
        let ends = block.caveats.iter().filter_map(|caveat| match caveat {
            Caveat::NotAfter(end) => Some(*end),
            _ => None,
        });
        let revoked = grants.any_revoked(std::iter::once(block.narrowing));
        line.push(Named {
            id: block.narrowing,
            parent: line.last().map(|named| named.id),
            caveats: block.caveats.clone(),
            expires: ends.min().unwrap_or(last.expires),
            // Since when is kept of capabilities with a name only.
            state: if revoked { NamedState::Revoked { at: now } } else { last.state },
            ..last.clone()
        });
    }
    Some(line)
}
