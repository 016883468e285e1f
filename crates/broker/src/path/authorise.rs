//! Step 3: may it. What the lists deny is denied; then the capability's caveats, in plain Rust; then Cedar. Any evaluation
//! error denies.

use model::Call;
use policy::lists::Verdict;
use policy::{Authority, Denial, Permit};

use crate::broker::Broker;
use crate::path::identify::Identified;

/// The permit of an allowed call.
///
/// # Errors
/// A denial that names the list, grant, capability or policy that decided.
pub(crate) fn permit(
    broker: &Broker,
    identified: &Identified,
    call: Call,
    verdict: Verdict,
) -> Result<Permit, Denial> {
    let rules = broker.rules();
    let authority = Authority { rules: &rules, grants: broker.grants(), principals: broker.principals() };
    authority.authorise(&identified.caller, call, identified.verified.as_deref(), verdict, broker.now())
}
