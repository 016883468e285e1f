//! Who holds a key of a tenant's API.

use model::{Caller, Door, Fact, Proof, Refusal, TenantName};

use super::{Identified, prove, unauthenticated};
use crate::broker::{Broker, Unsealed};
use crate::inbound::Inbound;
use tenancy::{KeyRow, Tenancy};

/// The tenant that a key says to belong to.
pub(super) fn tenant_of(inbound: &Inbound) -> Option<TenantName> {
    let written = inbound.capability.as_ref().filter(|_| inbound.door == Door::Server)?;
    KeyRow::tenant_of(written.as_bytes())
}

/// Proves the caller by the key that it presented. The capability of an inbound of this door is that key.
pub(super) fn caller(
    broker: &Broker,
    unsealed: &Unsealed,
    inbound: &Inbound,
    facts: Fact,
) -> Result<Identified, Refusal> {
    let written = inbound.capability.as_ref().ok_or_else(|| unauthenticated(REQUIRED))?;
    let held = broker.awake().proven(&unsealed.hashing_key(), written.as_bytes(), broker.now())?;
    let (tenant, principal) = (held.tenant().clone(), Tenancy::principal(held.id())?);
    let caller: Caller = prove(tenant, principal, Proof::ApiKey(held.id()), inbound.door, facts);
    Ok(Identified { caller, verified: None, delivery: None })
}

const REQUIRED: &str = "X-API-Key header is required";
