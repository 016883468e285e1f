//! Approvals that are long over are forgotten; the evidence remembers them.

use std::time::Duration;

use evidence::CounterId;
use model::{Refusal, Timestamp};

use super::row::{Latest, Row, digest_key, key};
use crate::sealed::Desk;

/// Forgets approvals that were over for longer than anybody looks at them, some at a time; gives the counters of their one use.
/// Blocks.
pub(crate) fn forget_old(desk: &Desk, now: Timestamp) -> Result<Vec<CounterId>, Refusal> {
    let old = desk.all::<Row>(PREFIX)?.into_iter().filter(|row| row.expires.after(KEPT) <= now).take(MOST);
    let (mut steps, mut counters) = (Vec::new(), Vec::new());
    for row in old {
        let pointer = digest_key(&row.digest);
        if desk.read::<Latest>(&pointer)?.is_some_and(|latest| latest.row.id == row.id) {
            steps.push(desk.delete(&pointer));
        }
        steps.push(desk.delete(&key(row.id)));
        counters.push(row.id.to_bytes());
    }
    if !steps.is_empty() {
        desk.commit(steps)?;
    }
    Ok(counters)
}

/// What the keys of approvals begin with.
const PREFIX: &str = "apr_";
/// How long an approval is listed after it is over.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
const MOST: usize = 1_000;
