//! Sending what a lane gathered, and handing the answers to those who wait.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Flush, Inner, Lane, gather};
use crate::log::entry::{Answer, Awaited, Entry, Message, Waiter, What};
use crate::{Ending, Error, Kind, Outcome, Receipt};

/// Sends the buffer and hands the answers to those who wait.
pub(super) async fn flush(mut flush: Flush) {
    if let Some(inner) = &flush.0 {
        gather(inner).await;
    }
    let Some(inner) = flush.0.take() else { return };
    let (pending, waiters) = inner.take();
    let (reply, mut answers) = oneshot::channel();
    if inner.outbox.send(Message::Records(pending, Some(reply))).is_err() {
        // The waiters are dropped, and see that the log is closed.
        inner.gauge.close();
        return;
    }
    if let Ok(answers) = tokio::time::timeout(inner.patience, &mut answers).await {
        for (waiter, answer) in waiters.into_iter().zip(answers.unwrap_or_default()) {
            tell(&inner, waiter, answer);
        }
        return;
    }
    for waiter in waiters {
        match waiter {
            Waiter::Intent(waiter) => drop(waiter.send(Err(Error::Slow))),
            Waiter::Plain(waiter) => drop(waiter.send(Err(Error::Slow))),
        }
    }
    for answer in answers.await.unwrap_or_default() {
        if let Answer::Intent(Ok(receipt)) = answer {
            abandon(&inner, receipt);
        }
    }
}

fn tell(inner: &Arc<Inner>, waiter: Waiter, answer: Answer) {
    match (waiter, answer) {
        (Waiter::Plain(waiter), Answer::Plain(result)) => drop(waiter.send(result)),
        (Waiter::Intent(waiter), Answer::Intent(result)) => {
            if let Err(Ok(receipt)) = waiter.send(result) {
                abandon(inner, receipt);
            }
        }
        // Never so, as both are in the order of the entries; the waiter is dropped, and sees an error.
        (Waiter::Plain(_), Answer::Intent(_)) | (Waiter::Intent(_), Answer::Plain(_)) => {}
    }
}

/// Whoever asked was refused meanwhile or is gone: nothing was lent or sent under this intent.
fn abandon(inner: &Arc<Inner>, receipt: Receipt) {
    let settles = receipt.settles();
    let (tenant, held) = receipt.spend();
    let lane = Lane(Arc::clone(inner));
    if inner.gauge.admit_outcome().is_err() {
        // The log takes nothing any more; the intent ends as `unknown` when it is opened again.
        return;
    }
    let pushed = lane.push(None, |pending| {
        let start = pending.bytes.len();
        let outcome = Outcome::bare(Ending::Abandoned);
        outcome.encode(settles, &mut pending.bytes);
        let body = start..pending.bytes.len();
        let (gives_back, awaited) = (outcome.gives_back(), Awaited::No);
        let what = What::Settle { held: Some(held), gives_back, awaited };
        pending.entries.push(Entry { tenant, kind: Kind::Outcome, id: Some(settles.id), body, what });
        Ok(())
    });
    if let Err(error) = pushed {
        tracing::warn!(%error, "an abandoned intent stays open until it is swept");
    }
}
