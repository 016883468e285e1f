//! A text that a call names and does not hold: it is read before the call is done, and is the one that was named, or nothing is done.
//!
//! The read is a call of its own down this path, with a record of its own, in the name and with the rights of whoever made the call: what
//! they may not read themselves is read for nobody. Its answer is compared with the digest in the reference before anything runs.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::{Fetch, Integration, Referred};
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use model::{Code, EvidenceId, Method, Refusal};
use net::Body;
use net::body::{Bounds, CollectError, collect_bounded};

use crate::Worker;
use crate::inbound::{Asked, Forward, Inbound, Outbound};
use crate::path::admit::Admitted;

/// The text that a call needs and does not hold.
pub(crate) fn wanted(admitted: &Admitted) -> Option<Referred> {
    admitted.way.as_ref()?;
    admitted.integration.referred(admitted.permit.call())
}

/// Reads it. From here on it is there as if it had come with the call.
pub(crate) async fn read(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    referred: &Referred,
) -> Result<(), Refusal> {
    let input = &referred.input;
    let (fetch, from) = place(worker, referred)?;
    let (evidence, body) = fetched(worker, admitted, (&fetch, &from)).await.map_err(|refusal| {
        let message =
            format!("what the input `{input}` names was not read by `{}`: {}", from.name(), refusal.message);
        // An approval of the read is none of the call.
        let code = if refusal.code == Code::ApprovalRequired { Code::Denied } else { refusal.code };
        let told = Refusal::new(code, message).retry(refusal.retry);
        match refusal.hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    })?;
    let text = referred.reference.text(&fetch, &body).map_err(|refusal| named(input, refusal))?;
    let call = admitted.permit.call();
    let inputs = admitted.integration.with_text(call.operation(), call.inputs(), (referred, &text));
    admitted.fetched = Some(inputs.map_err(|refusal| named(input, refusal))?);
    admitted.notes.push((format!("{input}_read"), evidence.to_string()));
    admitted.notes.push((format!("{}_sha256", referred.of), referred.reference.digest()));
    Ok(())
}

fn named(input: &str, refusal: Refusal) -> Refusal {
    let message = format!("what the input `{input}` names: {}", refusal.message);
    let told = Refusal::new(refusal.code, message);
    match refusal.hint {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// The integration that has the place. Where two of the same length have it, whoever calls says which one.
fn place(worker: &Worker, referred: &Referred) -> Result<(Fetch, Arc<Integration>), Refusal> {
    let mut all = worker.broker().catalog().fetching(&referred.reference).into_iter();
    let input = &referred.input;
    let Some((fetch, first)) = all.next() else {
        let message = match referred.reference.by() {
            Some(by) => format!("the input `{input}` names a place that `{by}` does not have"),
            None => format!("the input `{input}` names a place that no integration of the home has"),
        };
        return Err(Refusal::new(Code::BadRequest, message)
            .hint("`doorward integration add` makes one with the `base_url` of that place"));
    };
    match all.next().filter(|(other, _)| other.depth() == fetch.depth()) {
        None => Ok((fetch, first)),
        Some((_, second)) => {
            let message = format!(
                "`{}` and `{}` both have the place that the input `{input}` names",
                first.name(),
                second.name()
            );
            let hint = format!("write `&integration={}` behind the digest", first.name());
            Err(Refusal::new(Code::BadRequest, message).hint(hint))
        }
    }
}

/// Makes the call.
async fn fetched(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    (fetch, from): (&Fetch, &Integration),
) -> Result<(EvidenceId, Bytes), Refusal> {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(fetch.accept))]);
    let mut forward =
        Forward::new(from.name().clone(), Method::Get, fetch.target.clone(), headers, Body::empty());
    let came = &admitted.inbound;
    // Whatever led to the call has led to this one, and may then only read.
    forward.led = came.led().cloned().map(Box::new);
    // What was claimed for the call is not for its reads.
    let facts = model::Fact { claims: None, ..came.facts.clone() };
    let asked = Asked::Forward(Box::new(forward));
    let inbound = Inbound { door: came.door, facts, capability: came.capability.clone(), asked };
    let late =
        || Refusal::new(Code::UpstreamTimeout, format!("it took longer than {} s", PATIENCE.as_secs()));
    let carried = tokio::time::timeout(PATIENCE, carried(Arc::clone(worker), inbound)).await;
    let (evidence, reply) = match carried.unwrap_or_else(|_| Err(late()))? {
        Outbound::Reply(evidence, reply) => (evidence, reply),
        Outbound::Answer(_) | Outbound::Lease(..) => {
            return Err(Refusal::new(Code::UpstreamReply, "it answered with no file"));
        }
    };
    let (parts, body) = reply.into_parts();
    if parts.status != http::StatusCode::OK {
        let message = format!("it answered {}", parts.status.as_u16());
        return Err(Refusal::new(Code::UpstreamReply, message));
    }
    let bounds = Bounds { bytes: LARGEST, frame: PATIENCE, whole: PATIENCE };
    let body = collect_bounded(body, bounds).await.map_err(|error| match error {
        CollectError::TooLarge(most) => {
            Refusal::new(Code::TooLarge, format!("it is larger than {most} bytes"))
        }
        error => Refusal::new(Code::UpstreamReply, error.to_string()),
    })?;
    Ok((evidence, body))
}

/// Boxed under a type of its own: the path leads to itself here.
fn carried(worker: Arc<Worker>, inbound: Inbound) -> Carried {
    Box::pin(async move { worker.call(inbound).await })
}

type Carried = Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>>;

/// How much such a text may be: in Base64, with what stands around it.
const LARGEST: usize = (1 << 20) * 3 / 2;
/// How long a call waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
