//! Reads beside a write, for its evidence: what was there before it, and what is there after it.
//!
//! Each is a call of its own down this path, with a record of its own that names the write. The write never waits for one longer than
//! it may take, and is neither repeated nor refused for it: what could not be read stands in its evidence as missing.
//!
//! # Invariants
//!
//! - A read before a write is made when the intent of the write is durable, one after it when its outcome is.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Around, Operation, Write};
use evidence::Receipt;
use model::{Code, Refusal, Timestamp};
use serde_json::Value;

use crate::Worker;
use crate::inbound::{Answer, Asked, Inbound, Led, Operate, Outbound};
use crate::path::admit::Admitted;
use crate::spans;

/// What is read beside one write.
pub(crate) struct Beside {
    led: Led,
    began: Timestamp,
    after: Vec<Around>,
    /// What was read before it.
    before: Vec<(String, String)>,
}

/// Whether anything is read beside a call.
pub(crate) fn is_wanted(admitted: &Admitted) -> bool {
    operation(admitted)
        .is_some_and(|operation| !operation.before().is_empty() || !operation.after().is_empty())
}

/// The operation of a call by name.
fn operation(admitted: &Admitted) -> Option<&Operation> {
    match &admitted.inbound.asked {
        Asked::Operate(operate) => admitted.integration.operations().get(&operate.operation),
        Asked::Forward(_) => None,
    }
}

/// Makes the reads that come first.
pub(crate) async fn before(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    receipt: &Receipt,
) -> Option<Box<Beside>> {
    let operation = operation(admitted)?;
    let led = Led::beside(&admitted.permit, receipt);
    let mut beside =
        Beside { led, began: worker.broker().now(), after: operation.after().to_vec(), before: Vec::new() };
    for around in operation.before() {
        let known = read(worker, admitted, (&beside, around), &[]).await;
        beside.before.extend(known);
    }
    Some(Box::new(beside))
}

impl Beside {
    /// What was read before the write.
    pub(crate) fn known(&self) -> &[(String, String)] {
        &self.before
    }

    /// Makes the reads that come last. `told` is what the evidence of the write has.
    pub(crate) async fn after(
        &self,
        worker: &Arc<Worker>,
        admitted: &Admitted,
        told: &[(String, String)],
    ) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for around in &self.after {
            fields.extend(read(worker, admitted, (self, around), told).await);
        }
        fields
    }
}

/// What one read gave; for what it did not give, that it is missing, and why.
async fn read(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    (beside, around): (&Beside, &Around),
    told: &[(String, String)],
) -> Vec<(String, String)> {
    let write = Write { inputs: admitted.permit.call().inputs(), evidence: told, began: beside.began };
    let name = admitted.integration.name().clone();
    let mut operate = Operate::new(name, around.operation().clone(), around.inputs(write));
    operate.led = Some(Box::new(beside.led.clone()));
    operate.parent = spans::within(admitted.next.as_deref());
    // What was claimed for the write is not for its reads.
    let facts = model::Fact { claims: None, ..admitted.inbound.facts.clone() };
    let door = admitted.inbound.door;
    let inbound = Inbound { door, facts, capability: None, asked: Asked::Operate(operate) };
    let answered = tokio::time::timeout(PATIENCE, carried(Arc::clone(worker), inbound)).await;
    let answered = answered.unwrap_or_else(|_| Err(Refusal::new(Code::UpstreamTimeout, "it took too long")));
    let (value, missing) = match answered {
        Ok(Outbound::Answer(Answer { value, failed: false, .. })) => (value, "nothing of it in the answer"),
        Ok(Outbound::Answer(_)) => (Value::Null, "the service refused"),
        Ok(Outbound::Reply(..) | Outbound::Lease(..)) => {
            (Value::Null, "another answer than that of an operation")
        }
        Err(refusal) => {
            tracing::info!(operation = %around.operation(), code = %refusal.code, "evidence beside a write is missing");
            (Value::Null, refusal.code.as_str())
        }
    };
    let of = |field: &str| value.get("evidence_fields")?.get(field)?.as_str().filter(|text| !text.is_empty());
    let kept = around.fields().map(|(name, field)| {
        let value = of(field).map_or_else(|| format!("missing: {missing}"), ToOwned::to_owned);
        (name.to_owned(), value)
    });
    kept.collect()
}

/// Boxed under a type of its own: the path leads to itself here.
fn carried(worker: Arc<Worker>, inbound: Inbound) -> Carried {
    Box::pin(async move { worker.call(inbound).await })
}

type Carried = Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>>;

/// How long a write waits for one read beside it.
const PATIENCE: Duration = Duration::from_secs(20);
