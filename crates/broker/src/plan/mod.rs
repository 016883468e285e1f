//! Plans: steps that one person writes, another approves as a whole, and that are run once.
//!
//! ```text
//! file ─▶ read (parameters filled in) ─▶ check (against the catalogue) ─▶ Plan, with a digest ─▶ stored: proposed
//!   somebody else approves the digest ─▶ run: each call of each step goes down the one path as a call of its own
//! ```
//!
//! # Invariants
//!
//! - What runs is what was approved: the digest of the stored plan is computed again at the run and at every call of it.
//! - A run begins once. A write of a plan is performed at most once: its use is counted with its intent, under an id of its own.
//! - Where a step stands is durable before it is begun. Behind a crash, a write whose intent became durable is not repeated: the evidence
//!   says what came of it, or a person has to.
//! - A plan can't manage Doorward, so it can't approve anything.

mod check;
mod expect;
mod file;
mod forget;
mod performed;
mod resume;
mod row;
mod run;

pub(crate) use check::checked;
pub(crate) use file::{File, filled};
pub(crate) use forget::forget_old;
pub(crate) use performed::Caller;
pub(crate) use resume::{Answered, Outcomes, resume};
pub(crate) use row::{APPROVED_FOR, Plan, Progress, Row, State, change, key, missing};
pub(crate) use run::{Runner, begin};

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::sync::{Mutex, MutexGuard, PoisonError};

use catalog::Catalog;
use model::{
    Access, ApprovalClaim, Code, Inputs, IntegrationName, OperationName, PlanId, PrincipalName, Refusal,
};
use policy::Permit;

use crate::approval::{Answer, Approved, enough};
use crate::sealed::Desk;

/// Plans that are run by this process at the moment. Whatever else says that it is running was left behind by a crash.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<BTreeSet<PlanId>>);

/// That this process runs a plan, as long as it is held.
pub(crate) struct Alive<'a>(&'a Live, PlanId);

impl Live {
    /// Notes that a plan is run; `None` where it is already.
    pub(crate) fn begin(&self, plan: PlanId) -> Option<Alive<'_>> {
        self.all().insert(plan).then(|| Alive(self, plan))
    }

    /// Whether this process runs it.
    pub(crate) fn has(&self, plan: PlanId) -> bool {
        self.all().contains(&plan)
    }

    fn all(&self) -> MutexGuard<'_, BTreeSet<PlanId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.all().remove(&self.1);
    }
}

/// A call that says that it is one of a plan.
pub(crate) struct Claimed {
    plan: PlanId,
    nth: u16,
    principal: PrincipalName,
    integration: IntegrationName,
    operation: OperationName,
    access: Access,
    inputs: Inputs,
    needed: NonZeroU8,
}

impl Claimed {
    /// `needed` is how many people have to have approved it.
    pub(crate) fn of(plan: PlanId, nth: u16, permit: &Permit, needed: NonZeroU8) -> Self {
        let call = permit.call();
        Self {
            plan,
            nth,
            principal: permit.principal().clone(),
            integration: call.integration().clone(),
            operation: call.operation().clone(),
            access: call.access(),
            inputs: call.inputs().clone(),
            needed,
        }
    }

    /// What a call of the plan says of itself.
    pub(crate) const fn claim(plan: PlanId, nth: u16) -> ApprovalClaim {
        ApprovalClaim::Step(plan, nth)
    }
}

/// The approval of a call of a plan: the plan is approved and running, by this caller, and this is the call that comes now. Blocks.
///
/// # Errors
/// `not_found` for whatever is no such call, and `denied` where the plan is not what was approved.
pub(crate) fn approved(desk: &Desk, claimed: &Claimed, catalog: &Catalog) -> Result<Approved, Refusal> {
    let Claimed { plan, nth, principal, integration, operation, access, inputs, needed } = claimed;
    let nothing = || Refusal::new(Code::NotFound, format!("`{plan}` has no such call now"));
    let row = desk.read::<Row>(&key(*plan))?.ok_or_else(nothing)?.row;
    let runs = row.run.as_ref().is_some_and(|run| run.by == *principal);
    if row.state != State::Running || row.at != Some(*nth) || !runs {
        return Err(nothing());
    }
    let decided = row.decided.as_ref().filter(|decided| decided.answer == Answer::Approved);
    let by =
        enough(decided.ok_or_else(nothing)?, &row.agreed, *needed).ok_or_else(|| too_few(*plan, *needed))?;
    row.unchanged(catalog)?;
    let (step, call) = row.plan.call(*nth).ok_or_else(nothing)?;
    if call.operation != format!("{integration}/{operation}") || call.inputs != *inputs {
        return Err(changed(*plan));
    }
    let once = (*access == Access::Write).then(|| row::once(*plan, *nth));
    Ok(Approved::of_step(format!("{plan}/{}", step.id), by, once))
}

/// More people have to approve one of its calls than approved the plan.
fn too_few(plan: PlanId, needed: NonZeroU8) -> Refusal {
    let message = format!("`{plan}` was approved by fewer people than this step needs, which is {needed}");
    Refusal::new(Code::Denied, message)
        .because("too few approvers")
        .hint(format!("write `approvers: {needed}` into the plan, and have it approved anew"))
}

/// A service is another than when the plan was made.
pub(crate) fn service_changed(plan: PlanId, service: &str) -> Refusal {
    Refusal::new(
        Code::Denied,
        format!("the file of `{service}` was changed after `{plan}` was made: it may do other things now"),
    )
    .because("plan modified after approval")
    .hint("create the plan anew, and have it approved")
}

/// The plan is not what somebody approved.
pub(crate) fn changed(plan: PlanId) -> Refusal {
    Refusal::new(Code::Denied, format!("plan modified after approval: `{plan}`"))
        .because("plan modified after approval")
        .hint("create the plan anew, and have it approved")
}

#[cfg(test)]
mod tests;
