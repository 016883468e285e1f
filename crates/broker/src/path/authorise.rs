//! Step 3: may it. The capability's caveats first, in plain Rust; then Cedar. Any evaluation error denies.

use model::{Call, Refusal};
use policy::{Authority, Permit};

use crate::broker::{Broker, Unsealed};
use crate::path::identify::Identified;

/// The permit of an allowed call.
pub(crate) fn permit(
    broker: &Broker,
    _unsealed: &Unsealed,
    identified: &Identified,
    call: Call,
) -> Result<Permit, Refusal> {
    let policies = broker.policies();
    let authority =
        Authority { policies: &policies, grants: broker.grants(), principals: broker.principals() };
    let now = broker.now();
    Ok(authority.authorise(&identified.caller, call, identified.verified.as_ref(), now)?)
}
