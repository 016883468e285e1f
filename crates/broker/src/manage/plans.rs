//! Plans: checked, proposed, decided, run, gone on with, cancelled.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::catalog::Catalog;
use ::evidence::Reader;
use model::{Code, PlanId, Refusal, Timestamp};
use serde_json::{Value, json};

use super::approvals::{Another, Answering, another, decided_already};
use super::seen::Seen;
use super::{Done, Managing, evidence, waiting};
use crate::approval::{Answer, Said, note};
use crate::plan::{self, Answered, Caller, File, Outcomes, Progress, Row, Runner, State};
use crate::sealed::Desk;

/// The file that came along, checked; nothing is stored.
pub(super) fn check(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let (plan, risk) = read(managing)?;
    let shown = plan.shown(&managing.worker.broker().catalog());
    Ok(Done::from(json!({ "digest": plan.digest()?, "risk": risk, "plan": shown })))
}

/// Stores a plan; it waits for somebody else.
pub(super) async fn create(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let (plan, risk) = read(managing)?;
    let (desk, now) = desk(managing);
    let id = PlanId::new(now, managing.worker.broker().random()?);
    let row = Row {
        id,
        digest: plan.digest()?,
        by: managing.admitted.permit.principal().clone(),
        created: now,
        risk,
        state: State::Proposed,
        approvers: plan.approvers.max(managing.worker.broker().least_approvers()),
        agreed: Vec::new(),
        decided: None,
        expires: now.after(plan::APPROVED_FOR),
        run: None,
        ended: None,
        progress: plan.steps.iter().map(|_| Progress::default()).collect(),
        at: None,
        cancelled_by: None,
        why: None,
        plan,
    };
    waiting(move || {
        desk.commit([desk.insert(&plan::key(id), &row)?])?;
        told(&row, now)
    })
    .await
}

pub(super) async fn list(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let (desk, now) = desk(managing);
    waiting(move || {
        let rows = desk.all::<Row>("pln_")?;
        let shown: Vec<Value> = rows.iter().map(|row| summary(row, now)).collect();
        Ok(Done::from(json!({ "plans": shown })))
    })
    .await
}

/// How many wait for somebody's answer.
pub(super) fn proposed(desk: &Desk, now: Timestamp) -> Result<usize, Refusal> {
    Ok(desk.all::<Row>("pln_")?.iter().filter(|row| row.standing(now) == "proposed").count())
}

pub(super) async fn show(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let ((desk, now), id) = (desk(managing), id(managing)?);
    let catalog = managing.worker.broker().catalog();
    waiting(move || {
        let row = desk.read::<Row>(&plan::key(id))?.ok_or_else(|| plan::missing(id))?.row;
        whole(&row, &catalog, now).map(Done::from)
    })
    .await
}

/// A plan as it is shown: without the inputs that are secrets.
fn whole(row: &Row, catalog: &Catalog, now: Timestamp) -> Result<Value, Refusal> {
    let shown = Row { plan: row.plan.shown(catalog), ..row.clone() };
    let mut value = serde_json::to_value(shown)
        .map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("state".to_owned(), row.standing(now).into());
    }
    Ok(value)
}

/// Approves the digest that somebody saw, or denies the plan.
pub(super) async fn decide(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let ((desk, now), id) = (desk(managing), id(managing)?);
    let answer = match managing.input("decision")? {
        "approve" => Answer::Approved,
        _ => Answer::Denied,
    };
    let (digest, reason) = (managing.input("digest")?.to_owned(), managing.inputs.get("reason").cloned());
    let (by, seen) = (managing.admitted.permit.principal().clone(), Seen::of(managing));
    let (catalog, answering) = (managing.worker.broker().catalog(), Answering::of(managing));
    waiting(move || {
        let row = plan::change(&desk, id, |row| {
            let _same = seen.still(&whole(row, &catalog, now)?, &format!("the plan `{id}`"))?;
            let Another(by) = another(&row.by, by.clone(), &id.to_string())?;
            row.unchanged(&catalog)?;
            if row.digest != digest {
                let message = format!("the digest of `{id}` is another one than that which was seen");
                return Err(Refusal::new(Code::Denied, message).hint(format!("`doorward plan show {id}`")));
            }
            match row.standing(now) {
                "proposed" => {}
                state => return Err(decided_already(&id.to_string(), state)),
            }
            let said = (answering.decided((answer, by), now, reason.clone()), &answering.standing);
            let Said::Decided(decided) = note(&mut row.agreed, row.approvers, said, &id.to_string())? else {
                return Ok(());
            };
            row.state = if answer == Answer::Approved { State::Approved } else { State::Denied };
            (row.decided, row.expires) = (Some(decided), now.after(plan::APPROVED_FOR));
            Ok(())
        })?;
        told(&row, now)
    })
    .await
}

pub(super) async fn run(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let runner = runner(managing)?;
    let row = plan::begin(&runner, managing.inputs.get("digest").cloned()).await?;
    told(&row, managing.worker.broker().now())
}

pub(super) async fn resume(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let answered = match (managing.inputs.get("step"), managing.inputs.get("outcome").map(String::as_str)) {
        (None, None) => None,
        (Some(step), Some(outcome)) => {
            let outcome = if outcome == "done" { Outcomes::Done } else { Outcomes::Failed };
            Some(Answered { step: step.clone(), outcome })
        }
        _ => {
            let message = "what came of a step is said with `step` and `outcome`";
            return Err(Refusal::new(Code::BadRequest, message));
        }
    };
    let reader: Reader = evidence::reader(managing);
    let row = plan::resume(&runner(managing)?, reader, answered).await?;
    told(&row, managing.worker.broker().now())
}

/// Ends a plan that has not begun, at once; one that is running ends behind its step.
pub(super) async fn cancel(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let ((desk, now), id) = (desk(managing), id(managing)?);
    let by = managing.admitted.permit.principal().clone();
    let (broker, seen) = (Arc::clone(managing.worker.broker()), Seen::of(managing));
    let catalog = managing.worker.broker().catalog();
    waiting(move || {
        let row = plan::change(&desk, id, |row| {
            let _same = seen.still(&whole(row, &catalog, now)?, &format!("the plan `{id}`"))?;
            match row.state {
                State::Proposed | State::Approved | State::Asking => {
                    (row.state, row.ended) = (State::Cancelled, Some(now));
                }
                State::Running if broker.plans().has(id) => {}
                State::Running => (row.state, row.ended) = (State::Cancelled, Some(now)),
                state => {
                    let message = format!("`{id}` can't be cancelled: it is {}", state.as_str());
                    return Err(Refusal::new(Code::Conflict, message));
                }
            }
            row.cancelled_by = Some(by.clone());
            row.why = Some(format!("`{by}` cancelled it"));
            Ok(())
        })?;
        told(&row, now)
    })
    .await
}

fn read(managing: &mut Managing<'_>) -> Result<(plan::Plan, model::Risk), Refusal> {
    let given = match managing.inputs.get("parameters") {
        None => BTreeMap::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            let message = format!("the parameters are not a JSON object of texts: {error}");
            Refusal::new(Code::BadRequest, message)
        })?,
    };
    let name = managing.inputs.get("file").cloned().unwrap_or_else(|| "the plan".to_owned());
    let file = File::read(&managing.payload()?.text()?, &name)?;
    plan::checked(plan::filled(file, &given)?, &managing.worker.broker().catalog())
}

fn runner(managing: &Managing<'_>) -> Result<Runner, Refusal> {
    let caller = &managing.admitted.identified.caller;
    Ok(Runner {
        worker: Arc::clone(managing.worker),
        unsealed: Arc::clone(&managing.unsealed),
        tenant: managing.admitted.permit.tenant().clone(),
        by: managing.admitted.permit.principal().clone(),
        caller: Caller {
            door: caller.door(),
            facts: caller.facts().clone(),
            capability: managing.admitted.inbound.capability.clone(),
        },
        plan: id(managing)?,
    })
}

fn id(managing: &Managing<'_>) -> Result<PlanId, Refusal> {
    managing.input("id")?.parse().map_err(|error: model::ParseError| {
        Refusal::new(Code::BadRequest, error.to_string()).hint("`doorward plan list`")
    })
}

fn desk(managing: &Managing<'_>) -> (Desk, Timestamp) {
    let broker = managing.worker.broker();
    (Desk::of(broker, &managing.unsealed, managing.admitted.permit.tenant()), broker.now())
}

/// What is answered about a plan, and what the evidence says of it.
fn told(row: &Row, now: Timestamp) -> Result<Done, Refusal> {
    let mut value = summary(row, now);
    let steps: Vec<Value> = row.plan.steps.iter().zip(&row.progress).map(|(step, progress)| {
        json!({ "step": step.id, "state": progress.state, "evidence": progress.evidence, "undone": progress.undone, "said": progress.said })
    }).collect();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("steps".to_owned(), Value::Array(steps));
    }
    let fields = [
        ("plan", row.id.to_string()),
        ("digest", row.digest.clone()),
        ("state", row.standing(now).to_owned()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Ok(Done { value, fields, code: None })
}

fn summary(row: &Row, now: Timestamp) -> Value {
    json!({
        "id": row.id, "state": row.standing(now), "summary": row.plan.summary, "risk": row.risk, "digest": row.digest,
        "by": row.by, "created": row.created, "expires": row.expires, "why": row.why,
        "approvers": row.approvers, "agreed": row.agreed.iter().map(|one| &one.by).collect::<Vec<_>>(),
        "decided_by": row.decided.as_ref().map(|decided| &decided.by),
        "run_by": row.run.as_ref().map(|run| &run.by), "ended": row.ended,
    })
}
