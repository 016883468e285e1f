//! What a caller says about the approval of its call.

use crate::{ApprovalId, PlanId};

/// Which approval a call is said to have. It is believed to be what the caller says, no more: whether there is such an
/// approval, and for this very call, is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalClaim {
    /// The approval of this one call.
    Approval(ApprovalId),
    /// The approval of a plan, of which this is the call with that number, counted from 0 over all calls of the plan.
    Step(PlanId, u16),
}

/// What a caller says beside its request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// The approval that the call is said to have.
    pub approval: Option<ApprovalClaim>,
    /// Why it breaks the glass, where it does.
    pub break_glass: Option<String>,
}
