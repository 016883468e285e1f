//! A plan as it is stored, and how far it got.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Duration;

use catalog::Catalog;
use model::{Access, Code, EvidenceId, Inputs, PlanId, PrincipalName, Refusal, Risk, Timestamp};
use serde::{Deserialize, Serialize};

use super::file::{Expect, OnFailure, Stage, Trigger};
use crate::approval::{self, Decided};
use crate::sealed::Desk;

/// What is done, in a form that has one spelling: this is what is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) summary: String,
    pub(crate) intent: Option<String>,
    pub(crate) trigger: Trigger,
    pub(crate) context: BTreeMap<String, String>,
    pub(crate) on_failure: OnFailure,
    /// How many people have to approve it. In the digest where it is more than one.
    #[serde(default = "approval::one", skip_serializing_if = "approval::is_one")]
    pub(crate) approvers: NonZeroU8,
    /// What the services are that are called, as digests of their files: what is approved is what they would be sent. None in plans
    /// of versions before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) services: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) stage: Stage,
    pub(crate) preconditions: Vec<Call>,
    pub(crate) act: Call,
    pub(crate) verify: Vec<Call>,
    pub(crate) rollback: Option<Call>,
}

/// One call, with what its answer has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// `integration/operation`.
    pub(crate) operation: String,
    pub(crate) inputs: Inputs,
    pub(crate) access: Access,
    pub(crate) risk: Risk,
    pub(crate) expect: Expect,
}

impl Plan {
    /// The same as anybody may see it: in the place of an input that is a secret stands its SHA-256.
    pub(crate) fn shown(&self, catalog: &Catalog) -> Self {
        let mut shown = self.clone();
        for step in &mut shown.steps {
            let calls = step.preconditions.iter_mut().chain(&mut step.verify).chain(&mut step.rollback);
            for call in calls.chain([&mut step.act]) {
                let named = call.operation.split_once('/');
                let named = named.and_then(|(from, name)| Some((from.parse().ok()?, name.parse().ok()?)));
                let found = named.and_then(|(from, name)| Some((catalog.get(&from).ok()?, name)));
                if let Some((integration, name)) = found {
                    call.inputs = integration.shown_inputs(&name, &call.inputs).into_owned();
                }
            }
        }
        shown
    }
}

/// A plan, and how far it got.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) id: PlanId,
    pub(crate) digest: String,
    pub(crate) plan: Plan,
    pub(crate) by: PrincipalName,
    pub(crate) created: Timestamp,
    /// The highest of its calls.
    pub(crate) risk: Risk,
    pub(crate) state: State,
    /// How many people have to approve it: what the plan says, and never fewer than the settings say.
    #[serde(default = "approval::one")]
    pub(crate) approvers: NonZeroU8,
    /// Who did, in their order.
    #[serde(default)]
    pub(crate) agreed: Vec<Decided>,
    pub(crate) decided: Option<Decided>,
    /// Until when it can be decided; of an approved one, until when its run may begin.
    pub(crate) expires: Timestamp,
    pub(crate) run: Option<Asker>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) progress: Vec<Progress>,
    /// The call that is under way, counted over all calls of the plan.
    pub(crate) at: Option<u16>,
    /// Somebody wants it to end behind the step that is under way.
    pub(crate) cancelled_by: Option<PrincipalName>,
    /// Why it ended as it did.
    pub(crate) why: Option<String>,
}

/// Who runs it, since when.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asker {
    pub(crate) by: PrincipalName,
    pub(crate) since: Timestamp,
}

/// How far a step got.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    pub(crate) state: StepState,
    /// The record of what it did.
    pub(crate) evidence: Option<EvidenceId>,
    /// The record of what undid it.
    pub(crate) undone: Option<EvidenceId>,
    pub(crate) said: Option<String>,
}

/// Where a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Proposed,
    Approved,
    Denied,
    Running,
    /// Nobody knows what came of a step; a person has to say.
    Asking,
    Succeeded,
    Failed,
    RolledBack,
    Cancelled,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Running => "running",
            Self::Asking => "asking",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepState {
    #[default]
    Waiting,
    /// Its preconditions are looked at, or it is done.
    Running,
    /// It was done; whether it worked is looked at.
    Acted,
    Done,
    /// It was not done.
    Failed,
    /// It was done, and did not do what it should.
    NotWorking,
    /// It may have been done.
    Unknown,
    /// What undoes it is under way.
    Undoing,
    RolledBack,
    /// What should have undone it failed.
    NotUndone,
    /// It may have been undone.
    UndoUnknown,
}

impl StepState {
    /// Whether a person has to say what came of it.
    pub(crate) const fn is_unknown(self) -> bool {
        matches!(self, Self::Unknown | Self::UndoUnknown)
    }
}

/// Which call of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Precondition(usize),
    Act,
    Verify(usize),
    Rollback,
}

impl Plan {
    /// The digest of everything that would be done: SHA-256 over its one spelling.
    pub(crate) fn digest(&self) -> Result<String, Refusal> {
        let text =
            serde_json::to_vec(self).map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))?;
        Ok(format!("sha256:{}", crypto::to_hex(&crypto::sha256(&[b"doorward plan 1\n", &text]))))
    }

    /// The number of a call over all calls of the plan.
    pub(crate) fn number(&self, step: usize, which: Which) -> Option<u16> {
        let before: usize = self.steps.iter().take(step).map(Step::calls).sum();
        let found = self.steps.get(step)?;
        let within = match which {
            Which::Precondition(nth) => nth,
            Which::Act => found.preconditions.len(),
            Which::Verify(nth) => found.preconditions.len() + 1 + nth,
            Which::Rollback => found.preconditions.len() + 1 + found.verify.len(),
        };
        u16::try_from(before + within).ok()
    }

    /// The call with this number, and its step.
    pub(crate) fn call(&self, nth: u16) -> Option<(&Step, &Call)> {
        let (_, step, which) = self.place(nth)?;
        Some((step, step.call(which)?))
    }

    /// Where the call with this number stands.
    pub(crate) fn place(&self, nth: u16) -> Option<(usize, &Step, Which)> {
        let mut left = usize::from(nth);
        for (at, step) in self.steps.iter().enumerate() {
            if left < step.calls() {
                let (first, verify) = (step.preconditions.len(), step.preconditions.len() + 1);
                let which = match left {
                    nth if nth < first => Which::Precondition(nth),
                    nth if nth == first => Which::Act,
                    nth if nth < verify + step.verify.len() => Which::Verify(nth - verify),
                    _ => Which::Rollback,
                };
                return Some((at, step, which));
            }
            left -= step.calls();
        }
        None
    }
}

impl Step {
    fn calls(&self) -> usize {
        self.preconditions.len() + 1 + self.verify.len() + usize::from(self.rollback.is_some())
    }

    pub(crate) fn call(&self, which: Which) -> Option<&Call> {
        match which {
            Which::Precondition(nth) => self.preconditions.get(nth),
            Which::Act => Some(&self.act),
            Which::Verify(nth) => self.verify.get(nth),
            Which::Rollback => self.rollback.as_ref(),
        }
    }
}

impl Row {
    /// Refuses a plan that is not what its digest says, or whose services are others now than those that were approved.
    pub(crate) fn unchanged(&self, catalog: &Catalog) -> Result<(), Refusal> {
        if self.plan.digest()? != self.digest {
            return Err(super::changed(self.id));
        }
        match self
            .plan
            .services
            .iter()
            .find(|(name, digest)| text_digest(catalog, name).as_ref() != Some(digest))
        {
            Some((name, _)) => Err(super::service_changed(self.id, name)),
            None => Ok(()),
        }
    }

    /// Where it stands now: one that waits for too long is over.
    pub(crate) fn standing(&self, now: Timestamp) -> &'static str {
        match self.state {
            State::Proposed | State::Approved if now >= self.expires => "expired",
            state => state.as_str(),
        }
    }
}

/// The digest of a service's file, as a plan keeps it.
pub(super) fn text_digest(catalog: &Catalog, name: &str) -> Option<String> {
    let digest = catalog.text_digest(&name.parse().ok()?)?;
    Some(format!("sha256:{}", crypto::to_hex(&digest)))
}

/// Changes a plan, whoever else changes it at the same time. Blocks.
pub(crate) fn change(
    desk: &Desk,
    id: PlanId,
    change: impl Fn(&mut Row) -> Result<(), Refusal>,
) -> Result<Row, Refusal> {
    desk.change(&key(id), || missing(id), change)
}

pub(crate) fn missing(id: PlanId) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no plan `{id}`")).hint("`doorward plan list`")
}

/// The key of a plan.
pub(crate) fn key(id: PlanId) -> String {
    id.to_string()
}

/// The counter of a call that is performed once.
pub(crate) fn once(plan: PlanId, nth: u16) -> [u8; 16] {
    let digest = crypto::sha256(&[b"step of a plan", &plan.to_bytes(), &nth.to_be_bytes()]);
    digest.first_chunk::<16>().copied().unwrap_or_default()
}

/// How long a plan can be decided, and how long behind that its run may begin.
pub(crate) const APPROVED_FOR: Duration = Duration::from_secs(24 * 3_600);
