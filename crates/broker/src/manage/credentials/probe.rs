//! Whether a provider takes a credential: its integration's probe, as a call of its own down the path.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use catalog::Provider;
use http::HeaderMap;
use model::{Code, Refusal, SecretName, TenantName};
use net::Body;
use net::body::{Bounds, collect_bounded};
use serde_json::Value;

use crate::Worker;
use crate::inbound::{Asked, Forward, Inbound, Led, Outbound};
use crate::manage::Managing;

/// What a provider says of a credential.
pub(super) enum Verdict {
    /// It takes it.
    Works,
    /// It refuses it, and why.
    Refused(String),
    /// It did not say: it is busy, broken or out of reach.
    Unknown(String),
}

/// Sends the probe with this credential. It is permitted and recorded by itself, and says what led to it.
pub(super) async fn verdict(
    managing: &Managing<'_>,
    tenant: &TenantName,
    provider: &Provider,
    secret: &SecretName,
) -> Result<Verdict, Refusal> {
    let Some(integration) = &provider.integration else {
        return Ok(Verdict::Unknown(format!(
            "{} credentials are kept, and not validated by this version",
            provider.title
        )));
    };
    let wrong = |error: &dyn std::error::Error| Refusal::new(Code::BadRequest, error.to_string());
    let found = managing.worker.broker().catalog().get(integration).map_err(|error| wrong(&error))?;
    let Some(probe) = found.probe() else {
        return Ok(Verdict::Unknown(format!("`{integration}` has no probe")));
    };
    let candidate = format!("store:{secret}").parse().map_err(|error: model::ParseError| wrong(&error))?;
    let mut forward = Forward::new(
        integration.clone(),
        probe.method(),
        probe.target().clone(),
        HeaderMap::new(),
        Body::empty(),
    );
    let (permit, receipt) = (&managing.admitted.permit, managing.receipt);
    forward.led = Some(Box::new(Led::new(permit, receipt, tenant.clone(), candidate)));
    let inbound = Inbound {
        door: managing.admitted.inbound.door,
        facts: managing.admitted.inbound.facts.clone(),
        capability: None,
        asked: Asked::Forward(Box::new(forward)),
    };
    let called = carried(Arc::clone(managing.worker), inbound);
    let reply = match called.await {
        Ok(Outbound::Reply(_, reply)) => reply,
        Ok(Outbound::Answer(_) | Outbound::Lease(..)) => {
            return Ok(Verdict::Unknown("the provider could not be asked".to_owned()));
        }
        Err(refusal) if refusal.code == Code::SecretMissing => {
            return Ok(Verdict::Refused(refusal.message));
        }
        Err(refusal) => return Ok(Verdict::Unknown(refusal.message)),
    };
    let (parts, body) = reply.into_parts();
    let status = parts.status.as_u16();
    let bounds = Bounds { bytes: MOST, frame: PATIENCE, whole: PATIENCE };
    let Ok(body) = collect_bounded(body, bounds).await else {
        return Ok(Verdict::Unknown("the provider's answer broke off".to_owned()));
    };
    Ok(match status {
        _ if probe.unmet(status, &body).is_none() => Verdict::Works,
        401 => Verdict::Refused("Invalid API key".to_owned()),
        403 => Verdict::Refused("API key lacks required permissions".to_owned()),
        400 => Verdict::Refused(said(&body)),
        300..=399 => Verdict::Refused("API validation failed - unexpected redirect".to_owned()),
        408 | 429 | 500..=599 => Verdict::Unknown(format!("API error: {status}")),
        200..=299 => Verdict::Unknown("the provider answered something else than it says it does".to_owned()),
        _ => Verdict::Refused(format!("API error: {status}")),
    })
}

/// Boxed under a type of its own: the path leads to itself here.
fn carried(worker: Arc<Worker>, inbound: Inbound) -> Carried {
    Box::pin(async move { worker.call(inbound).await })
}

type Carried = Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>>;

/// What a provider says is wrong; the credential was masked in it on its way here.
fn said(body: &[u8]) -> String {
    let read: Option<Value> = serde_json::from_slice(body).ok();
    let message = read.as_ref().and_then(|read| read.get("error")?.get("message")?.as_str());
    message.map_or_else(
        || "Invalid API key or bad request".to_owned(),
        |message| {
            let plain = message.chars().filter(|c| !c.is_control()).take(LONGEST);
            format!("API error: {}", plain.collect::<String>())
        },
    )
}

/// A list of models is long.
const MOST: usize = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST: usize = 300;
