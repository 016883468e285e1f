//! Step 4: within which limits. Rates, the size of the body, approval where policy asks for one.
//!
//! Uses are not counted here, and that of an approval is not either: they are counted together with the intent that consumes
//! them, so that one use means once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Integration, Rate, Strategy};
use http_body::Body as _;
use model::{ApprovalClaim, Code, Inputs, Proof, Quota, Refusal, Retry};
use net::Body;
use policy::Permit;

use crate::approval::Approved;
use crate::broker::Broker;
use crate::inbound::{Asked, Inbound};
use crate::limits::shared::{Over, SharedRates};
use crate::limits::{Counted, Pace, Within};
use crate::path::around::Beside;
use crate::path::identify::Identified;
use crate::path::identify::incoming::network;
use crate::programs::Way;
use crate::spans::Next;
use crate::{Payload, log, metrics};
pub(crate) use bounded::Size;

use bounded::Bounded;

mod bounded;
pub(crate) mod way;

/// Proof that a permitted call is within its limits. Only [`within_limits`] makes one.
#[must_use]
pub(crate) struct Admitted {
    pub(crate) identified: Identified,
    pub(crate) permit: Permit,
    pub(crate) integration: Arc<Integration>,
    pub(crate) inbound: Inbound,
    /// How much came from the caller.
    pub(crate) size: Size,
    /// What is worth recording of how it is carried, besides what the reply says: name and value, never a secret.
    pub(crate) notes: Vec<(String, String)>,
    pub(crate) within: Within,
    /// The program that does it, where one does.
    pub(crate) way: Option<Box<Way>>,
    /// Its inputs, where the text of one lay elsewhere and was fetched.
    pub(crate) fetched: Option<Inputs>,
    /// What is read beside it, for its evidence.
    pub(crate) beside: Option<Box<Beside>>,
    /// The approval, where it needs one.
    pub(crate) approved: Option<Approved>,
    /// The span of the request to the service, where somebody watches.
    pub(crate) next: Option<Box<Next>>,
}

/// Counts a call against its rates and looks at its size.
pub(crate) fn within_limits(
    broker: &Broker,
    identified: Identified,
    permit: Permit,
    integration: Arc<Integration>,
    (mut inbound, approved): (Inbound, Option<Approved>),
) -> Result<Admitted, Refusal> {
    let cleared = cleared(&permit, approved)?;
    let size = sized(&mut inbound, &integration)?;
    let within = broker.limits().count(rates(&identified, &permit, &integration));
    let within = within.map_err(|quota| broken(&identified, &integration, quota))?;
    Ok(admitted(broker, (identified, permit, integration), (inbound, size), (within, cleared)))
}

/// The same where several processes count together.
pub(crate) async fn within_shared_limits(
    (broker, shared): (&Broker, &SharedRates),
    identified: Identified,
    permit: Permit,
    integration: Arc<Integration>,
    (mut inbound, approved): (Inbound, Option<Approved>),
) -> Result<Admitted, Refusal> {
    let cleared = cleared(&permit, approved)?;
    let size = sized(&mut inbound, &integration)?;
    let rates: Vec<(Counted, Pace)> = rates(&identified, &permit, &integration).collect();
    let within = shared.count(broker.limits(), rates).await.map_err(|over| match over {
        Over::Rate(quota) => broken(&identified, &integration, quota),
        Over::Unknown => {
            let message = format!("how often `{}` was called can't be told now", integration.name());
            Refusal::new(Code::SourceUnavailable, message)
                .retry(Retry::Safe)
                .hint("the log says why Redis does not answer; `rates.on_failure` says what holds then")
        }
    })?;
    Ok(admitted(broker, (identified, permit, integration), (inbound, size), (within, cleared)))
}

/// A call that is within its limits, whichever way they were counted.
fn admitted(
    broker: &Broker,
    (identified, permit, integration): (Identified, Permit, Arc<Integration>),
    (inbound, size): (Inbound, Size),
    (within, Cleared(approved)): (Within, Cleared),
) -> Admitted {
    let notes = noted(broker, &identified, &permit, approved.as_ref());
    let (way, fetched, beside, next) = (None, None, None, None);
    Admitted {
        identified,
        permit,
        integration,
        inbound,
        size,
        notes,
        within,
        way,
        fetched,
        beside,
        approved,
        next,
    }
}

/// Proof that a call has its approval, or needs none. Only [`cleared`] makes one.
#[must_use]
struct Cleared(Option<Approved>);

/// Without its approval a call that needs one is not admitted, whoever forgot to ask for it.
fn cleared(permit: &Permit, approved: Option<Approved>) -> Result<Cleared, Refusal> {
    match (permit.limits().approvers(), approved) {
        (Some(_), None) => {
            let message = format!("`{}` needs an approval", permit.call().operation());
            Err(Refusal::new(Code::ApprovalRequired, message))
        }
        (_, approved) => Ok(Cleared(approved)),
    }
}

/// What a call needs before its limits are looked at: nothing, for nearly all of them.
pub(crate) fn wants_approval(identified: &Identified, permit: &Permit) -> bool {
    // A step of a plan is done once, whether policies ask for an approval of it or not.
    let planned = matches!(identified.caller.facts().approval(), Some(ApprovalClaim::Step(..)));
    planned || permit.limits().approvers().is_some()
}

/// Says aloud that the glass is broken; gives what the evidence says of that and of the approval.
fn noted(
    broker: &Broker,
    identified: &Identified,
    permit: &Permit,
    approved: Option<&Approved>,
) -> Vec<(String, String)> {
    let mut notes: Vec<_> = approved.map(Approved::notes).into_iter().flatten().collect();
    if let Some(reason) = identified.caller.facts().break_glass() {
        metrics::broken_glass(broker.metrics());
        log::broken_glass(permit);
        notes.push(("break_glass".to_owned(), reason.to_owned()));
    }
    notes
}

#[cold]
fn broken(identified: &Identified, integration: &Integration, quota: Quota) -> Refusal {
    let refusal = too_many(integration, quota);
    // Another gateway's words say whose rate it was.
    if quota.policy == "caller" { refusal.because(whose(identified)) } else { refusal }
}

/// The name of whose calls are counted: what the proof called the caller, the address of one without a name, else the principal.
fn whose(identified: &Identified) -> String {
    let caller = &identified.caller;
    match (caller.subject(), nameless(identified)) {
        (Some(subject), _) => subject.to_owned(),
        (None, Some(address)) => address.to_string(),
        (None, None) => caller.principal().to_string(),
    }
}

/// The address of a caller whom no proof gave a name, where it has one.
fn nameless(identified: &Identified) -> Option<IpAddr> {
    let caller = &identified.caller;
    let unnamed = matches!(caller.proof(), Proof::Incoming | Proof::Anonymous) && caller.subject().is_none();
    caller.facts().address.filter(|_| unnamed).map(|address| address.to_canonical())
}

fn too_many(integration: &Integration, quota: Quota) -> Refusal {
    let wait = quota.reset;
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    Refusal::new(Code::RateLimited, format!("too many calls to `{}`", integration.name()))
        .retry(Retry::After(wait))
        .hint(format!("try again in {seconds} s"))
        .quota(quota)
}

/// How large what came is; a body of unknown length is bounded and counted on its way.
fn sized(inbound: &mut Inbound, integration: &Integration) -> Result<Size, Refusal> {
    let forward = match &mut inbound.asked {
        Asked::Forward(forward) => forward,
        Asked::Operate(operate) => {
            let length = operate.payload.as_ref().map_or(0, Payload::len);
            return Ok(Size::Known(u64::try_from(length).unwrap_or(u64::MAX)));
        }
    };
    let most = integration.limits().body;
    let hint = forward.body.size_hint();
    if hint.lower() > most {
        let message =
            format!("the body is larger than the {most} bytes that `{}` allows", integration.name());
        return Err(Refusal::new(Code::TooLarge, message).hint("`limits: body:` in the integration's file"));
    }
    if let Some(length) = hint.exact() {
        return Ok(Size::Known(length));
    }
    let (bounded, size) = Bounded::new(std::mem::take(&mut forward.body), most);
    forward.body = Body::stream(bounded);
    Ok(size)
}

fn rates<'a>(
    identified: &'a Identified,
    permit: &'a Permit,
    integration: &'a Integration,
) -> impl Iterator<Item = (Counted, Pace)> + 'a {
    let limits = integration.limits();
    let (tenant, name) = (permit.tenant(), integration.name());
    let whole = limits.rate.map(|rate| (Counted::Integration(tenant.clone(), name.clone()), pace(rate)));
    let caller = limits.caller_rate.map(|rate| {
        let counted = match nameless(identified) {
            None => Counted::Caller(tenant.clone(), permit.principal().clone(), name.clone()),
            Some(address) => Counted::Nameless(tenant.clone(), network(address), name.clone()),
        };
        (counted, pace(rate))
    });
    let own = permit.limits().rates().iter().map(|(counter, rate)| {
        (
            Counted::Capability(*counter),
            Pace {
                calls: rate.calls().get(),
                per: Duration::from_secs(rate.seconds().get().into()),
                // What a capability says is a promise to whoever gave it.
                strategy: Strategy::Exact,
            },
        )
    });
    // The narrowest first: what a capability has used up must not use up the others' share.
    own.chain(caller).chain(whole)
}

const fn pace(rate: Rate) -> Pace {
    Pace { calls: rate.calls, per: rate.per, strategy: rate.strategy }
}
