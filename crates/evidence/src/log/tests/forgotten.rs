//! Counters go with what they count, and a record says so.

use model::Code;

use super::fake::{EVERY, Mode, clock, done, key, local, open, run, verify};
use crate::event::tests::intent;
use crate::{Ending, Error, Event, Intent, Outcome, Reader, Use, Wait};

fn counting(n: u64, counters: &[u8]) -> Intent {
    let uses = counters.iter().map(|id| Use { id: [*id; 16], most: 3 }).collect();
    Intent { uses, ..intent(&local(), n) }
}

#[test]
fn counters_go_and_the_evidence_says_which() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            for n in 0..3 {
                let receipt = lane.intend(counting(n, &[1, 2])).await.unwrap();
                lane.settle(receipt, done(), Wait::Durable).await.unwrap();
            }
            // The last one was never counted: there is nothing to say of it.
            lane.forget(local(), vec![[1; 16], [9; 16], [1; 16]]).await.unwrap();
            lane.forget(local(), vec![[9; 16]]).await.unwrap();
            assert!(matches!(lane.intend(counting(9, &[2])).await, Err(Error::UsesExhausted(_))));
        });
        log.close().unwrap();
        let counted = |id: u8| Reader::new(storage.clone(), key().public()).uses(&local(), [id; 16]).unwrap();
        assert_eq!((counted(1), counted(2)), (0, 3));
        let gone = storage.records(&local()).into_iter().filter_map(|leaf| match leaf.event {
            Event::Forgotten(counters) => Some(counters),
            _ => None,
        });
        assert_eq!(gone.collect::<Vec<_>>(), [[[1; 16]]]);
        verify(&storage);
        // Where it goes on, it does not know the counter from before.
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            let receipt = lane.intend(counting(20, &[1])).await.unwrap();
            lane.settle(receipt, done(), Wait::Durable).await.unwrap();
        });
        log.close().unwrap();
        assert_eq!(counted(1), 1);
        verify(&storage);
    }
}

#[test]
fn what_an_open_intent_counted_stays_until_that_is_settled() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        let counted = |id: u8| Reader::new(storage.clone(), key().public()).uses(&local(), [id; 16]).unwrap();
        run(async {
            let receipt = lane.intend(counting(0, &[1])).await.unwrap();
            lane.forget(local(), vec![[1; 16]]).await.unwrap();
            assert_eq!(counted(1), 1);
            let refused = Outcome { code: Some(Code::SecretMissing), ..Outcome::bare(Ending::Failed) };
            lane.settle(receipt, refused, Wait::Durable).await.unwrap();
            lane.forget(local(), vec![[1; 16]]).await.unwrap();
        });
        log.close().unwrap();
        assert!(storage.records(&local()).iter().any(|leaf| matches!(leaf.event, Event::Forgotten(_))));
        verify(&storage);
    }
}

#[test]
fn what_could_not_be_written_is_not_forgotten() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            for n in 0..3 {
                let receipt = lane.intend(counting(n, &[1])).await.unwrap();
                lane.settle(receipt, done(), Wait::Durable).await.unwrap();
            }
            storage.set(Mode::Full);
            assert!(lane.forget(local(), vec![[1; 16]]).await.is_err());
            storage.set(Mode::Works);
            assert!(matches!(lane.intend(counting(9, &[1])).await, Err(Error::UsesExhausted(_))));
        });
        log.close().unwrap();
        verify(&storage);
    }
}

#[test]
fn more_counters_than_a_record_holds_are_in_several() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        let id = |n: u16| u128::from(n).to_be_bytes();
        run(async {
            for n in 0..300 {
                let uses = vec![Use { id: id(n), most: 1 }];
                let receipt = lane.intend(Intent { uses, ..intent(&local(), n.into()) }).await.unwrap();
                lane.settle(receipt, done(), Wait::Appended).await.unwrap();
            }
            lane.forget(local(), (0..300).map(id).collect()).await.unwrap();
        });
        log.close().unwrap();
        let records = storage.records(&local());
        let gone = records.iter().filter_map(|leaf| match &leaf.event {
            Event::Forgotten(counters) => Some(counters.len()),
            _ => None,
        });
        assert_eq!(gone.collect::<Vec<_>>(), [255, 45]);
        verify(&storage);
    }
}
