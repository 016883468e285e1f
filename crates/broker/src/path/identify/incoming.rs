//! Callers without a capability, proven by what comes with their request: tokens, passwords, certificates, signatures.
//!
//! Every scheme of the integration has to accept; the last one that names the caller gives its subject. What proved somebody is
//! taken off the request before anybody else looks at it. Whatever can't be checked (a sealed broker, a secret that is not there,
//! keys that can't be fetched) refuses: nothing in here passes because something is missing.
//!
//! # Invariants
//!
//! - Secrets are asked through [`secrets::Checking`], which answers and lends nothing.
//! - A caller is told the same of every reason; the reason is in our log, without any of what came.
//! - A delivery that was carried is not carried again, see [`deliveries`].

pub(crate) mod access_token;
mod certificate;
mod deliveries;
pub(crate) mod id_token;
mod issuers;
mod jwt;
mod keys;
mod shown;
mod signature;
mod strangers;
mod twilio;
pub(crate) mod user_info;
mod xfcc;

use std::sync::Arc;

use bytes::Bytes;
use catalog::{Incoming, Integration};
use http::HeaderMap;
use http::header::HeaderName;
use model::{Code, Door, Fact, Method, PrincipalName, Proof, Refusal, Retry, Target, TenantName, Timestamp};
use secrets::Checking;

use super::{Identified, prove};
use crate::Worker;
use crate::broker::{Edition, Unsealed};
use crate::inbound::{Asked, Forward, Inbound};
use crate::path::resolve;

pub(crate) use deliveries::Delivery;
pub(crate) use strangers::network;

/// What is remembered between calls: deliveries, keys of issuers, addresses that failed.
#[derive(Default)]
pub(crate) struct Memory {
    deliveries: Arc<deliveries::Deliveries>,
    issuers: issuers::Issuers,
    strangers: strangers::Strangers,
}

impl Memory {
    /// Forgets what is over.
    pub(crate) fn tidy(&self, now: Timestamp) {
        self.deliveries.tidy(now);
        self.strangers.tidy(now);
    }
}

/// The integration, where its own file says how callers without a capability are known: looked at only where none came.
pub(crate) fn asks(edition: &Edition, inbound: &Inbound) -> Option<Arc<Integration>> {
    if inbound.capability.is_some() || inbound.door != Door::Gateway {
        return None;
    }
    let Asked::Forward(forward) = &inbound.asked else { return None };
    let found = edition.known(&forward.integration)?;
    (found.anonymous() || !found.incoming().is_empty()).then_some(found)
}

/// Why somebody is not proven.
#[derive(Debug)]
enum No {
    /// What came does not prove it. The reason is for our log.
    Wrong(&'static str),
    /// It can't be checked now, which is not the caller's fault.
    Ours(Refusal),
}

/// What one scheme accepted.
#[derive(Debug, Default)]
struct Accepted {
    /// Who it is, where the scheme knows.
    id: Option<String>,
    /// Headers that proved it.
    spent: Vec<String>,
    /// Whether the last segment of the path proved it.
    cut: bool,
    /// What makes the delivery the same as one before, and until when that counts.
    delivery: Option<([u8; 16], Timestamp)>,
}

/// What came, as schemes see it.
struct Came<'a> {
    method: Method,
    target: &'a Target,
    /// The same as it was written: what a signature is over.
    written: &'a str,
    headers: &'a HeaderMap,
    facts: &'a Fact,
    /// Whole where a signature is over it, else empty.
    body: Bytes,
}

/// Who asks, and what may answer.
struct Asking<'a> {
    worker: &'a Worker,
    unsealed: &'a Unsealed,
    tenant: &'a TenantName,
    integration: &'a Integration,
    now: Timestamp,
}

/// Proves the caller in every way that the integration asks for.
pub(crate) async fn proven(
    worker: &Worker,
    unsealed: &Unsealed,
    integration: Arc<Integration>,
    inbound: &mut Inbound,
) -> Result<Identified, Refusal> {
    let broker = worker.broker();
    let mut facts = inbound.facts.clone();
    facts.environment.clone_from(&broker.settings().environment);
    let tenant = &broker.settings().tenant;
    let Asked::Forward(forward) = &mut inbound.asked else {
        return Err(unproven(&integration));
    };
    if integration.anonymous() {
        let nobody = super::named("anonymous")?;
        let caller = prove(tenant.clone(), nobody, Proof::Anonymous, inbound.door, facts);
        return Ok(Identified { caller, verified: None, delivery: None });
    }
    let now = broker.now();
    let memory = broker.incoming();
    if let Some(wait) = memory.strangers.waits(facts.address, integration.name(), now) {
        let message = format!(
            "too many requests to `{}` that proved nobody came from this address",
            integration.name()
        );
        return Err(Refusal::new(Code::RateLimited, message).retry(Retry::After(wait)));
    }
    let asking = Asking { worker, unsealed, tenant, integration: &integration, now };
    let accepted = match asking.all(forward, &facts).await {
        Ok(accepted) => accepted,
        Err(No::Wrong(why)) => {
            tracing::debug!(integration = %integration.name(), why, "nobody is proven by what came");
            memory.strangers.failed(facts.address, integration.name(), now);
            return Err(unproven(&integration));
        }
        Err(No::Ours(refusal)) => return Err(refusal),
    };
    let Accepted { id, spent, cut, delivery } = accepted;
    take_off(forward, &spent, cut)?;
    let delivery = match delivery {
        Some((key, until)) => Some(memory.deliveries.begin(integration.name(), key, now, until)?),
        None => None,
    };
    let principal = principal(&integration, id.as_deref())?;
    let caller = prove(tenant.clone(), principal, Proof::Incoming, inbound.door, facts);
    Ok(Identified { caller: caller.called(id.map(Into::into)), verified: None, delivery })
}

/// Proof that what came to another door was signed as an integration says, with the delivery that it is.
#[must_use]
pub(crate) struct Signed(pub(crate) Option<Delivery>);

/// Looks at a signature for another door than the gateway's. Whatever else the integration asks for can't be shown there.
pub(crate) async fn signed(
    worker: &Worker,
    unsealed: &Unsealed,
    name: &model::IntegrationName,
    came: (&HeaderMap, Bytes),
) -> Result<Signed, Refusal> {
    let broker = worker.broker();
    let integration = broker
        .catalog()
        .get(name)
        .map_err(|error| crate::broker::refused(&error, Code::NotFound, error.hint()))?;
    let [Incoming::Signature(signature)] = integration.incoming() else {
        let message = format!("`{name}` has to ask for exactly one signature under `incoming`");
        return Err(Refusal::new(Code::BadRequest, message));
    };
    // Where it is asked for, no scheme that is taken here looks.
    let target: Target = "/".parse().map_err(|_| unproven(&integration))?;
    let (facts, now) = (Fact::default(), broker.now());
    let (headers, body) = came;
    let written = target.as_str();
    let came = Came { method: Method::Post, target: &target, written, headers, facts: &facts, body };
    let asking =
        Asking { worker, unsealed, tenant: &broker.settings().tenant, integration: &integration, now };
    let accepted = asking.signature(signature, &came).await.map_err(|no| match no {
        No::Wrong(why) => {
            tracing::debug!(integration = %name, why, "a signature does not hold");
            unproven(&integration)
        }
        No::Ours(refusal) => refusal,
    })?;
    let deliveries = &broker.incoming().deliveries;
    let begun = accepted.delivery.map(|(key, until)| deliveries.begin(name, key, now, until));
    Ok(Signed(begun.transpose()?))
}

impl Asking<'_> {
    /// Asks every scheme.
    async fn all(&self, forward: &mut Forward, facts: &Fact) -> Result<Accepted, No> {
        let signatures = self.integration.incoming().iter().filter_map(|scheme| match scheme {
            Incoming::Signature(signature) => Some(&**signature),
            _ => None,
        });
        let mut body = Bytes::new();
        for signature in signatures {
            // A stranger has us hold no body before anything like a proof is there.
            signature::announced(signature, &forward.headers)?;
            body = forward.whole(self.integration.limits()).await.map_err(No::Ours)?;
        }
        let Forward { method, target, written, headers, .. } = &*forward;
        let written = written.as_deref().unwrap_or(target.as_str());
        let came = Came { method: *method, target, written, headers, facts, body };
        let mut all = Accepted::default();
        for scheme in self.integration.incoming() {
            let Accepted { id, spent, cut, delivery } = self.one(scheme, &came).await?;
            all.id = id.or(all.id);
            all.spent.extend(spent);
            all.cut |= cut;
            all.delivery = delivery.or(all.delivery);
        }
        Ok(all)
    }

    async fn one(&self, scheme: &Incoming, came: &Came<'_>) -> Result<Accepted, No> {
        match scheme {
            Incoming::Token(shown) => self.token(shown, came).await,
            Incoming::Basic(shown) => self.basic(shown, came).await,
            Incoming::UrlPath(keys) => self.url_path(keys, came).await,
            Incoming::Jwt(jwt) => self.jwt(jwt, came).await,
            Incoming::ClientCertificate(names) => certificate::check(names, came),
            Incoming::EnvoyXfcc(rules) => xfcc::check(rules, came),
            Incoming::Signature(signature) => self.signature(signature, came).await,
        }
    }

    /// Opens a secret for checking.
    async fn checking(&self, field: &str) -> Result<Checking, No> {
        let missing = || No::Ours(resolve::missing(field));
        let wanted = self.integration.secrets().get(field).ok_or_else(missing)?;
        self.worker.broker().bound().map_err(No::Ours)?;
        let name = self.integration.name();
        let opened = self.unsealed.secrets().checking(self.tenant, name, &wanted.reference).await;
        opened.map_err(|error| {
            tracing::warn!(integration = %name, %error, "a secret that callers are checked with can't be had");
            No::Ours(unchecked(self.integration, error.code()))
        })
    }
}

/// Every reason has this one text: whoever tries learns nothing from it.
fn unproven(integration: &Integration) -> Refusal {
    let message = format!("what came with the request does not prove who calls `{}`", integration.name());
    Refusal::new(Code::Unauthenticated, message)
        .hint("send what `incoming` of the integration's file asks for, or a capability")
}

/// What we lack is not the caller's fault, and is told to nobody outside in detail.
fn unchecked(integration: &Integration, code: Code) -> Refusal {
    let message = format!("who calls `{}` can't be checked at the moment", integration.name());
    let refusal = Refusal::new(code, message).hint("the log of the broker says what is missing");
    if code == Code::SourceUnavailable { refusal.retry(Retry::Safe) } else { refusal }
}

/// Removes what proved somebody, so that no rule, no record and no service sees it.
fn take_off(forward: &mut Forward, spent: &[String], cut: bool) -> Result<(), Refusal> {
    for name in spent {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            forward.headers.remove(name);
        }
    }
    if cut {
        // The secret stands in it.
        forward.written = None;
        let path = forward.target.path();
        let kept = path.rfind('/').and_then(|at| path.get(..at)).unwrap_or_default();
        let kept = if kept.is_empty() { "/" } else { kept };
        let written = match forward.target.query() {
            Some(query) => format!("{kept}?{query}"),
            None => kept.to_owned(),
        };
        // The text is not repeated: the secret stood in it.
        forward.target = written
            .parse()
            .map_err(|_| Refusal::new(Code::BadRequest, "the rest of the path can't be sent"))?;
    }
    Ok(())
}

/// The name of a caller: `in.INTEGRATION.ID`, the id as a word. Where that is not the id itself, a part of its hash keeps two
/// callers apart; so does it where an id ends like such a part.
fn principal(integration: &Integration, id: Option<&str>) -> Result<PrincipalName, Refusal> {
    let Some(id) = id else { return super::named(&format!("in.{}.caller", integration.name())) };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let word: String = id
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if plain(c) { c } else { '-' })
        .take(WORD)
        .collect();
    let word = word.trim_matches(['-', '_']);
    let hashed = id.rsplit_once('-').is_some_and(|(_, end)| {
        end.len() == 2 * HASH && end.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    if word == id && !hashed && id != "caller" {
        return super::named(&format!("in.{}.{word}", integration.name()));
    }
    let digest = crypto::sha256(&[id.as_bytes()]);
    let hash = crypto::to_hex(digest.get(..HASH).unwrap_or_default());
    let word = if word.is_empty() { "id" } else { word };
    super::named(&format!("in.{}.{word}-{hash}", integration.name()))
}

/// The one value of a header behind its prefix; none where there is no such header, or more than one.
fn presented<'a>(place: &catalog::incoming::Place, headers: &'a HeaderMap) -> Result<&'a [u8], No> {
    let value = single(headers, &place.header)?.as_bytes();
    let prefix = place.prefix.as_bytes();
    let (start, rest) =
        value.split_at_checked(prefix.len()).ok_or(No::Wrong("the header has another form"))?;
    // The name of a scheme is read without regard to case (RFC 9110, section 11.1).
    let fits = if prefix.ends_with(b" ") { start.eq_ignore_ascii_case(prefix) } else { start == prefix };
    if !fits || rest.is_empty() {
        return Err(No::Wrong("the header has another form"));
    }
    Ok(rest)
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a http::HeaderValue, No> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(No::Wrong("the header is not there")),
        (Some(_), Some(_)) => Err(No::Wrong("the header is there more than once")),
    }
}

/// Longest word of an id in a name.
const WORD: usize = 40;
/// Bytes of the hash in a name. With four, somebody who chooses an id could soon find one with the name of another caller.
const HASH: usize = 8;

#[cfg(test)]
mod tests;
