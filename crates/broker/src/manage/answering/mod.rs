//! Approvals at places outside: told there, and answered there.
//!
//! `approval.tell` writes a question, or what became of one, where people look. `approval.answer` takes somebody's answer: it finds
//! out who that is, as the place proves it, and has that principal decide, by a call of its own down the path. So all that holds of a
//! decision holds here: the role, that whoever asked does not decide, the digest, the record.
//!
//! # Invariants
//!
//! - What a place says is believed where it is signed, or was read there by ourselves.
//! - Who answers is who the settings say that this member is, and nobody where they say nothing.
//! - The capability that decides is for one approval, one use and a minute, and leaves this module nowhere.

mod linear;
mod slack;
mod told;

use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;
use model::{ApprovalId, Code, Inputs, IntegrationName, PrincipalName, Refusal};
use serde_json::Value;

use super::capabilities::{Made, Wanted, give};
use super::{Done, Managing, waiting};
use crate::answering::Answering;
use crate::approval::{Row, Standing, key};
use crate::caveats;
use crate::inbound::{Answer, Asked, Inbound, Operate, Outbound};
use crate::sealed::Desk;

/// `approval.tell`.
pub(super) async fn tell(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let id = id(managing)?;
    let (row, standing) = asked(managing, id).await?;
    let at = managing.inputs.get("at").map(String::as_str);
    match via(managing)? {
        Via::Slack(slack) => slack::tell(managing, slack, (&row, standing), at).await,
        Via::Linear(linear) => linear::tell(managing, linear, (&row, standing), at).await,
    }
}

/// `approval.answer`.
pub(super) async fn answer(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let payload = managing.payload.take();
    match (via(managing)?, payload) {
        (Via::Slack(slack), Some(payload)) => slack::answer(managing, slack, &payload.text()?).await,
        (Via::Slack(_), None) => {
            Err(Refusal::new(Code::BadRequest, "nothing came with the answer, and it needs what Slack sent"))
        }
        (Via::Linear(linear), _) => {
            let id = id(managing)?;
            linear::answer(managing, linear, id).await
        }
    }
}

/// Where somebody answers.
enum Via<'a> {
    Slack(&'a crate::answering::Slack),
    Linear(&'a crate::answering::Linear),
}

fn via<'a>(managing: &'a Managing<'_>) -> Result<Via<'a>, Refusal> {
    let set = managing.worker.broker().people().answering().get();
    let place = managing.input("via")?;
    let found = match (set, place) {
        (Some(Answering { slack: Some(slack), .. }), "slack") => Some(Via::Slack(slack)),
        (Some(Answering { linear: Some(linear), .. }), "linear") => Some(Via::Linear(linear)),
        _ => None,
    };
    found.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("nobody is set up to answer by `{place}`"))
            .hint(format!("`[approvals.{place}]` in settings.toml"))
    })
}

fn id(managing: &Managing<'_>) -> Result<ApprovalId, Refusal> {
    read(managing.input("id")?)
}

fn read(text: &str) -> Result<ApprovalId, Refusal> {
    text.parse().map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}

/// The question as it is stored, and how it stands.
async fn asked(managing: &Managing<'_>, id: ApprovalId) -> Result<(Row, Standing), Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let desk = Desk::of(&broker, &managing.unsealed, managing.admitted.permit.tenant());
    let now = broker.now();
    waiting(move || {
        let held = desk.read::<Row>(&key(id))?;
        let row = held.map(|held| held.row);
        let row = row.ok_or_else(|| Refusal::new(Code::NotFound, format!("there is no approval `{id}`")))?;
        let standing = row.standing(now, desk.used(id.to_bytes())?);
        Ok((row, standing))
    })
    .await
}

/// An answer, and whose it is.
struct Deciding<'a> {
    id: ApprovalId,
    by: &'a PrincipalName,
    approve: bool,
    /// The digest of what that person saw.
    digest: &'a str,
    reason: String,
}

/// Has a principal decide, as everybody does who decides.
async fn decided(managing: &Managing<'_>, deciding: Deciding<'_>) -> Result<Value, Refusal> {
    let Deciding { id, by, approve, digest, reason } = deciding;
    let limits: Inputs = [
        ("operations", "doorward/approval.decide".to_owned()),
        ("resources", format!("approval:{id}")),
        ("uses", "1".to_owned()),
        ("expires", "1m".to_owned()),
    ]
    .map(|(word, value)| (word.to_owned(), value))
    .into();
    let asked = caveats::read(&limits, managing.worker.broker().now())?;
    let giver = managing.admitted.permit.principal().clone();
    let label = Some(format!("answer to {id}"));
    let tenant = managing.admitted.permit.tenant().clone();
    let wanted = Wanted { principal: by.clone(), asked, label, giver };
    let Made { token, .. } = give(managing, &tenant, wanted).await?;
    let mut capability = HeaderValue::from_str(&token)
        .map_err(|_| Refusal::new(Code::SourceUnavailable, "the capability can't be presented"))?;
    capability.set_sensitive(true);
    let inputs: Inputs = [
        ("id", id.to_string()),
        ("decision", if approve { "approve" } else { "deny" }.to_owned()),
        ("digest", digest.to_owned()),
        ("reason", reason),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let operate = Operate::new(named("doorward")?, named("approval.decide")?, inputs);
    match carried(managing, Some(capability), Asked::Operate(operate)).await? {
        Outbound::Answer(Answer { value, .. }) => Ok(value),
        Outbound::Reply(..) | Outbound::Lease(..) => Err(strange()),
    }
}

/// An operation of a service, performed for whoever asked for this one. What it said.
async fn operated(
    managing: &Managing<'_>,
    integration: &IntegrationName,
    operation: &str,
    inputs: &[(&str, &str)],
) -> Result<Value, Refusal> {
    let inputs: Inputs =
        inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let operate = Operate::new(integration.clone(), named(operation)?, inputs);
    match carried(managing, None, Asked::Operate(operate)).await? {
        Outbound::Answer(Answer { value, failed: false, .. }) => {
            Ok(value.get("output").cloned().unwrap_or_default())
        }
        Outbound::Answer(Answer { evidence, .. }) => {
            let message = format!("`{integration}` did not do `{operation}`");
            Err(Refusal::new(Code::UpstreamReply, message)
                .hint(format!("`doorward evidence show {evidence}`")))
        }
        Outbound::Reply(..) | Outbound::Lease(..) => Err(strange()),
    }
}

/// A call of its own, at the same door and with what the kernel says of the same caller. Boxed under a type of its own: the path
/// leads to itself here.
fn carried(managing: &Managing<'_>, capability: Option<HeaderValue>, asked: Asked) -> Carried {
    let from = &managing.admitted.inbound;
    // What was claimed for this call is not for that one.
    let facts = model::Fact { claims: None, ..from.facts.clone() };
    let inbound = Inbound { door: from.door, facts, capability, asked };
    let worker = Arc::clone(managing.worker);
    Box::pin(async move { worker.call(inbound).await })
}

type Carried = Pin<Box<dyn Future<Output = Result<Outbound, Refusal>> + Send>>;

fn named<T: std::str::FromStr<Err = model::ParseError>>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}

fn strange() -> Refusal {
    Refusal::new(Code::SourceUnavailable, "it gave something else than an answer")
}

/// A text in an answer.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}
