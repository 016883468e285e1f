//! Tests of what is remembered of a log, on every storage.

use std::sync::Arc;

use super::*;
use crate::event::tests::intent;
use crate::log::tests::fake::{EVERY, Fake, Hand, Make, clock, done, key, local, open, run};
use crate::{Log, Wait};

fn calls(log: &Log, first: u64, count: u64) {
    let lane = log.lane();
    run(async {
        for n in first..first + count {
            let receipt = lane.intend(intent(&local(), n)).await.unwrap();
            lane.settle(receipt, done(), Wait::Durable).await.unwrap();
        }
    });
}

fn written(storage: &Arc<Fake>, clock: &Arc<Hand>, first: u64) {
    let log = open(storage, clock);
    calls(&log, first, 3);
    log.close().unwrap();
}

fn seen(storage: &Arc<Fake>) -> Seen {
    Seen::newest(&**storage, &key().public()).unwrap().unwrap()
}

#[test]
fn what_was_seen_is_there_however_the_log_goes_on() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        assert_eq!(Seen::newest(&*storage, &key().public()).unwrap(), None);
        written(&storage, &clock, 0);
        let first = seen(&storage);
        // Within the minute a checkpoint takes the place of the one before; later it does not.
        for (n, later) in [(10, 0), (20, 1_000), (30, 90_000), (40, 3_600_000)] {
            clock.0.fetch_add(later, std::sync::atomic::Ordering::SeqCst);
            written(&storage, &clock, n);
            let _whole = first.is_there(&*storage, &key().public()).unwrap();
        }
        assert!(seen(&storage).records > first.records && seen(&storage).number > first.number);
        assert_eq!(Seen::from_bytes(&first.to_bytes()).unwrap(), first);
        assert!(Seen::from_bytes(&first.to_bytes()[1..]).is_err());
    }
}

#[test]
fn an_end_that_is_gone_and_another_log_under_the_same_key_are_found() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        written(&storage, &clock, 0);
        // A copy, as it was before.
        let before = storage.copied(make);
        clock.0.fetch_add(90_000, std::sync::atomic::Ordering::SeqCst);
        written(&storage, &clock, 10);
        let last = seen(&storage);
        let gone = |there: &Fake| {
            let refused = last.is_there(there, &key().public()).unwrap_err();
            assert!(matches!(&refused, Error::Ended { seen, .. } if *seen == last), "{refused:?}");
            assert!(refused.hint().is_some_and(|hint| hint.contains("evidence admit-loss")));
            refused.to_string()
        };
        assert!(gone(&before).contains(&format!("where {} records are signed", last.records)));
        assert!(gone(&make()).contains("nothing is there"));
        // As long, and longer, but not the one that was seen.
        let other = another(make, &clock);
        assert!(seen(&other).records >= last.records && seen(&other).number >= last.number);
        gone(&other);
    }
}

fn another(make: Make, clock: &Arc<Hand>) -> Arc<Fake> {
    let storage = make();
    for n in 0..6 {
        written(&storage, clock, 100 + n * 10);
        clock.0.fetch_add(90_000, std::sync::atomic::Ordering::SeqCst);
    }
    storage
}
