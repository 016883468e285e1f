//! What came of one call of a plan, in words that expectations can speak of.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use model::{Claims, Code, Door, EvidenceId, Fact, PlanId, Refusal};
use net::body::{Bounds, collect_bounded};
use serde_json::Value;

use super::Claimed;
use super::row::Call;
use crate::inbound::{Asked, Inbound, Operate, Outbound};
use crate::{Answer, Worker};

/// As whom the calls of a plan are made: whoever runs it, with what he showed.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) door: Door,
    pub(crate) facts: Fact,
    pub(crate) capability: Option<HeaderValue>,
}

/// An answer.
pub(crate) struct Performed {
    pub(crate) evidence: EvidenceId,
    /// The status of HTTP, where there is one.
    pub(crate) status: Option<i64>,
    /// The exit status of a program, where there is one.
    pub(crate) exit: Option<i64>,
    /// Why it was not done.
    pub(crate) failed: Option<String>,
    pub(crate) output: Value,
}

/// Makes one call of a plan, down the one path.
pub(super) async fn perform(
    worker: &Arc<Worker>,
    caller: &Caller,
    (plan, nth): (PlanId, u16),
    call: &Call,
) -> Result<Performed, Refusal> {
    let Caller { door, facts, capability } = caller.clone();
    let strange = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
    let (integration, operation) = call.operation.split_once('/').unwrap_or_default();
    let integration = integration.parse().map_err(strange)?;
    let operate = Operate::new(integration, operation.parse().map_err(strange)?, call.inputs.clone());
    let break_glass = facts.break_glass().map(ToOwned::to_owned);
    let claims = Some(Box::new(Claims { approval: Some(Claimed::claim(plan, nth)), break_glass }));
    let facts = Fact { claims, ..facts };
    let inbound = Inbound { door, facts, capability, asked: Asked::Operate(operate) };
    match nested(Arc::clone(worker), inbound).await? {
        Outbound::Answer(answer) => Ok(told(answer)),
        Outbound::Reply(evidence, reply) => {
            let (parts, body) = reply.into_parts();
            let bounds = Bounds { bytes: MOST, frame: IDLE, whole: WHOLE };
            let bytes = collect_bounded(body, bounds).await.map_err(|error| {
                Refusal::new(Code::UpstreamReply, format!("the answer can't be read: {error}"))
                    .recorded(evidence)
            })?;
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            let output = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
            let status = parts.status.as_u16();
            let failed = (!parts.status.is_success()).then(|| format!("the service answered {status}"));
            Ok(Performed { evidence, status: Some(i64::from(status)), exit: None, failed, output })
        }
        Outbound::Lease(answer, _) => {
            let message = "a plan can't be given credentials";
            Err(Refusal::new(Code::BadRequest, message).recorded(answer.evidence))
        }
    }
}

/// The answer of an operation: what it says of its status or exit, and its output.
fn told(answer: Answer) -> Performed {
    let Answer { evidence, mut value, failed } = answer;
    let why = value.get("failed").and_then(Value::as_str).unwrap_or("the operation was not done");
    let failed = failed.then(|| why.to_owned());
    let number = |name: &str| value.get(name).and_then(Value::as_i64);
    let (status, exit) = (number("status"), number("exit"));
    let output = match value.get_mut("output") {
        Some(output) if status.is_some() || exit.is_some() => output.take(),
        _ => value,
    };
    Performed { evidence, status, exit, failed, output }
}

/// A call within an operation. A function of its own with a boxed answer, for a call can't hold a call of its own kind.
fn nested(
    worker: Arc<Worker>,
    inbound: Inbound,
) -> Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>> {
    Box::pin(async move { worker.call(inbound).await })
}

/// What is read of an answer.
const MOST: usize = 4 << 20;
const IDLE: Duration = Duration::from_secs(60);
const WHOLE: Duration = Duration::from_secs(900);
