//! Plans that are long over are forgotten; the evidence remembers what they did.

use std::time::Duration;

use evidence::CounterId;
use model::{Refusal, Timestamp};

use super::row::{Row, State, key, once};
use crate::sealed::Desk;

/// Forgets plans that were over for longer than anybody looks at them, some at a time; gives the counters of their steps. Blocks.
pub(crate) fn forget_old(desk: &Desk, now: Timestamp) -> Result<Vec<CounterId>, Refusal> {
    let over = |row: &Row| over_since(row).is_some_and(|since| since.after(KEPT) <= now);
    let old = desk.all::<Row>(PREFIX)?.into_iter().filter(over).take(MOST);
    let (mut steps, mut counters) = (Vec::new(), Vec::new());
    for row in old {
        steps.push(desk.delete(&key(row.id)));
        counters.extend((0..).take_while(|nth| row.plan.call(*nth).is_some()).map(|nth| once(row.id, nth)));
    }
    if !steps.is_empty() {
        desk.commit(steps)?;
    }
    Ok(counters)
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
