//! The counters against a model of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Code;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use store::{Batch, Table};

use crate::event::tests::intent;
use crate::log::tests::fake::{EVERY, Fake, Make, Mode, clock, done, key, local, open, run, verify};
use crate::{Closed, Ending, Error, Intent, Lane, Outcome, Reader, Receipt, Use, Wait};

fn refused(code: Code) -> Outcome {
    Outcome { code: Some(code), ..Outcome::bare(Ending::Failed) }
}

fn count(storage: &Arc<Fake>, id: u8) -> u64 {
    Reader::new(storage.clone(), key().public()).uses(&local(), [id; 16]).unwrap()
}

#[test]
fn only_what_was_not_sent_gives_back() {
    let gives_back = |code| refused(code).gives_back();
    let taken: Vec<Code> = Code::ALL.into_iter().filter(|code| !gives_back(*code)).collect();
    let kept =
        [Code::TooLarge, Code::BodyBroken, Code::UpstreamTimeout, Code::UpstreamReply, Code::OutcomeUnknown];
    assert_eq!(taken, kept);
    assert!(Outcome::bare(Ending::Abandoned).gives_back());
    assert!(!Outcome::bare(Ending::Failed).gives_back());
    assert!(!Outcome { status: Some(403), ..refused(Code::Denied) }.gives_back());
    for ending in [Ending::Done, Ending::Unknown] {
        assert!(!Outcome { ending, ..refused(Code::Denied) }.gives_back());
    }
}

#[test]
fn a_refusal_gives_its_use_back_and_an_unknown_outcome_keeps_it() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        // The same counter twice: an intent may count as two.
        let uses = vec![Use { id: [1; 16], most: 2 }, Use { id: [1; 16], most: 2 }];
        let counted = |n| Intent { uses: uses.clone(), ..intent(&local(), n) };
        run(async {
            for n in 0..3 {
                let receipt = lane.intend(counted(n)).await.unwrap();
                assert!(matches!(lane.intend(counted(100)).await, Err(Error::UsesExhausted([1, ..]))));
                lane.settle(receipt, refused(Code::SecretMissing), Wait::Durable).await.unwrap();
                assert_eq!(count(&storage, 1), 0);
            }
            let receipt = lane.intend(counted(4)).await.unwrap();
            lane.settle(receipt, Outcome::bare(Ending::Unknown), Wait::Durable).await.unwrap();
            assert!(lane.intend(counted(5)).await.is_err());
        });
        log.close().unwrap();
        assert_eq!(count(&storage, 1), 2);
        verify(&storage);
    }
}

#[test]
fn a_stream_that_has_begun_gives_nothing_back() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let lane = log.lane();
        run(async {
            for (n, head) in [(0, done()), (1, refused(Code::Denied))] {
                let uses = vec![Use { id: [1; 16], most: 5 }];
                let receipt = lane.intend(Intent { uses, ..intent(&local(), n) }).await.unwrap();
                let stream = lane.settle_head(receipt, head, Wait::Durable).await.unwrap();
                let close = Closed { code: Some(Code::Revoked), ..Closed::bare(Ending::Failed) };
                lane.settle_close(stream, close).await.unwrap();
            }
        });
        log.close().unwrap();
        assert_eq!(count(&storage, 1), 2);
        verify(&storage);
    }
}

/// Calls of which some are refused after their intent; counts those that were sent. No moment sees more than `MOST` of both.
async fn race(lane: Lane, held: Arc<AtomicU64>, first: u64) -> u64 {
    let mut sent = 0;
    for n in first..first + 200 {
        let uses = vec![Use { id: [1; 16], most: MOST }];
        let Ok(receipt) = lane.intend(Intent { uses, ..intent(&local(), n) }).await else { continue };
        assert!(held.fetch_add(1, Ordering::SeqCst) < MOST);
        if n % 50 == 7 {
            sent += 1;
            lane.settle(receipt, done(), Wait::Durable).await.unwrap();
            continue;
        }
        held.fetch_sub(1, Ordering::SeqCst);
        let wait = if n % 2 == 0 { Wait::Durable } else { Wait::Appended };
        lane.settle(receipt, refused(Code::SourceUnavailable), wait).await.unwrap();
    }
    sent
}

#[test]
fn uses_are_given_back_once_however_many_race_for_them() {
    for make in EVERY {
        let (storage, clock) = (make(), clock());
        let log = open(&storage, &clock);
        let held = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (lane, held) = (log.lane(), Arc::clone(&held));
                std::thread::spawn(move || {
                    run(async {
                        let calls = [0, 1]
                            .map(|call| race(lane.clone(), Arc::clone(&held), (thread * 2 + call) * 1_000));
                        let [one, two] = calls;
                        let (one, two) = tokio::join!(one, two);
                        one + two
                    })
                })
            })
            .collect();
        let sent: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        log.close().unwrap();
        assert_eq!(count(&storage, 1), sent);
        assert!(sent <= MOST);
        verify(&storage);
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// An intent that counts these, each with how many there are at most.
    Intend(Vec<(u8, u64)>),
    /// The outcome of one of the open ones.
    Settle(usize, Outcome),
    /// The disk is full, or not any more.
    Disk(Mode),
    /// The log is closed and opened again; what is open is lost.
    Again,
}

fn step() -> impl Strategy<Value = Step> {
    let counted = (0_u8..3, 1_u64..6);
    let outcome = prop_oneof![
        Just(done()),
        Just(Outcome::bare(Ending::Unknown)),
        Just(Outcome::bare(Ending::Abandoned)),
        Just(refused(Code::UpstreamReply)),
        Just(refused(Code::SecretMissing)),
        Just(refused(Code::AddressForbidden)),
    ];
    prop_oneof![
        6 => prop::collection::vec(counted, 0..4).prop_map(Step::Intend),
        6 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Step::Settle(which, outcome)),
        1 => prop_oneof![Just(Mode::Full), Just(Mode::Works)].prop_map(Step::Disk),
        1 => Just(Step::Again),
    ]
}

/// What the counters should be.
#[derive(Default)]
struct Model {
    counts: HashMap<u8, u64>,
    open: Vec<(Receipt, Vec<u8>)>,
    full: bool,
}

impl Model {
    fn admits(&self, uses: &[(u8, u64)]) -> bool {
        uses.iter().enumerate().all(|(nth, (id, most))| {
            let earlier = uses.iter().take(nth).filter(|(other, _)| other == id).count();
            self.counts.get(id).copied().unwrap_or(0) + (earlier as u64) < *most
        })
    }

    async fn intend(&mut self, lane: &Lane, n: u64, uses: Vec<(u8, u64)>) {
        let counted = uses.iter().map(|(id, most)| Use { id: [*id; 16], most: *most }).collect();
        let intended = lane.intend(Intent { uses: counted, ..intent(&local(), n) }).await;
        if self.full {
            assert!(intended.is_err());
        } else if self.admits(&uses) {
            let ids: Vec<u8> = uses.into_iter().map(|(id, _)| id).collect();
            for id in &ids {
                *self.counts.entry(*id).or_default() += 1;
            }
            self.open.push((intended.unwrap(), ids));
        } else {
            assert!(matches!(intended, Err(Error::UsesExhausted(_))));
        }
    }

    async fn settle(&mut self, lane: &Lane, which: usize, outcome: Outcome) {
        if self.open.is_empty() {
            return;
        }
        let (receipt, ids) = self.open.swap_remove(which % self.open.len());
        if outcome.gives_back() {
            for id in ids {
                // Never below zero.
                *self.counts.get_mut(&id).unwrap() = self.counts[&id].checked_sub(1).unwrap();
            }
        }
        // On a full disk it is kept, and counted with the next group that is written.
        assert_eq!(lane.settle(receipt, outcome, Wait::Durable).await.is_err(), self.full);
    }
}

/// What a crash would leave behind at this moment.
fn crashed(storage: &Arc<Fake>, mode: Mode) -> Arc<Fake> {
    storage.set(Mode::Stuck);
    let copy = Fake::embedded();
    for table in Table::ALL {
        for tenant in storage.inner.tenants(table).unwrap() {
            for row in storage.inner.scan(table, &tenant, b"", None, 100_000).unwrap() {
                copy.inner.commit(&Batch::new().put(table, &tenant, &row.key, row.value)).unwrap();
            }
        }
    }
    storage.set(mode);
    copy
}

fn agrees(make: Make, steps: Vec<Step>) {
    let (storage, clock) = (make(), clock());
    let mut model = Model::default();
    let mut log = open(&storage, &clock);
    for (n, step) in (0..).zip(steps) {
        clock.0.fetch_add(400, Ordering::SeqCst);
        let lane = log.lane();
        match step {
            Step::Intend(uses) => run(model.intend(&lane, n, uses)),
            Step::Settle(which, outcome) => run(model.settle(&lane, which, outcome)),
            Step::Disk(mode) => {
                model.full = mode == Mode::Full;
                storage.set(mode);
            }
            Step::Again => {
                model.full = false;
                storage.set(Mode::Works);
                model.open.clear();
                log.close().unwrap();
                log = open(&storage, &clock);
                for id in 0..3 {
                    assert_eq!(count(&storage, id), model.counts.get(&id).copied().unwrap_or(0));
                }
            }
        }
        if n % 7 == 0 {
            let copy = crashed(&storage, if model.full { Mode::Full } else { Mode::Works });
            verify(&copy);
            open(&copy, &clock).close().unwrap();
            verify(&copy);
        }
    }
    storage.set(Mode::Works);
    drop(model.open);
    log.close().unwrap();
    for id in 0..3 {
        assert_eq!(count(&storage, id), model.counts.get(&id).copied().unwrap_or(0));
    }
    verify(&storage);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counters_are_what_intents_took_and_outcomes_gave_back(steps in prop::collection::vec(step(), 1..40)) {
        for make in EVERY {
            agrees(make, steps.clone());
        }
    }
}

const MOST: u64 = 6;
