//! Whether a provider takes a credential: the probe of its integration, or one of its trials, as a call of its own down the path.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::{Group, Integration, Provider, Trial, Whose};
use http::HeaderMap;
use model::{Code, Method, Refusal, SecretRef, Target, TenantName};
use net::Body;
use net::body::{Bounds, collect_bounded};
use tenancy::CredentialRow;

use super::said::{clocks_differ, said};
use crate::Worker;
use crate::inbound::{Asked, Forward, Inbound, Led, Outbound};
use crate::manage::Managing;
use crate::outgoing::NOT_TAKEN;

/// What a provider says of a credential.
pub(super) enum Verdict {
    /// It takes it.
    Works,
    /// It refuses it, and why.
    Refused(String),
    /// It did not say: it is busy, broken or out of reach.
    Unknown(String),
}

/// How a call ended: with a reply, or without one and what that says.
enum Ended {
    Reply(u16, Bytes),
    Without(Verdict),
}

/// A credential that is tried, and with whose keys.
struct Trying<'a> {
    managing: &'a Managing<'a>,
    integration: &'a Integration,
    tenant: TenantName,
    candidate: Option<SecretRef>,
}

/// Tries a credential. Each request is permitted and recorded by itself, and says what led to it.
pub(super) async fn verdict(
    managing: &Managing<'_>,
    tenant: &TenantName,
    provider: &Provider,
    row: &CredentialRow,
) -> Result<Verdict, Refusal> {
    let Some(integration) = &provider.integration else {
        return Ok(Verdict::Unknown(format!(
            "{} credentials are kept, and not validated by this version",
            provider.title
        )));
    };
    let wrong = |error: &dyn std::error::Error| Refusal::new(Code::BadRequest, error.to_string());
    let broker = managing.worker.broker();
    let found = broker.catalog().get(integration).map_err(|error| wrong(&error))?;
    let secret = format!("store:{}", row.secret).parse();
    let secret: SecretRef = secret.map_err(|error: model::ParseError| wrong(&error))?;
    let (trial, whose) = provider.tried(&row.facts);
    let (tenant, candidate) = match whose {
        Whose::Candidate => (tenant.clone(), Some(secret)),
        // A role that trusts the house is assumed by the house.
        Whose::House => (broker.settings().tenant.clone(), None),
    };
    let trying = Trying { managing, integration: &found, tenant, candidate };
    let Some(name) = trial else { return Ok(trying.probe(provider).await) };
    let Some(trial) = found.trial(name) else {
        return Ok(Verdict::Unknown(format!("`{integration}` has no trial `{name}`")));
    };
    trying.trial(provider, trial, row).await
}

impl Trying<'_> {
    /// The probe as it stands in the file.
    async fn probe(&self, provider: &Provider) -> Verdict {
        let name = self.integration.name();
        let Some(probe) = self.integration.probe() else {
            return Verdict::Unknown(format!("`{name}` has no probe"));
        };
        match self.send((probe.method(), probe.target().clone()), self.led()).await {
            Ended::Without(verdict) => verdict,
            Ended::Reply(status, body) => {
                judged(provider, (status, &body), probe.unmet(status, &body).is_none())
            }
        }
    }

    /// A trial, asked with what the credential says of itself; where it decides nothing, the probe.
    async fn trial(
        &self,
        provider: &Provider,
        trial: &Trial,
        row: &CredentialRow,
    ) -> Result<Verdict, Refusal> {
        let mut facts = row.facts.clone();
        facts.insert("tenant".to_owned(), self.managing.input("tenant")?.to_owned());
        let inputs = match trial.inputs(&facts) {
            Ok(inputs) => inputs,
            Err(name) => {
                let why = format!("it is not known which `{name}` it is for: set the credential up again");
                return Ok(Verdict::Unknown(why));
            }
        };
        let root: Target = "/"
            .parse()
            .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))?;
        let led = self.led().named(trial.operation().clone(), inputs);
        match self.send((Method::Get, root), led).await {
            Ended::Without(verdict) => Ok(verdict),
            Ended::Reply(status, _) if trial.is_undecided(status) => Ok(self.probe(provider).await),
            Ended::Reply(status, body) => {
                Ok(judged(provider, (status, &body), trial.unmet(status, &body).is_none()))
            }
        }
    }

    fn led(&self) -> Led {
        let (permit, receipt) = (&self.managing.admitted.permit, self.managing.receipt);
        let led = Led::new(permit, receipt, self.tenant.clone());
        match &self.candidate {
            Some(candidate) => led.with(candidate.clone()),
            None => led,
        }
    }

    /// Sends one request, and reads what comes back.
    async fn send(&self, (method, target): (Method, Target), led: Led) -> Ended {
        let name = self.integration.name().clone();
        let mut forward = Forward::new(name, method, target, HeaderMap::new(), Body::empty());
        forward.led = Some(Box::new(led));
        let came = &self.managing.admitted.inbound;
        let asked = Asked::Forward(Box::new(forward));
        let inbound = Inbound { door: came.door, facts: came.facts.clone(), capability: None, asked };
        // A service may have minutes for a long answer; whoever sets a credential up waits for a short one. The call goes on
        // without us and is settled as what became of it.
        let carried = tokio::time::timeout(PATIENCE, carried(Arc::clone(self.managing.worker), inbound));
        let Ok(carried) = carried.await else {
            let why = format!("the provider did not answer within {} s", PATIENCE.as_secs());
            return Ended::Without(Verdict::Unknown(why));
        };
        let reply = match carried {
            Ok(Outbound::Reply(_, reply)) => reply,
            Ok(Outbound::Answer(_) | Outbound::Lease(..)) => {
                return Ended::Without(Verdict::Unknown("the provider could not be asked".to_owned()));
            }
            Err(refusal) => return Ended::Without(self.unsent(refusal)),
        };
        let (parts, body) = reply.into_parts();
        let bounds = Bounds { bytes: MOST, frame: PATIENCE, whole: PATIENCE };
        match collect_bounded(body, bounds).await {
            Ok(body) => Ended::Reply(parts.status.as_u16(), body),
            Err(_) => Ended::Without(Verdict::Unknown("the provider's answer broke off".to_owned())),
        }
    }

    /// What it means that nothing was sent: where the credential itself is why, it is refused.
    fn unsent(&self, refusal: Refusal) -> Verdict {
        let of_the_credential = self.candidate.is_some()
            && (refusal.code == Code::SecretMissing || refusal.reason.as_deref() == Some(NOT_TAKEN))
            && !clocks_differ(&refusal.message);
        if of_the_credential { Verdict::Refused(refusal.message) } else { Verdict::Unknown(refusal.message) }
    }
}

/// What an answer says of a credential.
fn judged(provider: &Provider, (status, body): (u16, &[u8]), works: bool) -> Verdict {
    let told = said(body);
    match status {
        _ if works => Verdict::Works,
        _ if told.as_deref().is_some_and(clocks_differ) => {
            Verdict::Unknown("the provider's clock and the one of this machine differ".to_owned())
        }
        // The answers of clouds say what is missing, such as an API that is not enabled.
        400..=404 if provider.group == Group::Cloud && told.is_some() => {
            Verdict::Refused(format!("API error: {}", told.unwrap_or_default()))
        }
        401 => Verdict::Refused("Invalid API key".to_owned()),
        403 => Verdict::Refused("API key lacks required permissions".to_owned()),
        400 => Verdict::Refused(told.map_or_else(
            || "Invalid API key or bad request".to_owned(),
            |message| format!("API error: {message}"),
        )),
        300..=399 => Verdict::Refused("API validation failed - unexpected redirect".to_owned()),
        408 | 429 | 500..=599 => Verdict::Unknown(format!("API error: {status}")),
        200..=299 => Verdict::Unknown("the provider answered something else than it says it does".to_owned()),
        _ => Verdict::Refused(format!("API error: {status}")),
    }
}

/// Boxed under a type of its own: the path leads to itself here.
fn carried(worker: Arc<Worker>, inbound: Inbound) -> Carried {
    Box::pin(async move { worker.call(inbound).await })
}

type Carried = Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>>;

/// A list of models is long.
const MOST: usize = 4 << 20;
/// How long a provider has for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
