//! Reads beside a write, for its evidence: what was there before it, and what is there after it.
//!
//! Each is a call of its own down this path, with a record of its own that names the write. The write never waits for one longer than
//! it may take, and is neither repeated nor refused for it: what could not be read stands in its evidence as missing.
//!
//! # Invariants
//!
//! - A read before a write is made when the intent of the write is durable, one after it when its outcome is.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use catalog::{Around, Operation, Outline, Write};
use evidence::Receipt;
use model::{Code, Refusal, Timestamp};
use serde_json::Value;

use crate::Worker;
use crate::inbound::{Answer, Asked, Inbound, Led, Noted, Operate, Outbound};
use crate::path::admit::Admitted;
use crate::spans;

/// What is read beside one write.
pub(crate) struct Beside {
    led: Led,
    began: Timestamp,
    after: Vec<Around>,
    /// What was read before it.
    before: Vec<(String, String)>,
    /// What the manifest said before it.
    outline: Option<Outline>,
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
    let (began, after) = (worker.broker().now(), operation.after().to_vec());
    let mut beside = Beside { led, began, after, before: Vec::new(), outline: None };
    for around in operation.before() {
        let Read { fields, outline } = read_in_time(worker, admitted, (&beside, around), &[]).await;
        beside.before.extend(fields);
        beside.outline = outline.or(beside.outline);
    }
    Some(Box::new(beside))
}

impl Beside {
    /// What was read before the write.
    pub(crate) fn known(&self) -> &[(String, String)] {
        &self.before
    }

    /// Makes the reads that come last. `told` is what the evidence of the write has, `outline` what the manifest says that it printed.
    pub(crate) async fn after(
        &self,
        worker: &Arc<Worker>,
        admitted: &Admitted,
        told: &[(String, String)],
        mut outline: Option<Outline>,
    ) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for around in &self.after {
            let read = read_in_time(worker, admitted, (self, around), told).await;
            fields.extend(read.fields);
            outline = read.outline.or(outline);
        }
        let both = self.outline.as_ref().zip(outline.as_ref());
        fields.extend(both.and_then(|(was, is)| was.difference(is)).map(|lines| ("diff".to_owned(), lines)));
        fields
    }
}

/// What one read gave; for what it did not give, that it is missing, and why.
struct Read {
    fields: Vec<(String, String)>,
    outline: Option<Outline>,
}

impl Read {
    fn misses_some(&self) -> bool {
        self.fields.iter().any(|(_, value)| value.starts_with(MISSING))
    }
}

/// Reads, and reads again where something is missing that the service may show a moment later.
async fn read_in_time(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    beside: (&Beside, &Around),
    told: &[(String, String)],
) -> Read {
    let began = Instant::now();
    loop {
        let (read, again) = read(worker, admitted, beside, told).await;
        if !again || !read.misses_some() || began.elapsed() + BETWEEN > beside.1.waits() {
            return read;
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// One read, and whether a later one may give more.
async fn read(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    (beside, around): (&Beside, &Around),
    told: &[(String, String)],
) -> (Read, bool) {
    let write = Write { inputs: admitted.permit.call().inputs(), evidence: told, began: beside.began };
    if let Some(field) = around.lacks(write) {
        let missing =
            |(name, _): (&str, &str)| (name.to_owned(), format!("{MISSING}the reply has no `{field}`"));
        return (Read { fields: around.fields().map(missing).collect(), outline: None }, false);
    }
    let name = around.integration().unwrap_or_else(|| admitted.integration.name()).clone();
    let mut operate = Operate::new(name, around.operation().clone(), around.inputs(write));
    let noted = Noted::default();
    operate.led = Some(Box::new(beside.led.clone().noting(Arc::clone(&noted))));
    operate.parent = spans::within(admitted.next.as_deref());
    // What was claimed for the write is not for its reads.
    let facts = model::Fact { claims: None, ..admitted.inbound.facts.clone() };
    let door = admitted.inbound.door;
    let inbound = Inbound { door, facts, capability: None, asked: Asked::Operate(operate) };
    let answered = tokio::time::timeout(PATIENCE, carried(Arc::clone(worker), inbound)).await;
    let answered = answered.unwrap_or_else(|_| Err(Refusal::new(Code::UpstreamTimeout, "it took too long")));
    let answers = answered.is_ok();
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
        let value = of(field).map_or_else(|| format!("{MISSING}{missing}"), ToOwned::to_owned);
        (name.to_owned(), value)
    });
    let outline = noted.lock().unwrap_or_else(PoisonError::into_inner).take().filter(|_| !value.is_null());
    (Read { fields: kept.collect(), outline }, answers)
}

/// Boxed under a type of its own: the path leads to itself here.
fn carried(worker: Arc<Worker>, inbound: Inbound) -> Carried {
    Box::pin(async move { worker.call(inbound).await })
}

type Carried = Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>>;

/// How long a write waits for one read beside it.
const PATIENCE: Duration = Duration::from_secs(20);
/// What passes before something is read again.
const BETWEEN: Duration = Duration::from_secs(1);
/// What stands before the reason why something is not there.
const MISSING: &str = "missing: ";
