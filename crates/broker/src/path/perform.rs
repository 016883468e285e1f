//! Step 8: forward the request, run the program, or do what Doorward itself does.
//!
//! A new way to perform is one variant of [`Performed`].

use catalog::Limits;
use evidence::Receipt;
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use model::{Access, Code, Refusal, Retry, Scheme};
use net::body::{Bounds, collect_bounded};
use net::{Body, Cut, Incoming, Patience, Sent};

use crate::manage::Done;
use crate::mint::{self, Minted};
use crate::path::admit::Admitted;
use crate::path::inject::{Armed, Sending};
use crate::path::scrub::{Scrubbed, Told, Tunnel};
use crate::upstreams::{Known, Shown};
use crate::{Worker, log, manage, spans};
pub(crate) use program::Run;
use secrets::Mask;
use std::sync::Arc;

mod again;
mod program;
mod repeat;
pub(crate) mod standing;
mod switch;

/// What the upstream answered, before it is scrubbed.
pub(crate) enum Replied {
    /// A reply with its body still to come.
    Forwarded(Response<Incoming>, Option<Arc<Mask>>),
    /// A WebSocket that both ends agreed to, with the head that says so.
    Switched(Box<Response<()>>, Box<Tunnel>),
    /// The answer of an operation of Doorward itself.
    Managed(Done),
    /// A derived credential, or what was done with the one that it would be derived from.
    Minted(Minted),
    /// What a program printed and how it ended.
    Ran(Box<Run>),
}

/// What was done, fit to go back to the caller.
pub(crate) enum Performed {
    /// A scrubbed reply.
    Reply(Box<Scrubbed>),
    /// A WebSocket, with the head that agrees to it and how often the credential was masked there.
    Tunnel((Response<()>, u64), Box<Tunnel>),
    /// The answer of an operation of Doorward itself.
    Answer(Done),
    /// A derived credential; it is for the caller, so nothing is scrubbed from it.
    Lease(Minted),
    /// What came of an operation by name, by a program or by a request.
    Ran(Box<Told>),
}

/// Does it.
pub(crate) async fn call(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    receipt: &Receipt,
    armed: Armed,
) -> Result<Replied, Refusal> {
    match armed {
        Armed::Manage => Ok(Replied::Managed(Box::pin(manage::run(worker, admitted, receipt)).await?)),
        Armed::Mint => Ok(Replied::Minted(Box::pin(mint::run(worker, admitted, receipt)).await?)),
        Armed::Run(prepared) => {
            let run = Box::pin(program::run(worker, admitted, receipt, *prepared)).await?;
            Ok(Replied::Ran(Box::new(run)))
        }
        Armed::Forward(sending, mask, special) => {
            if let Some(asked) = switch::asked(admitted) {
                return Box::pin(switch::call(worker, admitted, sending, (asked, mask))).await;
            }
            let reply = sent(worker, admitted, sending).await?;
            match special {
                None => Ok(Replied::Forwarded(reply, mask)),
                Some(special) => {
                    let again = again::reply(worker, admitted, receipt, (reply, mask), *special);
                    let (reply, mask) = Box::pin(again).await?;
                    Ok(Replied::Forwarded(reply, mask))
                }
            }
        }
    }
}

/// Sends a request, the way that its integration says.
async fn sent(
    worker: &Worker,
    admitted: &mut Admitted,
    mut sending: Sending,
) -> Result<Response<Incoming>, Refusal> {
    let limits = admitted.integration.limits();
    let short = sending.request.body().size_hint().exact().is_some_and(|length| length <= SHORT_BODY);
    // The time for the head begins with the last byte that was sent: a long body may be on its way up for longer.
    let head = if short {
        Patience::whole(limits.head.min(limits.total))
    } else {
        Patience::behind(limits.head, limits.total)
    };
    // Where a service has less time to answer than its caller has to send.
    if short && limits.head < limits.idle && !sending.request.body().is_end_stream() {
        // Boxed, as it is rare.
        Box::pin(complete(&mut sending.request, limits)).await?;
    }
    correlated(sending.request.headers(), &mut admitted.notes);
    let began = spans::began(admitted.next.as_deref());
    if let Some(known) = known(worker, admitted, sending.shown.as_deref()) {
        sending.dial.way = known.way(sending.shown.as_deref())?;
        if known.persists() {
            // Boxed, as it is rare.
            let reply = Box::pin(repeat::send(worker, admitted, &known, sending, head)).await;
            spans::sent((admitted.next.as_deref(), began), reply.as_ref().map(Response::status));
            return reply;
        }
    }
    let Sending { request, dial, shown: _ } = sending;
    let reply = worker.upstream().send(&dial, request, head).await;
    let reply = reply.map_err(|error| failed(&error, admitted));
    spans::sent((admitted.next.as_deref(), began), reply.as_ref().map(Response::status));
    reply
}

/// Waits for a short body, so that the time which the service has for its answer doesn't run while the caller is still sending. What
/// breaks off was never sent.
#[cold]
async fn complete(request: &mut Request<Body>, limits: &Limits) -> Result<(), Refusal> {
    let most = usize::try_from(SHORT_BODY).unwrap_or(usize::MAX);
    let bounds = Bounds { bytes: most, frame: limits.idle, whole: limits.total };
    let body = std::mem::take(request.body_mut());
    let bytes = collect_bounded(body, bounds)
        .await
        .map_err(|error| Refusal::new(Code::BadRequest, error.to_string()).retry(Retry::Safe))?;
    *request.body_mut() = Body::full(bytes);
    Ok(())
}

/// Notes by which names others know this request: its name in the caller's log, and the trace (W3C Trace Context) that it
/// belongs to. Both go on to the service as they are.
fn correlated(headers: &HeaderMap, notes: &mut Vec<(String, String)>) {
    for (name, value) in headers {
        // Few requests have one of these, so no value is read before its name is known.
        let text = || value.to_str().unwrap_or_default();
        match name.as_str() {
            "x-request-id" if (1..=128).contains(&text().len()) => note(notes, "request_id", text()),
            "traceparent" => {
                // `00-TRACE-SPAN-FLAGS`
                let trace = text().split('-').nth(1).filter(|trace| trace.len() == 32);
                let trace = trace.filter(|trace| trace.bytes().all(|b| b.is_ascii_hexdigit()));
                if let Some(trace) = trace {
                    note(notes, "trace", trace);
                }
            }
            _ => {}
        }
    }
}

/// Notes it once, however often the request is sent.
fn note(notes: &mut Vec<(String, String)>, name: &str, value: &str) {
    if notes.iter().all(|(known, _)| known != name) {
        notes.push((name.to_owned(), value.to_owned()));
    }
}

/// What is known of the upstream beyond where it is. A certificate that nobody looks at is said aloud.
fn known(worker: &Worker, admitted: &mut Admitted, shown: Option<&Shown>) -> Option<Arc<Known>> {
    let Admitted { integration, notes, .. } = admitted;
    if integration.tls_insecure_skip_verify() && integration.authority().scheme() == Scheme::Https {
        log::unchecked(integration);
        note(notes, "tls", "unchecked");
    }
    worker.broker().upstreams().of(integration, shown)
}

/// Nothing sent: it failed, and may be tried again. Maybe sent: a read failed; of a write nobody knows what came of it.
fn failed(error: &net::Error, admitted: &Admitted) -> Refusal {
    let name = admitted.integration.name();
    let (code, retry) = match (error.sent(), admitted.permit.call().access(), error) {
        // No service takes a part for the whole: what came of it is that it did not come.
        (_, _, net::Error::Upload { why: Cut::Broken, .. }) => (Code::BodyBroken, Retry::No),
        (_, _, net::Error::Upload { why: Cut::Refused(_), .. }) => (Code::TooLarge, Retry::No),
        (Sent::Nothing, _, net::Error::Address { .. }) => (Code::AddressForbidden, Retry::No),
        (Sent::Nothing, _, net::Error::Request(_)) => (Code::BadRequest, Retry::No),
        (Sent::Nothing, _, net::Error::Timeout { .. }) => (Code::UpstreamTimeout, Retry::Safe),
        (Sent::Nothing, _, _) => (Code::UpstreamUnreachable, Retry::Safe),
        (Sent::Maybe, Access::Write, _) => (Code::OutcomeUnknown, Retry::No),
        (Sent::Maybe, Access::Read, net::Error::Timeout { .. }) => (Code::UpstreamTimeout, Retry::Safe),
        (Sent::Maybe, Access::Read, _) => (Code::UpstreamReply, Retry::Safe),
    };
    let refusal = Refusal::new(code, format!("`{name}`: {}", chain(error))).retry(retry);
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

/// An error and its sources in one line. These come from our own crates and the TLS library; none repeats a request.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(one) = source {
        text.push_str(": ");
        text.push_str(&one.to_string());
        source = one.source();
    }
    text
}

/// A body up to this length is sent at once.
const SHORT_BODY: u64 = 64 * 1024;
