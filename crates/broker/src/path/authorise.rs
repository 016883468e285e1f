//! Step 3: may it. What the lists deny is denied; then the capability's caveats, in plain Rust; then Cedar. Any evaluation
//! error denies.

use model::{Call, Refusal};
use policy::lists::Verdict;
use policy::{Authority, Denial, Permit};

use crate::broker::Broker;
use crate::path::find::Unread;
use crate::path::identify::Identified;
use crate::path::record::Trace;

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

/// The permit of a request that can't be read as the operation whose path it has. Where it is read wrongly, a rule of the allowlist
/// about the request itself may give one, where no policy says more of that operation. Where it says more than the operation takes, it
/// is permitted as any other, where no policy restricts that operation.
///
/// # Errors
/// What the denylist denies is denied, and what a policy does. Else the caller is told why the request can't be read.
#[cold]
pub(crate) fn unread(
    broker: &Broker,
    identified: &Identified,
    call: Call,
    (verdict, unread): (Verdict, Unread),
    trace: &mut Trace,
) -> Result<Permit, Refusal> {
    let Unread { meant, refusal } = unread;
    let Some(refusal) = refusal else {
        let verdict = verdict.of_unknown(&meant);
        return permit(broker, identified, call, verdict).map_err(|denial| trace.denied(denial));
    };
    let is_denied = verdict.denied_by().is_some();
    permit(broker, identified, call, verdict.of_unread(&meant)).map_err(|denial| {
        let denied = trace.denied(denial);
        if is_denied { denied } else { refusal }
    })
}
