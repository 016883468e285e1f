//! A read that waits for something: it is carried again until its reply says that this is there, or will never be.
//!
//! All looks are one call: one permit, one receipt, one outcome. What a program of the same operation does by itself is done here for its request.
//!
//! # Invariants
//!
//! - Only a read by name is asked again, and only by a request ([`catalog::Poll`] is compiled for no other).
//! - Before each look what allowed the call still stands.

use std::sync::Arc;
use std::time::Duration;

use evidence::Receipt;
use model::Refusal;
use tokio::time::Instant;

use crate::Worker;
use crate::inbound::Asked;
use crate::path::admit::Admitted;
use crate::path::perform::Performed;
use crate::path::perform::standing::Standing;

/// How often, and for how long, a call is asked again that may be.
pub(crate) fn pace(admitted: &Admitted) -> Option<(Duration, Duration)> {
    let Asked::Operate(operate) = &admitted.inbound.asked else { return None };
    if admitted.way.is_some() || operate.led.is_some() {
        return None;
    }
    let poll = admitted.integration.operations().get(&operate.operation)?.poll()?;
    let seconds = admitted.permit.call().inputs().get(poll.within()).and_then(|text| text.parse().ok());
    Some((poll.every(), Duration::from_secs(seconds.unwrap_or_default()).min(LONGEST)))
}

/// Carries it, once or several times. What did not come in time is told as it was seen last, and was not done.
pub(crate) async fn carried(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    receipt: &Receipt,
    (every, patience): (Duration, Duration),
) -> Result<Performed, Refusal> {
    let until = Instant::now() + patience;
    let standing = Standing::of(&admitted.permit);
    let (noted, mut looks) = (admitted.notes.len(), 1_u32);
    let performed = loop {
        let performed = worker.carry(admitted, receipt).await;
        let early = matches!(&performed, Ok(Performed::Ran(told)) if told.early);
        let now = Instant::now();
        if !early || now >= until {
            break performed;
        }
        // The last look is when the time is over.
        tokio::time::sleep_until((now + every).min(until)).await;
        if let Some(code) = standing.fallen(worker.broker()) {
            break Err(Refusal::new(code, "what allowed the call ended while it waited"));
        }
        // What was noted of one look is noted again with the next.
        admitted.notes.truncate(noted);
        looks += 1;
    };
    if looks > 1 {
        admitted.notes.push(("looks".to_owned(), looks.to_string()));
    }
    performed.map(|performed| match performed {
        Performed::Ran(mut told) if told.early => {
            let why = told.value.get("failed").and_then(serde_json::Value::as_str).unwrap_or_default();
            let why = format!("after {} s {why}", patience.as_secs());
            if let Some(value) = told.value.as_object_mut() {
                value.insert("failed".to_owned(), why.into());
            }
            Performed::Ran(told)
        }
        other => other,
    })
}

/// No read waits longer, whatever its file says; programs have as much.
const LONGEST: Duration = Duration::from_secs(30 * 60);
