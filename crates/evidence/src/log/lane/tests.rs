//! Tests of what waits in a lane, and for whom it goes.

use std::time::{Duration, Instant};

use crate::event::tests::{id, intent};
use crate::log::tests::fake::{Fake, clock, done, local, open, run, until};
use crate::{Event, Wait};

fn is_settled(storage: &Fake, call: u64) -> bool {
    storage.records(&local()).iter().any(|leaf| match &leaf.event {
        Event::Outcome(settles, _) => settles.id == id(call),
        _ => false,
    })
}

#[test]
fn an_outcome_that_nobody_waits_for_is_written_by_itself() {
    let (storage, clock) = (Fake::journal(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    run(async {
        let receipt = lane.intend(intent(&local(), 1)).await.unwrap();
        lane.settle(receipt, done(), Wait::Appended).await.unwrap();
        let until = Instant::now() + Duration::from_secs(120);
        while !is_settled(&storage, 1) {
            assert!(Instant::now() < until, "the outcome was never written");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    log.close().unwrap();
}

#[test]
fn what_nobody_waits_for_rides_with_the_next_that_somebody_does() {
    let (storage, clock) = (Fake::journal(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    run(async {
        let receipt = lane.intend(intent(&local(), 1)).await.unwrap();
        lane.settle(receipt, done(), Wait::Appended).await.unwrap();
        let receipt = lane.intend(intent(&local(), 2)).await.unwrap();
        assert!(is_settled(&storage, 1), "an outcome stands before the intents that came behind it");
        lane.settle(receipt, done(), Wait::Durable).await.unwrap();
    });
    log.close().unwrap();
}

#[test]
fn a_runtime_that_ends_takes_no_outcome_with_it() {
    let (storage, clock) = (Fake::journal(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    run(async {
        let receipt = lane.intend(intent(&local(), 1)).await.unwrap();
        lane.settle(receipt, done(), Wait::Appended).await.unwrap();
    });
    until("the outcome is written", || is_settled(&storage, 1));
    // Another runtime can go on with the same lane.
    run(async {
        let receipt = lane.intend(intent(&local(), 2)).await.unwrap();
        lane.settle(receipt, done(), Wait::Appended).await.unwrap();
    });
    until("the next outcome is written", || is_settled(&storage, 2));
    log.close().unwrap();
}
