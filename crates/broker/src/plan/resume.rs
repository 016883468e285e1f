//! Going on with a plan that was broken off, by a crash or by an outcome that nobody knows.

use ::evidence::{Ending, Entry, Filter, Outcome, Reader, What};
use model::{Access, Code, EvidenceId, PlanId, Refusal};

use super::row::{Asker, Row, State, StepState, Which, once};
use super::run::Runner;
use crate::manage::waiting;
use crate::sealed::Desk;

/// What a person says about a step of which nobody knows.
pub(crate) struct Answered {
    pub(crate) step: String,
    pub(crate) outcome: Outcomes,
}

/// What came of it, as a person found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcomes {
    Done,
    Failed,
}

/// What the evidence says about a write.
enum Known {
    /// Nothing was begun.
    Nothing,
    Done(EvidenceId),
    Failed(EvidenceId),
    Unknown,
}

/// Goes on with a plan.
///
/// # Errors
/// `conflict` where there is nothing to go on with, or where a person has to say first what came of a step.
pub(crate) async fn resume(
    runner: &Runner,
    reader: Reader,
    answered: Option<Answered>,
) -> Result<Row, Refusal> {
    let live = runner.worker.broker().plans();
    let Some(_alive) = live.begin(runner.plan) else {
        return Err(Refusal::new(Code::Conflict, format!("`{}` is running", runner.plan)));
    };
    let row = runner.change(|_| Ok(())).await?;
    match (row.state, &answered) {
        (State::Running, _) | (State::Asking, Some(_)) => {}
        (State::Asking, None) => {
            let step = asked(&row).unwrap_or_default();
            let message = format!("nobody knows what came of step `{step}` of `{}`", row.id);
            return Err(Refusal::new(Code::Conflict, message).hint(format!(
                "look at the service, then `doorward plan resume {} --step {step} --outcome done|failed`",
                row.id
            )));
        }
        // It is over: whoever was cut off learns how it ended.
        (State::Succeeded | State::Failed | State::RolledBack | State::Cancelled, None) => return Ok(row),
        (state, _) => {
            let message = format!("there is nothing to go on with: `{}` is {}", row.id, state.as_str());
            return Err(Refusal::new(Code::Conflict, message));
        }
    }
    row.unchanged(&runner.worker.broker().catalog())?;
    let left = match row.at {
        Some(nth) => Some((nth, left(runner, reader, &row, nth).await?)),
        None => None,
    };
    let (by, now) = (runner.by.clone(), runner.worker.broker().now());
    runner
        .change(move |row| {
            row.state = State::Running;
            row.run = Some(Asker { by: by.clone(), since: now });
            if let Some((nth, known)) = &left {
                settled(row, *nth, known);
            }
            match &answered {
                Some(answered) => said(row, answered),
                None => Ok(()),
            }
        })
        .await?;
    runner.go_on().await
}

/// The step of which nobody knows.
fn asked(row: &Row) -> Option<String> {
    let at = row.progress.iter().position(|progress| progress.state.is_unknown())?;
    row.plan.steps.get(at).map(|step| step.id.clone())
}

/// What became of the call that was under way.
async fn left(runner: &Runner, reader: Reader, row: &Row, nth: u16) -> Result<Known, Refusal> {
    let Some((_, call)) = row.plan.call(nth) else { return Ok(Known::Nothing) };
    // A read is done again.
    if call.access == Access::Read {
        return Ok(Known::Nothing);
    }
    let (id, plan, since) = (once(row.id, nth), row.id, row.run.as_ref().map(|run| run.since));
    let desk = Desk::of(runner.worker.broker(), &runner.unsealed, &runner.tenant);
    let filter = Filter { since, limit: MOST, ..Filter::of(runner.tenant.clone()) };
    waiting(move || {
        if !desk.used(id)? {
            return Ok(Known::Nothing);
        }
        let entries = reader.list(&filter).map_err(|error| unread(plan, &error))?;
        Ok(entries.iter().find_map(|entry| of(entry, id)).unwrap_or(Known::Unknown))
    })
    .await
}

/// What a record says, where it is that of the call.
fn of(entry: &Entry, id: [u8; 16]) -> Option<Known> {
    let What::Call(intent) = &entry.what else { return None };
    let _counted = intent.uses.iter().find(|counted| counted.id == id)?;
    Some(match &entry.outcome {
        Some(Outcome { ending: Ending::Done, .. }) => Known::Done(intent.id),
        Some(Outcome { ending: Ending::Failed | Ending::Abandoned, .. }) => Known::Failed(intent.id),
        Some(Outcome { ending: Ending::Unknown, .. }) | None => Known::Unknown,
    })
}

/// Writes into a row what became of the call that was under way.
fn settled(row: &mut Row, nth: u16, known: &Known) {
    row.at = None;
    let Some((at, which)) = row.plan.place(nth).map(|(at, _, which)| (at, which)) else { return };
    let Some(progress) = row.progress.get_mut(at) else { return };
    match (which, known) {
        (_, Known::Nothing) | (Which::Precondition(_) | Which::Verify(_), _) => {}
        (Which::Act, Known::Done(evidence)) => {
            (progress.state, progress.evidence) = (StepState::Acted, Some(*evidence));
        }
        (Which::Act, Known::Failed(evidence)) => {
            (progress.state, progress.evidence) = (StepState::Failed, Some(*evidence));
            progress.said = Some("it failed while the broker ended".to_owned());
        }
        (Which::Rollback, Known::Done(evidence)) => {
            (progress.state, progress.undone) = (StepState::RolledBack, Some(*evidence));
        }
        (Which::Rollback, Known::Failed(_)) => {
            progress.state = StepState::NotUndone;
            progress.said = Some("undoing it failed while the broker ended".to_owned());
        }
        (Which::Rollback, Known::Unknown) => progress.state = StepState::UndoUnknown,
        (Which::Act, Known::Unknown) => progress.state = StepState::Unknown,
    }
}

/// Writes into a row what a person says.
fn said(row: &mut Row, answered: &Answered) -> Result<(), Refusal> {
    let Answered { step, outcome } = answered;
    let at = row.plan.steps.iter().position(|found| found.id == *step);
    let progress = at.and_then(|at| row.progress.get_mut(at));
    let Some(progress) = progress.filter(|progress| progress.state.is_unknown()) else {
        let message =
            format!("it is known what came of step `{step}` of `{}`, or there is no such step", row.id);
        return Err(Refusal::new(Code::Conflict, message).hint(format!("`doorward plan show {}`", row.id)));
    };
    let by = row.run.as_ref().map(|run| run.by.to_string()).unwrap_or_default();
    match (progress.state, outcome) {
        (StepState::UndoUnknown, Outcomes::Done) => {
            progress.state = StepState::RolledBack;
            progress.said = Some(format!("`{by}` says that it was undone"));
        }
        (StepState::UndoUnknown, Outcomes::Failed) => {
            progress.state = StepState::NotUndone;
            progress.said = Some(format!("`{by}` says so"));
        }
        (_, Outcomes::Done) => {
            progress.state = StepState::Acted;
            progress.said = Some(format!("`{by}` says that it was done"));
        }
        (_, Outcomes::Failed) => {
            progress.state = StepState::Failed;
            progress.evidence = None;
            progress.said = Some(format!("`{by}` says that it was not done"));
        }
    }
    Ok(())
}

fn unread(plan: PlanId, error: &::evidence::Error) -> Refusal {
    let message = format!("what came of the last step of `{plan}` can't be looked up: {error}");
    Refusal::new(Code::SourceUnavailable, message)
}

/// Records that are looked through for the one of the call.
const MOST: usize = 10_000;
