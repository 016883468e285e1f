//! Step 1: who is it, proven how, for which tenant.

use std::net::IpAddr;
use std::sync::Arc;

use model::{Caller, Code, Door, Proof, Refusal, Sight};
use policy::{Token, Verified, verify};
use tenancy::sessions;

use crate::broker::{Broker, Unsealed};
use crate::inbound::Inbound;

pub(crate) mod incoming;
mod key;
mod named;
mod signed;

/// A caller, with the capability that proves it where one does.
#[derive(Debug)]
#[must_use]
pub(crate) struct Identified {
    pub(crate) caller: Caller,
    pub(crate) verified: Option<Arc<Verified>>,
    /// The delivery that this is, where it may be carried once only.
    pub(crate) delivery: Option<incoming::Delivery>,
}

/// Reads the tenant whose rows tell who a caller is, where there is one. Nothing is proven by it: it comes before [`caller`], so that
/// that waits for no disk.
pub(crate) fn readied<'a>(
    broker: &'a Arc<Broker>,
    unsealed: &'a Unsealed,
    inbound: &Inbound,
) -> impl Future<Output = ()> + Send + use<'a> {
    let tenant = key::tenant_of(inbound);
    async move {
        if let Some(tenant) = tenant {
            broker.awaken(unsealed, tenant).await;
        }
    }
}

/// Proves the caller: by its capability, by the kernel, or, in development on loopback, by nothing.
pub(crate) fn caller(broker: &Broker, unsealed: &Unsealed, inbound: &Inbound) -> Result<Identified, Refusal> {
    let settings = broker.settings();
    let mut facts = inbound.facts.clone();
    facts.environment.clone_from(&settings.environment);
    if let Some(led) = inbound.led() {
        let (tenant, principal) = (led.tenant().clone(), led.principal().clone());
        let caller = prove(tenant, principal, Proof::Led(led.call()), inbound.door, facts);
        return Ok(Identified { caller, verified: None, delivery: None });
    }
    if inbound.door == Door::Server {
        return at_the_server(broker, unsealed, inbound, facts);
    }
    if let Some(written) = &inbound.capability {
        let verified = match named::asked(written) {
            Some(id) => named::capability(broker, unsealed, id, &facts)?,
            None => capability(broker, unsealed, written)?,
        };
        return holder(broker, verified, inbound, facts);
    }
    let (principal, proof) = match inbound.door {
        Door::Cli | Door::Metadata => (broker.owner().clone(), Proof::Kernel),
        // What was started with less than its user may is not that user, and what is in another container is not ours.
        Door::Socket => match facts.holder.uid {
            _ if facts.holder.run.is_some() => (of_run(&facts)?, Proof::Kernel),
            Some(uid) if facts.holder.sight != Sight::Near => {
                (named(&format!("foreign-uid-{uid}"))?, Proof::Kernel)
            }
            Some(uid) if uid == settings.owner_uid => (broker.owner().clone(), Proof::Kernel),
            Some(uid) => (named(&format!("uid-{uid}"))?, Proof::Kernel),
            None => {
                return Err(unauthenticated("the kernel did not say who is at the other end of the socket"));
            }
        },
        Door::Gateway if settings.development && facts.address.is_some_and(is_loopback) => {
            (named("developer")?, Proof::Loopback)
        }
        Door::Gateway | Door::Server => return Err(unauthenticated("no capability was presented")),
    };
    let caller = prove(settings.tenant.clone(), principal, proof, inbound.door, facts);
    Ok(Identified { caller, verified: None, delivery: None })
}

/// Where programs come with a key of the API or a capability, and people with a session. What it is shows in how it begins.
fn at_the_server(
    broker: &Broker,
    unsealed: &Unsealed,
    inbound: &Inbound,
    facts: model::Fact,
) -> Result<Identified, Refusal> {
    match inbound.capability.as_ref() {
        Some(written) if sessions::is_session(written.as_bytes()) => {
            signed::by_session(broker, written.as_bytes(), inbound, facts)
        }
        Some(written) if sessions::is_code(written.as_bytes()) => {
            signed::by_code(broker, written.as_bytes(), inbound, facts)
        }
        Some(written) if written.to_str().is_ok_and(|text| Token::parse(text).is_ok()) => {
            let verified = capability(broker, unsealed, written)?;
            holder(broker, verified, inbound, facts)
        }
        _ => key::caller(broker, unsealed, inbound, facts),
    }
}

/// Whoever presented a capability that was verified.
fn holder(
    broker: &Broker,
    verified: Arc<Verified>,
    inbound: &Inbound,
    facts: model::Fact,
) -> Result<Identified, Refusal> {
    let grant = broker.grants().find(verified.grant()).filter(|grant| grant.tenant == *verified.tenant());
    let grant = grant.ok_or_else(|| unauthenticated("the capability belongs to no grant"))?;
    let proof = Proof::Capability(grant.id);
    let caller = prove(grant.tenant.clone(), grant.principal.clone(), proof, inbound.door, facts);
    Ok(Identified { caller, verified: Some(verified), delivery: None })
}

fn capability(
    broker: &Broker,
    unsealed: &Unsealed,
    written: &http::HeaderValue,
) -> Result<Arc<Verified>, Refusal> {
    let fingerprint = crypto::sha256(&[written.as_bytes()]);
    if let Some(known) = unsealed.verified().find(&fingerprint) {
        return Ok(known);
    }
    let text = written.to_str().map_err(|_| unauthenticated("the capability is not text"))?;
    let token = Token::parse(text).map_err(|error| unauthenticated(&error.to_string()))?;
    // An unknown tenant gets the answer of a forged token: its existence is private.
    let root = broker
        .root_of(unsealed, token.tenant())
        .ok_or_else(|| unauthenticated("the capability was not issued here, or was changed"))?;
    let verified = Arc::new(verify(&token, &root)?);
    unsealed.verified().keep(fingerprint, &verified);
    Ok(verified)
}

#[expect(clippy::disallowed_methods, reason = "this step is the one maker of callers")]
fn prove(
    tenant: model::TenantName,
    principal: model::PrincipalName,
    proof: Proof,
    door: Door,
    facts: model::Fact,
) -> Caller {
    Caller::proven(tenant, principal, proof, door, facts)
}

fn of_run(facts: &model::Fact) -> Result<model::PrincipalName, Refusal> {
    facts.holder.run.map_or_else(|| named(""), |run| named(&run.to_string()))
}

fn named(text: &str) -> Result<model::PrincipalName, Refusal> {
    text.parse().map_err(|_| unauthenticated("the caller has no name"))
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn unauthenticated(message: &str) -> Refusal {
    Refusal::new(Code::Unauthenticated, message).hint(
        "send a capability as `Authorization: Bearer cap1_...`; `doorward capability request` makes one",
    )
}
