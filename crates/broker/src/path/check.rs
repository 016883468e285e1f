//! Questions about a capability, which use nothing: what was asked and what was answered stand in one record.
//!
//! There is no intent that would have to be durable first, for nothing is lent, counted or changed; the record goes to the disk with
//! the next group, as the outcome of a read does. While the log can't write, the answer waits for it, and is refused with it.
//!
//! # Invariants
//!
//! - No receipt is made here, so no secret can be lent.
//! - A question for which a use is counted, or which waited for an approval, goes down the whole path.

use std::sync::Arc;

use evidence::{Answered, Ending, Outcome};
use model::{Access, Refusal};

use crate::inbound::{Answer, Outbound};
use crate::manage;
use crate::path::admit::Admitted;
use crate::path::record::{self, Trace};
use crate::path::settle;
use crate::{Worker, log, metrics};

/// Whether a call is one.
pub(crate) fn is_question(admitted: &Admitted) -> bool {
    let permit = &admitted.permit;
    manage::is_question(permit.call())
        && permit.call().access() == Access::Read
        && permit.limits().uses().is_empty()
        && admitted.approved.is_none()
}

/// Answers it, behind its record.
pub(crate) async fn answer(
    worker: &Arc<Worker>,
    mut admitted: Box<Admitted>,
    mut trace: Box<Trace>,
) -> Result<Outbound, Refusal> {
    let asked = record::asked(&admitted, &mut trace);
    let answered = manage::answer(worker, &mut admitted).await;
    let (call, took) = (admitted.permit.call(), trace.elapsed());
    metrics::performed(worker.broker().metrics(), (call, trace.door()), took, answered.as_ref().err());
    log::performed(call, took, answered.as_ref().err());
    let mut outcome = Outcome::bare(Ending::Done);
    (outcome.duration, outcome.bytes_in) = (took, admitted.size.bytes());
    let told = match answered {
        Ok(done) => {
            outcome.fields = settle::told(done.fields, &admitted);
            if done.code.is_some() {
                (outcome.ending, outcome.code) = (Ending::Failed, done.code);
            }
            Ok(done.value)
        }
        Err(refusal) => {
            outcome.fields = settle::told(Vec::new(), &admitted);
            (outcome.ending, outcome.code) = (Ending::Failed, Some(refusal.code));
            Err(refusal)
        }
    };
    let recorded = worker.lane(&trace.home()).answered(Answered { asked, outcome }).await;
    let evidence = recorded.map_err(|error| {
        log::unrecorded(trace.id(), &error);
        worker.broker().note_unrecorded();
        record::unrecorded(&error)
    })?;
    match told {
        Ok(value) => Ok(Outbound::Answer(Answer { evidence, value, failed: false })),
        Err(refusal) => Err(refusal.recorded(evidence)),
    }
}
