//! Step 3: may it. The capability's caveats first, in plain Rust; then Cedar. Any evaluation error denies.

use model::Call;
use policy::{Authority, Denial, Permit};

use crate::broker::Broker;
use crate::path::identify::Identified;

/// The permit of an allowed call.
///
/// # Errors
/// A denial that names the grant, capability or policy that decided.
pub(crate) fn permit(broker: &Broker, identified: &Identified, call: Call) -> Result<Permit, Denial> {
    let rules = broker.rules();
    let authority = Authority { rules: &rules, grants: broker.grants(), principals: broker.principals() };
    authority.authorise(&identified.caller, call, identified.verified.as_deref(), broker.now())
}
