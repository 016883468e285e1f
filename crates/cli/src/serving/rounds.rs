//! Rounds through the tenants: credentials that are due are validated, one after another, in the owner's name.
//!
//! Each validation is a call down the path like one that a person asks for, with evidence of its own. Nothing is done where
//! nothing is due, and nothing is repeated after a restart: when a credential was tried last stands in its row.

use std::sync::Arc;

use bigquery::Beside;
use broker::{Due, Round, Worker};
use model::{Inputs, Refusal};
use net::Draining;
use tokio::time::MissedTickBehavior;

use super::owner;

/// Goes round until the doors close.
pub(super) async fn go(worker: Arc<Worker>, beside: Option<Arc<Beside>>, mut draining: Draining) {
    let mut round = Round::default();
    let mut ticks = tokio::time::interval(worker.broker().often().rest());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = draining.started() => return,
            _ = ticks.tick() => {}
        }
        let (broker, beside) = (Arc::clone(worker.broker()), beside.clone());
        let looked = tokio::task::spawn_blocking(move || {
            settle(beside.as_deref());
            let due = broker.look_after(&mut round);
            (round, due)
        });
        let Ok((now, due)) = looked.await else { return };
        round = now;
        for due in due.iter().take(MOST) {
            tokio::select! {
                // A call that has begun goes on to its end without us.
                () = draining.started() => return,
                asked = ask(&worker, due) => {
                    if let Err(refusal) = asked {
                        tracing::warn!(tenant = %due.tenant, code = %refusal.code, "a credential that is due was not validated");
                    }
                }
            }
        }
    }
}

/// What was begun in BigQuery and not settled. What is out of reach is tried again with the next look.
fn settle(beside: Option<&Beside>) {
    if let Some(Err(error)) = beside.map(Beside::settle) {
        tracing::warn!(%error, "the table of credentials could not be brought in line with the store");
    }
}

/// One validation in the name of the owner.
async fn ask(worker: &Arc<Worker>, due: &Due) -> Result<(), Refusal> {
    let inputs = [("tenant", due.tenant.to_string()), ("provider", due.provider.clone())];
    let inputs = Inputs::from(inputs.map(|(name, value)| (name.to_owned(), value)));
    owner::operate(worker, "credential.validate", (inputs, None), Some("schedule")).await.map(drop)
}

/// Most validations between two looks; the rest is still due in the next round.
const MOST: usize = 16;
