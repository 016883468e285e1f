//! Running a plan: one step after the other, each durable before and behind.

use std::sync::Arc;
use std::time::Duration;

use model::{Access, Code, PlanId, PrincipalName, Refusal, parse_duration};
use tokio::time::Instant;

use super::file::{Expect, OnFailure};
use super::performed::{Caller, Performed, perform};
use super::row::{Asker, Call, Row, State, StepState, Which, change};
use crate::Worker;
use crate::approval::Answer;
use crate::broker::Unsealed;
use crate::manage::waiting;
use crate::sealed::Desk;

/// Somebody who runs a plan.
pub(crate) struct Runner {
    pub(crate) worker: Arc<Worker>,
    pub(crate) unsealed: Arc<Unsealed>,
    pub(crate) tenant: model::TenantName,
    pub(crate) by: PrincipalName,
    pub(crate) caller: Caller,
    pub(crate) plan: PlanId,
}

/// How a call ended, for the plan.
enum Ended {
    Well(Performed),
    /// It was not done, or the service refused it.
    Badly(String, Option<model::EvidenceId>),
    /// It was done, and says something else than it had to.
    Otherwise(String, Option<model::EvidenceId>),
    /// It may have been done.
    Unknown(String, Option<model::EvidenceId>),
}

/// Begins the run of an approved plan and carries it to its end.
///
/// # Errors
/// `approval_required`, `expired`, `denied` or `conflict` where it can't begin; how it ended is in the row.
pub(crate) async fn begin(runner: &Runner, digest: Option<String>) -> Result<Row, Refusal> {
    let (id, by, now) = (runner.plan, runner.by.clone(), runner.worker.broker().now());
    let live = runner.worker.broker().plans();
    let Some(_alive) = live.begin(id) else { return Err(once(id, State::Running)) };
    let catalog = runner.worker.broker().catalog();
    runner
        .change(move |row| {
            match row.state {
                State::Approved if now < row.expires => {}
                State::Approved => {
                    let message = format!("the approval of `{id}` expired at {}", row.expires);
                    return Err(Refusal::new(Code::Expired, message).hint("create the plan anew"));
                }
                State::Proposed => {
                    let message = format!("`{id}` is not approved");
                    let hint = format!("somebody else runs `doorward plan approve {id}`");
                    return Err(Refusal::new(Code::ApprovalRequired, message).hint(hint));
                }
                state => return Err(once(id, state)),
            }
            if row.decided.as_ref().is_none_or(|decided| decided.answer != Answer::Approved) {
                return Err(once(id, row.state));
            }
            if digest.as_ref().is_some_and(|wanted| *wanted != row.digest) {
                return Err(super::changed(id));
            }
            row.unchanged(&catalog)?;
            row.state = State::Running;
            row.run = Some(Asker { by: by.clone(), since: now });
            Ok(())
        })
        .await?;
    runner.go_on().await
}

fn once(id: PlanId, state: State) -> Refusal {
    let hint = match state {
        State::Running => {
            format!("`doorward plan show {id}`; `doorward plan resume {id}` where it was broken off")
        }
        State::Asking => format!("`doorward plan resume {id} --step STEP --outcome done|failed`"),
        _ => "a plan runs once; create it anew".to_owned(),
    };
    Refusal::new(Code::Conflict, format!("`{id}` can't be run: it is {}", state.as_str())).hint(hint)
}

impl Runner {
    /// Changes the row of the plan.
    pub(super) async fn change(
        &self,
        with: impl Fn(&mut Row) -> Result<(), Refusal> + Send + 'static,
    ) -> Result<Row, Refusal> {
        let desk = Desk::of(self.worker.broker(), &self.unsealed, &self.tenant);
        let id = self.plan;
        waiting(move || change(&desk, id, with)).await
    }

    /// Carries a running plan from where it stands to its end.
    pub(super) async fn go_on(&self) -> Result<Row, Refusal> {
        loop {
            let row = self.change(|_| Ok(())).await?;
            if row.state != State::Running {
                return Ok(row);
            }
            let next = row.progress.iter().position(|progress| progress.state != StepState::Done);
            let Some(at) = next else { return self.end(State::Succeeded, None).await };
            match row.progress.get(at).map(|progress| progress.state) {
                Some(StepState::Waiting | StepState::Running | StepState::Acted) => {
                    if let Some(by) = &row.cancelled_by {
                        return self.end(State::Cancelled, Some(format!("`{by}` cancelled it"))).await;
                    }
                    self.step(&row, at).await?;
                }
                Some(StepState::Unknown | StepState::UndoUnknown) | None => return self.asks().await,
                Some(_) => return self.fail(&row).await,
            }
        }
    }

    /// One step from where it stands.
    async fn step(&self, row: &Row, at: usize) -> Result<(), Refusal> {
        let Some(step) = row.plan.steps.get(at) else { return Ok(()) };
        let began = row.progress.get(at).map(|progress| progress.state).unwrap_or_default();
        if began != StepState::Acted {
            for nth in 0..step.preconditions.len() {
                let ended = self.call(row, at, Which::Precondition(nth), StepState::Running).await?;
                if let Ended::Badly(why, _) | Ended::Otherwise(why, _) | Ended::Unknown(why, _) = ended {
                    return self
                        .note(
                            at,
                            StepState::Failed,
                            None,
                            Some(format!("a precondition does not hold: {why}")),
                        )
                        .await;
                }
            }
            match self.call(row, at, Which::Act, StepState::Running).await? {
                Ended::Well(Performed { evidence, .. }) => {
                    self.note(at, StepState::Acted, Some(evidence), None).await?;
                }
                Ended::Badly(why, evidence) => {
                    return self.note(at, StepState::Failed, evidence, Some(why)).await;
                }
                Ended::Otherwise(why, evidence) => {
                    return self.note(at, StepState::NotWorking, evidence, Some(why)).await;
                }
                Ended::Unknown(why, evidence) => {
                    return self.note(at, StepState::Unknown, evidence, Some(why)).await;
                }
            }
        }
        for nth in 0..step.verify.len() {
            let ended = self.call(row, at, Which::Verify(nth), StepState::Acted).await?;
            if let Ended::Badly(why, _) | Ended::Otherwise(why, _) | Ended::Unknown(why, _) = ended {
                // It was done, so it is undone with the others.
                return self
                    .note(at, StepState::NotWorking, None, Some(format!("it did not work: {why}")))
                    .await;
            }
        }
        self.note(at, StepState::Done, None, None).await
    }

    /// Ends a plan of which a step failed, and undoes what was done where it says so.
    async fn fail(&self, row: &Row) -> Result<Row, Refusal> {
        let said = row.progress.iter().find_map(|progress| progress.said.clone());
        if row.plan.on_failure == OnFailure::Stop {
            return self.end(State::Failed, said).await;
        }
        // One that can't be undone keeps none before it from being undone: they were done too.
        let mut left: Vec<String> = Vec::new();
        let mut is_known = true;
        for at in (0..row.plan.steps.len()).rev() {
            let (Some(step), Some(progress)) = (row.plan.steps.get(at), row.progress.get(at)) else {
                continue;
            };
            // What a service refused is not undone: that could undo what somebody else did.
            if progress.state == StepState::NotUndone {
                left.push(not_undone(&step.id, progress.said.as_deref().unwrap_or_default()));
            }
            is_known &= progress.state != StepState::UndoUnknown;
            let did = matches!(progress.state, StepState::Done | StepState::NotWorking | StepState::Undoing);
            if !did || step.rollback.is_none() {
                continue;
            }
            match self.call(row, at, Which::Rollback, StepState::Undoing).await? {
                Ended::Well(Performed { evidence, .. }) => {
                    self.undone(at, StepState::RolledBack, evidence).await?
                }
                Ended::Badly(why, _) | Ended::Otherwise(why, _) => {
                    self.note(at, StepState::NotUndone, None, Some(why.clone())).await?;
                    left.push(not_undone(&step.id, &why));
                }
                Ended::Unknown(why, _) => {
                    self.note(at, StepState::UndoUnknown, None, Some(why)).await?;
                    is_known = false;
                }
            }
        }
        if !is_known {
            return self.asks().await;
        }
        match left.is_empty() {
            true => self.end(State::RolledBack, said).await,
            false => self.end(State::Failed, Some(left.join("; "))).await,
        }
    }

    /// Makes a call, durable before it is begun; a read is asked again as long as its expectation says.
    async fn call(&self, row: &Row, at: usize, which: Which, state: StepState) -> Result<Ended, Refusal> {
        // Also where policies ask for no approval: what was not looked at when the plan was approved is not done.
        if let Err(refusal) = row.unchanged(&self.worker.broker().catalog()) {
            return Ok(Ended::Badly(refusal.message, None));
        }
        let found = row.plan.steps.get(at).and_then(|step| step.call(which)).zip(row.plan.number(at, which));
        let Some((call, nth)) = found else {
            return Ok(Ended::Badly("the plan has no such call".to_owned(), None));
        };
        self.change(move |row| {
            row.at = Some(nth);
            if let Some(progress) = row.progress.get_mut(at) {
                progress.state = state;
            }
            Ok(())
        })
        .await?;
        let patience = call.expect.within.as_deref().and_then(|text| parse_duration(text).ok());
        let until = Instant::now() + patience.unwrap_or_default().min(LONGEST);
        loop {
            let ended = ended(perform(&self.worker, &self.caller, (self.plan, nth), call).await, call);
            match ended {
                Ended::Badly(..) | Ended::Otherwise(..)
                    if call.access == Access::Read && Instant::now() < until =>
                {
                    tokio::time::sleep(BETWEEN).await;
                }
                ended => return Ok(ended),
            }
        }
    }

    async fn note(
        &self,
        at: usize,
        state: StepState,
        evidence: Option<model::EvidenceId>,
        said: Option<String>,
    ) -> Result<(), Refusal> {
        self.change(move |row| {
            row.at = None;
            if let Some(progress) = row.progress.get_mut(at) {
                progress.state = state;
                progress.evidence = evidence.or(progress.evidence);
                progress.said = said.clone().or(progress.said.take());
            }
            Ok(())
        })
        .await
        .map(|_| ())
    }

    async fn undone(&self, at: usize, state: StepState, evidence: model::EvidenceId) -> Result<(), Refusal> {
        self.change(move |row| {
            row.at = None;
            if let Some(progress) = row.progress.get_mut(at) {
                (progress.state, progress.undone) = (state, Some(evidence));
            }
            Ok(())
        })
        .await
        .map(|_| ())
    }

    async fn asks(&self) -> Result<Row, Refusal> {
        self.end(State::Asking, Some("nobody knows what came of a step".to_owned())).await
    }

    async fn end(&self, state: State, why: Option<String>) -> Result<Row, Refusal> {
        let now = self.worker.broker().now();
        self.change(move |row| {
            (row.state, row.why, row.at) = (state, why.clone(), None);
            row.ended = (state != State::Asking).then_some(now);
            Ok(())
        })
        .await
    }
}

fn not_undone(step: &str, why: &str) -> String {
    format!("step `{step}` was not undone: {why}")
}

/// What a call means for its plan.
fn ended(result: Result<Performed, Refusal>, call: &Call) -> Ended {
    match result {
        Ok(performed) => match call.expect.holds(&performed) {
            Ok(()) => Ended::Well(performed),
            Err(why) if Expect::default().holds(&performed).is_ok() => {
                Ended::Otherwise(why, Some(performed.evidence))
            }
            Err(why) => Ended::Badly(why, Some(performed.evidence)),
        },
        // The answer broke off behind its head, or nobody knows: a write may have been done.
        Err(refusal) if call.access == Access::Write && is_unknown(refusal.code) => {
            Ended::Unknown(refusal.message, refusal.evidence)
        }
        Err(refusal) => Ended::Badly(refusal.message, refusal.evidence),
    }
}

const fn is_unknown(code: Code) -> bool {
    matches!(code, Code::OutcomeUnknown | Code::UpstreamReply | Code::UpstreamTimeout)
}

/// Between two looks of a read that is asked again.
const BETWEEN: Duration = Duration::from_secs(2);
/// Longest time that a read is asked again.
const LONGEST: Duration = Duration::from_secs(1_800);
