//! Tests of the read side, on every storage.

use std::sync::atomic::Ordering;

use super::*;
use crate::event::tests::{id, intent, refused};
use crate::log::tests::fake::{EVERY, Fake, Make, clock, done, key, local, open, run};
use crate::{Notice, Wait};

/// A home with calls of two tenants, `calls` of them by each, a minute of which each hundredth begins.
fn home(make: Make, calls: u64) -> Arc<Fake> {
    let (storage, clock) = (make(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    let other: TenantName = "acme".parse().unwrap();
    run(async {
        for n in 0..calls {
            for tenant in [&local(), &other] {
                let receipt = lane.intend(intent(tenant, n)).await.unwrap();
                lane.settle(receipt, done(), Wait::Appended).await.unwrap();
            }
            if n % 100 == 0 {
                clock.0.fetch_add(60_000, Ordering::SeqCst);
            }
        }
        lane.refuse(refused(&local(), 900_000)).await.unwrap();
        lane.announce(Notice::Unsealed).await.unwrap();
    });
    log.close().unwrap();
    storage
}

fn reader(storage: &Arc<Fake>) -> Reader {
    Reader::new(storage.clone(), key().public())
}

#[test]
fn a_list_joins_intents_with_their_outcomes_and_begins_with_the_newest() {
    for make in EVERY {
        let entries = reader(&home(make, 5)).list(&Filter::of(local())).unwrap();
        assert_eq!(entries.len(), 8);
        assert!(matches!(entries[0].what, What::House(Event::Notice(Notice::Unsealed))));
        assert!(matches!(entries[1].what, What::Refused(_)));
        for (entry, n) in entries[2..7].iter().zip((0..5).rev()) {
            let What::Call(intent) = &entry.what else { panic!() };
            assert_eq!((intent.id, entry.ending()), (id(n), Some(Ending::Done)));
        }
        assert!(matches!(entries[7].what, What::House(Event::Started(_))));
    }
}

#[test]
fn pages_follow_one_another_without_gap() {
    for make in EVERY {
        let reader = reader(&home(make, 1_500));
        let mut filter = Filter { limit: 700, result: Some(Ending::Done), ..Filter::of(local()) };
        let mut seen = Vec::new();
        loop {
            let page = reader.list(&filter).unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.seq);
            seen.extend(page.into_iter().filter_map(|entry| match entry.what {
                What::Call(intent) => Some(intent.id),
                _ => None,
            }));
        }
        assert_eq!(seen, (0..1_500).rev().map(id).collect::<Vec<_>>());
    }
}

#[test]
fn a_filter_leaves_out_what_does_not_fit() {
    for make in EVERY {
        let reader = reader(&home(make, 250));
        let of = |filter: Filter| reader.list(&Filter { limit: 10_000, ..filter }).unwrap().len();
        let all = Filter::of(local());
        assert_eq!(of(all.clone()), 253);
        assert_eq!(of(Filter { principal: "ci-bot".parse().ok(), ..all.clone() }), 250);
        assert_eq!(of(Filter { principal: "ada".parse().ok(), ..all.clone() }), 0);
        assert_eq!(of(Filter { integration: "slack".parse().ok(), ..all.clone() }), 251);
        assert_eq!(of(Filter { operation: "chat.get".parse().ok(), ..all.clone() }), 0);
        assert_eq!(of(Filter { result: Some(Ending::Failed), ..all.clone() }), 0);
        assert_eq!(of(Filter { tenant: "nobody".parse().unwrap(), ..all.clone() }), 0);
        let minute = |n: u64| Some(Timestamp::from_millis(1_760_000_000_000 + n * 60_000));
        let (old, new) =
            (of(Filter { until: minute(2), ..all.clone() }), of(Filter { since: minute(2), ..all }));
        assert!(old > 50 && new > 50 && old + new == 253, "{old} and {new}");
    }
}

#[test]
fn a_call_is_shown_with_proofs_that_need_only_the_key() {
    for make in EVERY {
        let reader = reader(&home(make, 37));
        let shown = reader.show(&local(), id(20)).unwrap().unwrap();
        assert_eq!(shown.records.len(), 2);
        assert_eq!(shown.verify(&key().public()).unwrap().1, 0);
        assert!(reader.show(&local(), id(999)).unwrap().is_none());
        let other = reader.show(&"acme".parse().unwrap(), id(20)).unwrap().unwrap();
        let mut moved = shown.clone();
        moved.checkpoint = other.checkpoint;
        assert!(moved.verify(&key().public()).is_err());
        let mut changed = shown;
        let last = changed.records[1].bytes.len() - 9;
        changed.records[1].bytes[last] ^= 1;
        assert!(changed.verify(&key().public()).is_err());
    }
}

#[test]
fn whoever_follows_checkpoints_reads_each_chain_that_grew_and_each_call_once() {
    for make in EVERY {
        let storage = home(make, 1_200);
        let reader = reader(&storage);
        let mut places: BTreeMap<TenantName, u64> = BTreeMap::new();
        let (mut number, mut seen) = (0, Vec::new());
        while let Some(mark) = reader.mark(number).unwrap() {
            for (chain, size) in reader.grown(&mark).unwrap() {
                let place = places.entry(chain.clone()).or_default();
                while *place < size {
                    let (ended, next) = reader.ended(&chain, *place, size).unwrap();
                    assert!(next > *place && next <= size, "{next} {place} {size}");
                    *place = next;
                    seen.extend(ended.into_iter().map(|one| (chain.clone(), one.seq)));
                }
            }
            number = mark.number + 1;
        }
        assert_eq!(reader.newest().unwrap().map(|mark| mark.number + 1), Some(number));
        assert_eq!(seen.len(), 2 * 1_200 + 1, "each call, and the refusal");
        let once: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(once.len(), seen.len());
    }
}

#[test]
fn a_place_is_found_before_which_everything_is_older() {
    for make in EVERY {
        let storage = home(make, 1_200);
        let reader = reader(&storage);
        let size = reader.place_of(&local(), Timestamp::from_millis(u64::MAX)).unwrap();
        let all = reader.ended(&local(), 0, u64::MAX).unwrap().0;
        let since = all[all.len() / 2].time;
        let place = reader.place_of(&local(), since).unwrap();
        assert!(place <= all[all.len() / 2].seq && place < size.max(1));
        assert_eq!(reader.place_of(&local(), Timestamp::from_millis(0)).unwrap(), 0);
        assert_eq!(reader.place_of(&"nobody".parse().unwrap(), since).unwrap(), 0);
    }
}
