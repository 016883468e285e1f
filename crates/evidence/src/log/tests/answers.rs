//! Questions and their answers, in one record.

use super::fake::{EVERY, Mode, clock, key, local, open, run, until, verify};
use crate::event::tests::{answered, id, intent};
use crate::{Ending, Error, Event, Wait};
use crate::{Filter, Reader, What};

#[test]
fn an_answer_is_one_record_that_stands_by_itself() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            assert_eq!(lane.answered(answered(&local(), 1)).await.unwrap(), id(1));
            let receipt = lane.intend(intent(&local(), 2)).await.unwrap();
            lane.settle(receipt, super::fake::done(), Wait::Durable).await.unwrap();
        });
        log.close().unwrap();
        let report = verify(&storage);
        assert_eq!((report.records, report.open.len()), (4, 0));
        let reader = Reader::new(storage.clone(), key().public());
        let entries = reader.list(&Filter { result: Some(Ending::Done), ..Filter::of(local()) }).unwrap();
        let ids = entries.iter().map(|entry| match &entry.what {
            What::Call(intent) => intent.id,
            other => panic!("{other:?}"),
        });
        assert_eq!(ids.collect::<Vec<_>>(), [id(2), id(1)]);
        let shown = reader.show(&local(), id(1)).unwrap().unwrap();
        assert_eq!(shown.records.len(), 1);
        shown.verify(&key().public()).unwrap();
    }
}

#[test]
fn an_answer_goes_to_the_disk_by_itself() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async { lane.answered(answered(&local(), 1)).await.unwrap() });
        let is_there = || storage.records(&local()).iter().any(|leaf| leaf.event.id() == Some(id(1)));
        until("the answer is written", is_there);
        log.close().unwrap();
    }
}

#[test]
fn while_the_disk_is_full_no_further_answer_is_given_and_what_was_given_is_kept() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            storage.set(Mode::Full);
            lane.answered(answered(&local(), 1)).await.unwrap();
            // Whoever waits for a commit hears that there is none; from then on everybody waits.
            assert!(lane.intend(intent(&local(), 2)).await.is_err());
            for call in 3..6 {
                let refused = lane.answered(answered(&local(), call)).await;
                assert!(matches!(refused, Err(Error::Write(_))), "{refused:?}");
            }
            storage.set(Mode::Works);
            let receipt = lane.intend(intent(&local(), 7)).await.unwrap();
            lane.settle(receipt, super::fake::done(), Wait::Durable).await.unwrap();
            lane.answered(answered(&local(), 8)).await.unwrap();
        });
        log.close().unwrap();
        let records = storage.records(&local());
        let answers = records.iter().filter(|leaf| matches!(leaf.event, Event::Answered(_)));
        let answers: Vec<_> = answers.map(|leaf| leaf.event.id()).collect();
        assert_eq!(answers, [Some(id(1)), Some(id(8))]);
        verify(&storage);
    }
}

#[test]
fn a_closed_log_gives_no_answer() {
    let (storage, clock) = (super::fake::Fake::journal(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    log.close().unwrap();
    run(async { assert!(matches!(lane.answered(answered(&local(), 1)).await, Err(Error::Closed))) });
}
