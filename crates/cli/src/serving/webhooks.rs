//! Tells webhooks: looks what is due, and has each tried as a call of its own, in the owner's name.
//!
//! One subscription is told one thing at a time, and none waits for another. What is cut short here is due again at the next start.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use broker::{ToTell, Worker};
use model::{Inputs, Refusal, WebhookId};
use net::Draining;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::owner;

/// Tells until the doors close.
pub(super) async fn go(worker: Arc<Worker>, mut draining: Draining) {
    let mut ticks = tokio::time::interval(worker.broker().looks_for_webhooks());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Task `webhook`; each ends by itself within the patience for a receiver, and the path settles what was begun.
    let mut telling: JoinSet<WebhookId> = JoinSet::new();
    let mut busy = BTreeSet::new();
    loop {
        tokio::select! {
            () = draining.started() => return,
            _ = ticks.tick() => {}
            Some(told) = telling.join_next(), if !telling.is_empty() => {
                match told {
                    Ok(webhook) => drop(busy.remove(&webhook)),
                    Err(_) if telling.is_empty() => busy.clear(),
                    Err(_) => {}
                }
            }
        }
        let broker = Arc::clone(worker.broker());
        let Ok(due) = tokio::task::spawn_blocking(move || broker.to_tell()).await else { return };
        for one in due {
            if busy.len() >= MOST || !busy.insert(one.webhook) {
                continue;
            }
            let worker = Arc::clone(&worker);
            telling.spawn(async move {
                if let Err(refusal) = tell(&worker, one).await {
                    tracing::warn!(webhook = %one.webhook, code = %refusal.code, "a webhook was not told");
                    // It is still due: a policy that forbids it must not fill the evidence with refusals.
                    tokio::time::sleep(PAUSE).await;
                }
                one.webhook
            });
        }
    }
}

/// One try in the name of the owner.
async fn tell(worker: &Arc<Worker>, due: ToTell) -> Result<(), Refusal> {
    let inputs = [("id", due.webhook.to_string()), ("delivery", due.delivery.to_string())];
    let inputs = Inputs::from(inputs.map(|(name, value)| (name.to_owned(), value)));
    owner::operate(worker, "webhook.deliver", (inputs, None), Some("webhook")).await.map(drop)
}

/// Most subscriptions that are told at the same time: all that there may be, so that none waits for another.
const MOST: usize = 20;
/// How long a subscription is left alone where a call for it was refused.
const PAUSE: Duration = Duration::from_secs(60);
