//! A capability by its name, for whoever the kernel proves to be its holder.
//!
//! A name is no secret, so it proves nothing by itself. The token that it stands for is made once more and verified like one
//! that was presented; everything behind this step is the same for both.

use std::sync::Arc;

use http::HeaderValue;
use model::{CapabilityId, Code, Fact, GrantId, Refusal};
use policy::{NamedState, Token, Verified, mint, verify};

use crate::broker::{Broker, Unsealed, refused};

/// The name, where one was presented.
pub(super) fn asked(written: &HeaderValue) -> Option<CapabilityId> {
    written.to_str().ok()?.parse().ok()
}

/// The capability with this name. One of another holder gets the answer of one that does not exist.
pub(super) fn capability(
    broker: &Broker,
    unsealed: &Unsealed,
    id: CapabilityId,
    facts: &Fact,
) -> Result<Arc<Verified>, Refusal> {
    let missing = || {
        Refusal::new(Code::Unauthenticated, "capability not found")
            .hint("a name works for its holder only; `doorward capability list` shows yours")
    };
    broker.read_named(unsealed)?;
    let line = broker.grants().lineage(id).ok_or_else(missing)?;
    let _held = line.last().and_then(|named| named.held_by(&facts.holder)).ok_or_else(missing)?;
    if line.iter().any(|named| named.state == NamedState::Forged) {
        return Err(missing());
    }
    let fingerprint = crypto::sha256(&[b"name", &id.to_bytes()]);
    if let Some(known) = unsealed.verified().find(&fingerprint) {
        return Ok(known);
    }
    let wrong = |error: policy::Error| refused(&error, Code::BadRequest, error.hint());
    let (root, rest) = line.split_first().ok_or_else(missing)?;
    let key = unsealed.capability_root(&root.tenant).ok_or_else(missing)?;
    let grant = GrantId::from_bytes(root.id.to_bytes());
    let mut token = mint(&key, &root.tenant, grant, &root.all_caveats(), root.id).map_err(wrong)?;
    for child in rest {
        token = Token::narrow(&token, &child.all_caveats(), child.id).map_err(wrong)?;
    }
    let verified = Arc::new(verify(&token, &key)?);
    unsealed.verified().keep(fingerprint, &verified);
    Ok(verified)
}
