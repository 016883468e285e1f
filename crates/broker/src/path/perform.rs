//! Step 8: forward the request, or do what Doorward itself does.
//!
//! A new way to perform is one variant of [`Performed`]: running a command comes next to these three.

use evidence::Receipt;
use http::Response;
use http_body::Body as _;
use model::{Access, Code, Refusal, Retry};
use net::{Incoming, Sent};

use crate::manage::Done;
use crate::mint::{self, Minted};
use crate::path::admit::Admitted;
use crate::path::inject::{Armed, Sending};
use crate::path::scrub::Scrubbed;
use crate::{Worker, manage};
use secrets::Mask;
use std::sync::Arc;

/// What the upstream answered, before it is scrubbed.
pub(crate) enum Replied {
    /// A reply with its body still to come.
    Forwarded(Response<Incoming>, Option<Arc<Mask>>),
    /// The answer of an operation of Doorward itself.
    Managed(Done),
    /// A derived credential, or what was done with the one that it would be derived from.
    Minted(Minted),
}

/// What was done, fit to go back to the caller.
pub(crate) enum Performed {
    /// A scrubbed reply.
    Reply(Box<Scrubbed>),
    /// The answer of an operation of Doorward itself.
    Answer(Done),
    /// A derived credential; it is for the caller, so nothing is scrubbed from it.
    Lease(Minted),
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
        Armed::Forward(sending, mask) => {
            let Sending { request, dial } = sending;
            let limits = admitted.integration.limits();
            // The time for the head runs while a long body is still on its way up.
            let short = request.body().size_hint().exact().is_some_and(|length| length <= SHORT_BODY);
            let head = if short { limits.head.min(limits.total) } else { limits.total };
            let reply = worker.upstream().send(&dial, request, head).await;
            let reply = reply.map_err(|error| failed(&error, admitted))?;
            Ok(Replied::Forwarded(reply, mask))
        }
    }
}

/// Nothing sent: it failed, and may be tried again. Maybe sent: a read failed; of a write nobody knows what came of it.
fn failed(error: &net::Error, admitted: &Admitted) -> Refusal {
    let name = admitted.integration.name();
    let (code, retry) = match (error.sent(), admitted.permit.call().access(), error) {
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
