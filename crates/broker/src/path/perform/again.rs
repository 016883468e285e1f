//! A second try with another of several credentials, where the upstream did not take the first.
//!
//! One that was answered with 401 or 429 rests. Only a read without a body is tried again, once, and goes through the steps 6
//! and 7 like the first: what is sent was looked at again.

use std::sync::Arc;
use std::time::Duration;

use catalog::AuthScheme;
use evidence::Receipt;
use http::{Response, StatusCode};
use model::Refusal;
use net::{Body, Incoming};
use secrets::Mask;

use super::repeat::{Wait, asked_to_wait};
use super::sent;
use crate::Worker;
use crate::inbound::Asked;
use crate::path::admit::Admitted;
use crate::path::inject::{self, Armed};
use crate::path::resolve::{self, Saved, Special};

type Answer = (Response<Incoming>, Option<Arc<Mask>>);

/// What the caller gets: this reply, or the one to another credential.
pub(super) async fn reply(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    receipt: &Receipt,
    (reply, mask): Answer,
    special: Special,
) -> Result<Answer, Refusal> {
    let Special { turns, tokens, challenge, saved, now, .. } = special;
    let unauthorized = reply.status() == StatusCode::UNAUTHORIZED;
    if !unauthorized && reply.status() != StatusCode::TOO_MANY_REQUESTS {
        return Ok((reply, mask));
    }
    // A token that its service took back is made anew; a challenge is answered.
    let mut fresh = false;
    if unauthorized {
        // Each one is told, also behind one that was taken back.
        for served in &tokens {
            fresh |= served.slot.reject(&served.token, now);
        }
    }
    if unauthorized
        && admitted.integration.auth().iter().any(|scheme| matches!(scheme, AuthScheme::Digest(_)))
    {
        let at = (admitted.permit.tenant().clone(), admitted.integration.name().clone());
        let challenges = worker.broker().outgoing().challenges();
        fresh |= challenges.learn(at, reply.headers(), challenge.as_deref());
    }
    if turns.is_empty() && !fresh {
        return Ok((reply, mask));
    }
    let asked = retry_after(&reply);
    let outgoing = worker.broker().outgoing();
    for (turn, rest) in &turns {
        outgoing.turns().rest(turn.clone(), now, asked.unwrap_or(*rest));
    }
    let Some(Saved { headers, body }) = saved else { return Ok((reply, mask)) };
    if let Asked::Forward(forward) = &mut admitted.inbound.asked {
        (forward.headers, forward.body) = (headers, Body::full(body));
    }
    let first: Vec<String> = turns.into_iter().map(|(turn, _)| turn.field).collect();
    let Ok(lent) = resolve::secrets(worker, admitted, receipt).await else { return Ok((reply, mask)) };
    let same = lent
        .special()
        .is_none_or(|special| special.turns.iter().all(|(turn, _)| first.contains(&turn.field)));
    if same && !fresh {
        return Ok((reply, mask));
    }
    drop(reply);
    // Noted once more with the second request.
    admitted.notes.retain(|(name, _)| !matches!(name.as_str(), "request_id" | "trace" | "tls"));
    match inject::credential(worker.broker(), admitted, lent)? {
        Armed::Forward(sending, second, special) => {
            let reply = sent(worker, admitted, sending).await?;
            if let Some(special) = special
                && matches!(reply.status(), StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
            {
                let asked = retry_after(&reply);
                for (turn, rest) in special.turns {
                    outgoing.turns().rest(turn, now, asked.unwrap_or(rest));
                }
            }
            Ok((reply, joined(mask, second)?))
        }
        Armed::Manage | Armed::Mint | Armed::Run(_) => {
            Err(Refusal::new(model::Code::BadRequest, "this can't be tried again"))
        }
    }
}

/// Both are looked for in the reply: an upstream may remember what it saw first.
fn joined(first: Option<Arc<Mask>>, second: Option<Arc<Mask>>) -> Result<Option<Arc<Mask>>, Refusal> {
    match (first, second) {
        (Some(first), Some(second)) => {
            let joined = Mask::join(&[&first, &second]);
            let joined =
                joined.map_err(|error| Refusal::new(model::Code::SecretMissing, error.to_string()))?;
            Ok(Some(Arc::new(joined)))
        }
        (first, second) => Ok(first.or(second)),
    }
}

/// How long the upstream asks us to wait, in seconds; within reason.
fn retry_after(reply: &Response<Incoming>) -> Option<Duration> {
    match asked_to_wait(reply.headers()) {
        Wait::For(wait) => Some(wait.clamp(SHORTEST_REST, LONGEST_REST)),
        Wait::Nothing | Wait::Unreadable => None,
    }
}

const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(3600);
