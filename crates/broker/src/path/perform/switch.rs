//! Asks an upstream for a WebSocket, where the caller asked for one.

use std::sync::Arc;

use model::Refusal;
use net::websocket::{Asked, Switched};
use secrets::Mask;

use super::standing::Standing;
use super::{Replied, Sending, failed, known, repeat};
use crate::Worker;
use crate::inbound;
use crate::path::admit::Admitted;
use crate::path::scrub::Tunnel;
use crate::spans;

/// What the caller asked for, taken out of its request.
pub(super) fn asked(admitted: &mut Admitted) -> Option<Box<Asked>> {
    match &mut admitted.inbound.asked {
        inbound::Asked::Forward(forward) => forward.upgrade.take(),
        inbound::Asked::Operate(_) => None,
    }
}

/// Sends the handshake. An upstream that does not agree has answered like any other.
pub(super) async fn call(
    worker: &Worker,
    admitted: &mut Admitted,
    mut sending: Sending,
    (asked, mask): (Box<Asked>, Option<Arc<Mask>>),
) -> Result<Replied, Refusal> {
    let known = known(worker, admitted, sending.shown.as_deref());
    let breaker = known.as_ref().and_then(|known| known.breaker());
    let passing = breaker.map(|breaker| repeat::enter(breaker, admitted)).transpose()?;
    if let Some(known) = &known {
        sending.dial.way = known.way(sending.shown.as_deref())?;
    }
    let Sending { request, dial, shown: _ } = sending;
    let began = spans::began(admitted.next.as_deref());
    let switched = worker.upstream().switch(&dial, request, admitted.integration.limits().head).await;
    if let Some(passing) = passing {
        let status = switched.as_ref().map(|switched| match switched {
            Switched::Reply(reply) => reply.status(),
            Switched::Open(head, _) => head.status(),
        });
        repeat::told(passing, status);
    }
    let switched = switched.map_err(|error| failed(&error, admitted));
    let told = switched.as_ref().map(|switched| match switched {
        Switched::Reply(reply) => reply.status(),
        Switched::Open(head, _) => head.status(),
    });
    spans::sent((admitted.next.as_deref(), began), told);
    Ok(match switched? {
        Switched::Reply(reply) => Replied::Forwarded(reply, mask),
        Switched::Open(head, line) => {
            let standing = Standing::of(&admitted.permit);
            Replied::Switched(head, Box::new(Tunnel { asked: *asked, line, mask, standing }))
        }
    })
}
