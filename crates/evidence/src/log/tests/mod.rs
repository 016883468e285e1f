//! Tests of the write side, on every storage.

mod answers;
pub(crate) mod fake;
mod forgotten;
mod former;
mod many;

use std::sync::atomic::Ordering;
use std::time::Instant;

use model::TenantName;
use store::{Batch, Table};

use super::*;
use crate::event::tests::{id, intent, refused};
use crate::{Closed, Ending, Event, Filter, Notice, Reader, Use};
use fake::{EVERY, Fake, Mode, clock, done, key, local, open, open_with, run, until, verify};

#[test]
fn a_receipt_means_that_the_intent_is_on_the_disk() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            let receipt = lane.intend(intent(&local(), 1)).await.unwrap();
            let written = storage.records(&local());
            let leaf = written.iter().find(|leaf| leaf.event.id() == Some(id(1))).unwrap();
            assert_eq!((receipt.id(), receipt.seq(), receipt.tenant()), (id(1), leaf.seq, &local()));
            assert_eq!(lane.settle(receipt, done(), Wait::Durable).await.unwrap(), id(1));
            assert!(matches!(storage.records(&local()).last().unwrap().event, Event::Outcome(..)));
            lane.refuse(refused(&local(), 2)).await.unwrap();
            lane.announce(Notice::Sealed).await.unwrap();
        });
        assert_eq!(log.open_intents(), 0);
        log.close().unwrap();
        let report = verify(&storage);
        assert_eq!((report.records, report.unsigned, report.open.len()), (5, 0, 0));
    }
}

#[test]
fn one_turn_of_a_runtime_is_one_group_in_the_order_of_its_calls() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            // So that the first record of the log is out of the way.
            lane.refuse(refused(&local(), 1_000)).await.unwrap();
            let before = storage.groups();
            let calls: Vec<_> = (0..100)
                .map(|n| {
                    let lane = lane.clone();
                    tokio::spawn(async move { lane.intend(intent(&TenantName::local(), n)).await.unwrap() })
                })
                .collect();
            let mut receipts = Vec::new();
            for call in calls {
                receipts.push(call.await.unwrap());
            }
            assert_eq!(storage.groups() - before, 1);
            assert!(receipts.iter().map(crate::Receipt::seq).is_sorted());
            for receipt in receipts {
                lane.settle(receipt, done(), Wait::Appended).await.unwrap();
            }
        });
        log.close().unwrap();
        assert_eq!(verify(&storage).records, 202);
    }
}

#[test]
fn nothing_is_given_while_the_disk_is_stuck_and_what_came_too_late_is_abandoned() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        run(async { log.lane().refuse(refused(&local(), 1)).await.unwrap() });
        log.close().unwrap();
        let log = open_with(&storage, &clock, Duration::from_secs(2));
        let lane = log.lane();
        run(async {
            storage.set(Mode::Stuck);
            assert!(matches!(lane.intend(intent(&local(), 2)).await, Err(Error::Slow)));
            storage.set(Mode::Works);
            let abandoned = || {
                storage.records(&local()).iter().any(|leaf| match &leaf.event {
                    Event::Outcome(settles, outcome) => {
                        settles.id == id(2) && outcome.ending == Ending::Abandoned
                    }
                    _ => false,
                })
            };
            let limit = Instant::now() + Duration::from_secs(120);
            while !abandoned() {
                assert!(Instant::now() < limit);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        log.close().unwrap();
        assert!(verify(&storage).open.is_empty());
    }
}

#[test]
fn a_full_disk_refuses_and_the_log_goes_on_by_itself() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        let most = Use { id: [5; 16], most: 2 };
        let counted = |n| crate::Intent { uses: vec![most], ..intent(&local(), n) };
        run(async {
            let receipt = lane.intend(counted(1)).await.unwrap();
            storage.set(Mode::Full);
            let refusal = lane.intend(counted(2)).await.unwrap_err();
            assert!(matches!(refusal, Error::Write(_)) && refusal.hint().is_some());
            // What was done is told as unknown, but its outcome is not lost.
            assert!(matches!(lane.settle(receipt, done(), Wait::Durable).await, Err(Error::Write(_))));
            assert!(lane.refuse(refused(&local(), 3)).await.is_err());
            storage.set(Mode::Works);
            // The refused intent was not counted.
            let receipt = lane.intend(counted(4)).await.unwrap();
            lane.settle(receipt, done(), Wait::Durable).await.unwrap();
            assert!(matches!(lane.intend(counted(5)).await, Err(Error::UsesExhausted([5, ..]))));
        });
        log.close().unwrap();
        let report = verify(&storage);
        assert!(report.open.is_empty());
        let ids: Vec<_> = storage.records(&local()).iter().filter_map(|leaf| leaf.event.id()).collect();
        assert_eq!(ids, [id(1), id(1), id(4), id(4)]);
    }
}

#[test]
fn a_storage_in_use_by_another_program_refuses_and_the_log_goes_on_by_itself() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            let receipt = lane.intend(intent(&local(), 1)).await.unwrap();
            storage.set(Mode::Busy);
            assert!(matches!(lane.intend(intent(&local(), 2)).await, Err(Error::Write(_))));
            assert!(lane.settle(receipt, done(), Wait::Durable).await.is_err());
            storage.set(Mode::Works);
            let receipt = lane.intend(intent(&local(), 3)).await.unwrap();
            lane.settle(receipt, done(), Wait::Durable).await.unwrap();
        });
        log.close().unwrap();
        assert!(verify(&storage).open.is_empty());
    }
}

#[test]
fn a_log_that_failed_stays_failed_until_it_is_opened_again() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            let kept = lane.intend(intent(&local(), 1)).await.unwrap();
            storage.set(Mode::Broken);
            assert!(matches!(lane.intend(intent(&local(), 2)).await, Err(Error::Write(_))));
            storage.set(Mode::Works);
            assert!(matches!(lane.intend(intent(&local(), 3)).await, Err(Error::Failed)));
            assert!(matches!(lane.settle(kept, done(), Wait::Appended).await, Err(Error::Failed)));
        });
        assert!(matches!(log.close(), Err(Error::Failed)));
        let log = open(&storage, &clock);
        run(async { log.lane().refuse(refused(&local(), 4)).await.unwrap() });
        log.close().unwrap();
        assert!(verify(&storage).open.is_empty());
    }
}

/// Eight calls at once for a use that is there once; how many had it.
async fn race(lane: Lane, round: u8, first: u64) -> u32 {
    let calls: Vec<_> = (first..first + 8)
        .map(|n| {
            let lane = lane.clone();
            let uses = vec![Use { id: [1; 16], most: 1_000 }, Use { id: [round + 10; 16], most: 1 }];
            let intent = crate::Intent { uses, ..intent(&local(), n + 100 * u64::from(round)) };
            tokio::spawn(async move {
                let receipt = lane.intend(intent).await?;
                lane.settle(receipt, done(), Wait::Durable).await
            })
        })
        .collect();
    let mut won = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, Error::UsesExhausted(spent) if spent[0] == round + 10)),
        }
    }
    won
}

#[test]
fn the_last_use_is_given_once() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        for round in 0..3_u8 {
            let log = open(&storage, &clock);
            // As the doors do it: a runtime and a lane for each thread.
            let threads: Vec<_> = (0..4_u64)
                .map(|thread| {
                    let lane = log.lane();
                    std::thread::spawn(move || run(race(lane, round, thread * 8)))
                })
                .collect();
            let won: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
            assert_eq!(won, 1);
            log.close().unwrap();
        }
        // All uses of an intent are counted, or none: the losers did not use up the first counter.
        let reader = Reader::new(storage.clone(), key().public());
        assert_eq!(reader.uses(&local(), [1; 16]).unwrap(), 3);
        verify(&storage);
    }
}

#[test]
fn what_a_crash_left_open_is_unknown_before_anything_else_happens() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            let lost = lane.intend(intent(&local(), 1)).await.unwrap();
            let settled = lane.intend(intent(&local(), 2)).await.unwrap();
            let stream = lane.intend(intent(&local(), 3)).await.unwrap();
            let stream = lane.settle_head(stream, done(), Wait::Durable).await.unwrap();
            lane.settle(settled, done(), Wait::Durable).await.unwrap();
            // A crash: nobody drops these, and nobody closes the log.
            std::mem::forget((lost, stream));
        });
        // Held by nobody is not what a crash looks like to the running log; what is on the disk is the same.
        let copy = storage.copied(make);
        let again = open(&copy, &clock);
        assert_eq!(again.open_intents(), 0);
        let endings: Vec<_> = copy
            .records(&local())
            .into_iter()
            .filter_map(|leaf| match leaf.event {
                Event::Outcome(settles, outcome) => Some((settles.id, outcome.ending)),
                Event::Close(settles, close) => Some((settles.id, close.ending)),
                _ => None,
            })
            .collect();
        assert_eq!(endings.len(), 3);
        assert!(endings.contains(&(id(1), Ending::Unknown)) && endings.contains(&(id(3), Ending::Unknown)));
        again.close().unwrap();
        let report = verify(&copy);
        assert!(report.open.is_empty() && report.unsigned == 0);
    }
}

#[test]
fn a_receipt_that_was_dropped_ends_as_unknown() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            drop(lane.intend(intent(&local(), 1)).await.unwrap());
            let stream = lane.intend(intent(&local(), 2)).await.unwrap();
            drop(lane.settle_head(stream, done(), Wait::Appended).await.unwrap());
            let held = lane.intend(intent(&local(), 3)).await.unwrap();
            until("the sweep", || log.open_intents() == 1);
            let stream = lane.settle_head(held, done(), Wait::Durable).await.unwrap();
            lane.settle_close(stream, Closed::bare(Ending::Done)).await.unwrap();
        });
        log.close().unwrap();
        assert!(verify(&storage).open.is_empty());
        let listed = Reader::new(storage, key().public()).list(&Filter::of(local())).unwrap();
        let endings: Vec<_> = listed.iter().map(crate::Entry::ending).collect();
        assert_eq!(endings, [Some(Ending::Done), Some(Ending::Unknown), Some(Ending::Unknown), None]);
    }
}

#[test]
fn a_log_goes_on_where_it_ended() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let tenants = ["acme", "local", "zeta"].map(|name| name.parse::<TenantName>().unwrap());
        for round in 0..6 {
            let log = open(&storage, &clock);
            let lane = log.lane();
            run(async {
                for (nth, tenant) in tenants.iter().enumerate().take(1 + round % 3) {
                    let receipt = lane.intend(intent(tenant, (round * 10 + nth) as u64)).await.unwrap();
                    lane.settle(receipt, done(), Wait::Appended).await.unwrap();
                    clock.0.fetch_add(20_000, Ordering::SeqCst);
                }
            });
            log.close().unwrap();
            let report = verify(&storage);
            assert_eq!((report.unsigned, report.open.len()), (0, 0));
        }
    }
}

#[test]
fn what_a_lane_holds_when_the_log_is_closed_is_signed_with_its_own_commit() {
    for make in EVERY {
        for _ in 0..20 {
            let (storage, clock) = (make(), clock());
            let log = open(&storage, &clock);
            let lane = log.lane_with(Outcomes::Closed);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let receipt = lane.intend(intent(&local(), 1)).await.unwrap();
                lane.settle(receipt, done(), Wait::Durable).await.unwrap();
            });
            log.close().unwrap();
            assert_eq!(storage.commits().last(), Some(&(true, true)));
            let report = verify(&storage);
            assert_eq!((report.records, report.unsigned, report.open.len()), (3, 0, 0));
        }
    }
}

#[test]
fn a_closed_log_refuses() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        log.close().unwrap();
        log.close().unwrap();
        run(async {
            assert!(matches!(lane.intend(intent(&local(), 1)).await, Err(Error::Closed)));
            assert!(matches!(lane.refuse(refused(&local(), 1)).await, Err(Error::Closed)));
        });
    }
}

#[test]
fn an_open_id_is_not_opened_twice() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            let (first, second) =
                tokio::join!(lane.intend(intent(&local(), 1)), lane.intend(intent(&local(), 1)));
            assert!(matches!(second, Err(Error::Duplicate(_))));
            lane.settle(first.unwrap(), done(), Wait::Durable).await.unwrap();
        });
        log.close().unwrap();
    }
}

#[test]
fn a_second_writer_is_noticed_and_nothing_of_the_first_is_overwritten() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let (first, second) = (open(&storage, &clock), open(&storage, &clock));
        let (one, two) = (first.lane(), second.lane());
        run(async {
            let receipt = one.intend(intent(&local(), 1)).await.unwrap();
            let refusal = loop {
                // The second log may not have noticed yet that its place in the chain is taken.
                match two.intend(intent(&local(), 2)).await {
                    Err(refusal) => break refusal,
                    Ok(receipt) => drop(receipt),
                }
            };
            assert!(matches!(refusal, Error::Write(_) | Error::Failed));
            let _ = one.settle(receipt, done(), Wait::Durable).await;
        });
    }
}

#[test]
fn a_cut_or_changed_home_is_not_opened() {
    let (storage, clock) = (Fake::embedded(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    run(async {
        for n in 0..3 {
            let receipt = lane.intend(intent(&local(), n)).await.unwrap();
            lane.settle(receipt, done(), Wait::Durable).await.unwrap();
        }
    });
    log.close().unwrap();
    let refused = |storage: &Arc<Fake>, key: SigningKey| {
        let opened = Log::open(storage.clone(), key, "doorward.example".to_owned(), clock.clone());
        assert!(matches!(opened, Err(Error::Damaged(_))));
    };
    refused(&storage, SigningKey::from_seed([1; 32]).unwrap());
    let last = storage.last(Table::Evidence, &local()).unwrap().unwrap();
    storage.inner.commit(&Batch::new().delete(Table::Evidence, &local(), &last.key)).unwrap();
    refused(&storage, key());
    storage.inner.commit(&Batch::new().put(Table::Evidence, &local(), &last.key, last.value)).unwrap();
    open(&storage, &clock).close().unwrap();
    let state = crate::resume::HEADS;
    storage.inner.commit(&Batch::new().delete(Table::Meta, &local(), state)).unwrap();
    refused(&storage, key());
}
