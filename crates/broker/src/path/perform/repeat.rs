//! Sends a request to an upstream whose integration says how often, and when to leave it alone.
//!
//! # Invariants
//!
//! - Only methods that mean the same when they are said twice are repeated (RFC 9110, section 9.2.2), and only where all of the
//!   body is here.
//! - A request of which something may have been sent is repeated only where policy saw a read.
//! - All attempts together take no longer than one call may take, and each repetition is paid for from the budget.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, Response, StatusCode};
use model::{Access, Code, Method, Refusal, Retry};
use net::{Body, Dial, Incoming, Patience, Sent};
use tokio::time::Instant;

use super::{Sending, failed};
use crate::path::admit::Admitted;
use crate::upstreams::{Breaker, Budget, Health, Known, Passing};
use crate::{Worker, metrics};

/// Sends it, once or several times.
pub(super) async fn send(
    worker: &Worker,
    admitted: &mut Admitted,
    known: &Known,
    sending: Sending,
    head: Patience,
) -> Result<Response<Incoming>, Refusal> {
    let Sending { mut request, dial, shown: _ } = sending;
    let end = Instant::now() + admitted.integration.limits().total;
    if let Some(budget) = known.budget() {
        budget.earn();
    }
    let (mut repeated, mut reached) = (0, Reached::No);
    let result = loop {
        let spare = spare(admitted, known, &request, repeated);
        let left = end.saturating_duration_since(Instant::now());
        let result = attempt(worker, admitted, known, (&dial, request), head.within(left)).await;
        let Some((again, budget)) = spare else { break result };
        let Some(wait) = wait(admitted, &result, repeated).filter(|wait| Instant::now() + *wait < end) else {
            break result;
        };
        if budget.take().is_none() {
            break result;
        }
        if !matches!(&result, Err(Failed::Net(error)) if error.sent() == Sent::Nothing) {
            reached = Reached::Yes;
        }
        drop(result);
        tokio::time::sleep(wait).await;
        repeated += 1;
        request = again;
    };
    if repeated > 0 {
        metrics::repeated(worker.broker().metrics(), repeated);
        admitted.notes.push(("retries".to_owned(), repeated.to_string()));
    }
    result.map_err(|error| match error {
        Failed::Refused(refusal) => refusal,
        Failed::Net(error) => known_to_be(failed(&error, admitted), reached),
    })
}

/// Why an attempt has no reply.
enum Failed {
    /// The upstream is left alone.
    Refused(Refusal),
    Net(net::Error),
}

/// Whether one of the attempts may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    No,
    Yes,
}

async fn attempt(
    worker: &Worker,
    admitted: &Admitted,
    known: &Known,
    (dial, request): (&Dial, Box<Request<Body>>),
    head: Patience,
) -> Result<Response<Incoming>, Failed> {
    let Some(breaker) = known.breaker() else {
        return worker.upstream().send(dial, request, head).await.map_err(Failed::Net);
    };
    let passing = enter(breaker, admitted).map_err(Failed::Refused)?;
    let result = worker.upstream().send(dial, request, head).await;
    told(passing, result.as_ref().map(Response::status));
    result.map_err(Failed::Net)
}

/// The right to one attempt, where the upstream is not left alone.
pub(super) fn enter<'a>(breaker: &'a Breaker, admitted: &Admitted) -> Result<Passing<'a>, Refusal> {
    breaker.enter().map_err(|rest| left_alone(admitted, rest))
}

/// Says what became of an attempt.
pub(super) fn told(passing: Passing<'_>, status: Result<StatusCode, &net::Error>) {
    match status {
        Ok(status) if is_trouble(status) => passing.told(Health::Bad),
        Ok(_) => passing.told(Health::Good),
        // The mistake is ours or the caller's; of the service it says nothing, so a probe has to be made again.
        Err(
            net::Error::Address { .. }
            | net::Error::Request(_)
            | net::Error::Busy { .. }
            | net::Error::Upload { .. },
        ) => drop(passing),
        Err(_) => passing.told(Health::Bad),
    }
}

fn left_alone(admitted: &Admitted, rest: Duration) -> Refusal {
    let name = admitted.integration.name();
    let message = format!("`{name}` failed several times one behind the other and is left alone for now");
    Refusal::new(Code::UpstreamUnreachable, message)
        .retry(Retry::After(rest))
        .hint("`breaker` in the integration's file says after how many failures, and for how long")
}

/// The request once more, and what it would be paid from, where it may be repeated at all.
fn spare<'a>(
    admitted: &Admitted,
    known: &'a Known,
    request: &Request<Body>,
    repeated: u32,
) -> Option<(Box<Request<Body>>, &'a Budget)> {
    let budget = known.budget().filter(|budget| repeated < budget.most())?;
    let (method, ..) = admitted.permit.call().request()?;
    let same_twice =
        matches!(method, Method::Get | Method::Head | Method::Options | Method::Put | Method::Delete);
    if !same_twice {
        return None;
    }
    let mut again = Box::new(Request::new(request.body().again()?));
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some((again, budget))
}

/// How long to wait before the next attempt; `None` where there is none.
fn wait(admitted: &Admitted, result: &Result<Response<Incoming>, Failed>, repeated: u32) -> Option<Duration> {
    let read = admitted.permit.call().access() == Access::Read;
    let pause = pause(admitted, repeated);
    match result {
        Ok(reply) if read && is_trouble(reply.status()) => match asked_to_wait(reply.headers()) {
            Wait::Nothing => Some(pause),
            Wait::For(wait) => (wait <= LONGEST_WAIT).then(|| wait.max(pause)),
            Wait::Unreadable => None,
        },
        Ok(_) | Err(Failed::Refused(_)) => None,
        Err(Failed::Net(error)) => match error {
            // The same mistake would be made again.
            net::Error::Address { .. }
            | net::Error::Request(_)
            | net::Error::Busy { .. }
            | net::Error::Pem(_)
            | net::Error::TlsSetup(_) => None,
            error if error.sent() == Sent::Nothing => Some(pause),
            net::Error::Closed { .. } if read => Some(pause),
            _ => None,
        },
    }
}

/// Longer each time, and not the same for all who failed together.
fn pause(admitted: &Admitted, repeated: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << repeated.min(6));
    let chance = admitted.permit.call().id().to_bytes().last().copied().unwrap_or_default();
    longest / 2 + longest / 2 * u32::from(chance) / 255
}

/// The service is there, or something in front of it, and can't answer.
const fn is_trouble(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// What `Retry-After` (RFC 9110, section 10.2.3) says.
pub(super) enum Wait {
    Nothing,
    For(Duration),
    /// A date, or nonsense: whoever asks for that is not asked again by us.
    Unreadable,
}

/// How long the upstream asks us to wait.
pub(super) fn asked_to_wait(headers: &HeaderMap) -> Wait {
    let Some(value) = headers.get(RETRY_AFTER) else { return Wait::Nothing };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    seconds.map_or(Wait::Unreadable, |seconds| Wait::For(Duration::from_secs(seconds)))
}

/// A use is given back only where nothing was sent, and one of the attempts was.
fn known_to_be(refusal: Refusal, reached: Reached) -> Refusal {
    let unsent = matches!(refusal.code, Code::UpstreamUnreachable);
    if reached == Reached::No || !unsent {
        return refusal;
    }
    Refusal { code: Code::UpstreamReply, ..refusal }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longer than this nobody waits here; the caller gets the reply, with what it says.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
