//! Plans that are long over are forgotten; the evidence remembers what they did.

use std::time::Duration;

use model::{Refusal, Timestamp};

use super::row::{Row, State, key};
use crate::sealed::Desk;

/// Forgets plans that were over for longer than anybody looks at them, some at a time. Blocks.
pub(crate) fn forget_old(desk: &Desk, now: Timestamp) -> Result<(), Refusal> {
    let over = |row: &Row| over_since(row).is_some_and(|since| since.after(KEPT) <= now);
    let old = desk.all::<Row>(PREFIX)?.into_iter().filter(over).take(MOST);
    let steps: Vec<_> = old.map(|row| desk.delete(&key(row.id))).collect();
    if steps.is_empty() { Ok(()) } else { desk.commit(steps) }
}

/// Since when nothing more comes of a plan. One that runs, or waits for a person to say what came of a step, is never over.
fn over_since(row: &Row) -> Option<Timestamp> {
    match row.state {
        State::Running | State::Asking => None,
        State::Proposed | State::Approved => Some(row.expires),
        State::Denied | State::Succeeded | State::Failed | State::RolledBack | State::Cancelled => {
            Some(row.ended.or_else(|| row.decided.as_ref().map(|decided| decided.at)).unwrap_or(row.expires))
        }
    }
}

/// What the keys of plans begin with.
const PREFIX: &str = "pln_";
/// How long a plan is listed after it is over.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
const MOST: usize = 200;
