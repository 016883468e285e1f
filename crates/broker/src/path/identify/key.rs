//! Who holds a key of a tenant's API.

use model::{Caller, Fact, Proof, Refusal};

use super::{Identified, prove, unauthenticated};
use crate::broker::{Broker, Unsealed};
use crate::inbound::Inbound;
use tenancy::Tenancy;

/// Proves the caller by the key that it presented. The capability of an inbound of this door is that key.
pub(super) fn caller(
    broker: &Broker,
    unsealed: &Unsealed,
    inbound: &Inbound,
    facts: Fact,
) -> Result<Identified, Refusal> {
    let written = inbound.capability.as_ref().ok_or_else(|| unauthenticated(REQUIRED))?;
    let held = broker.tenancy()?.proven(&unsealed.hashing_key(), written.as_bytes(), broker.now())?;
    let (tenant, principal) = (held.tenant().clone(), Tenancy::principal(held.id())?);
    let caller: Caller = prove(tenant, principal, Proof::ApiKey(held.id()), inbound.door, facts);
    Ok(Identified { caller, verified: None, delivery: None })
}

const REQUIRED: &str = "X-API-Key header is required";
