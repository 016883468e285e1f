//! Many tenants: what is read and written does not grow with them.

use store::{Row, Storage};

use super::*;
use crate::resume;

fn tenant(n: u64) -> TenantName {
    format!("tenant_{n:04}").parse().unwrap()
}

/// Chains of so many tenants, over several checkpoints and tiles.
fn filled(make: fake::Make, tenants: u64) -> (std::sync::Arc<Fake>, std::sync::Arc<fake::Hand>) {
    let (storage, clock) = (make(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    run(async {
        for first in (0..tenants).step_by(100) {
            let calls = (first..tenants.min(first + 100)).map(|n| {
                let lane = lane.clone();
                tokio::spawn(async move { lane.refuse(refused(&tenant(n), n)).await })
            });
            for call in calls.collect::<Vec<_>>() {
                call.await.unwrap().unwrap();
            }
        }
    });
    log.close().unwrap();
    (storage, clock)
}

fn last(storage: &Fake) -> Row {
    storage.last(Table::Checkpoints, &local()).unwrap().unwrap()
}

#[test]
fn a_checkpoint_holds_what_changed_and_verification_covers_every_tenant() {
    for make in EVERY {
        let (storage, clock) = filled(make, 600);
        clock.0.fetch_add(61_000, Ordering::SeqCst);
        let log = open(&storage, &clock);
        let receipt = run(log.lane().intend(intent(&tenant(7), 1_000))).unwrap();
        run(log.lane().settle(receipt, done(), Wait::Durable)).unwrap();
        log.close().unwrap();
        // The heads of two chains, not of 601.
        assert!(last(&storage).value.len() < 1_000, "{}", last(&storage).value.len());
        let report = verify(&storage);
        assert_eq!((report.records, report.unsigned, report.open.len()), (604, 0, 0));
        let reader = Reader::new(storage.clone(), key().public());
        for n in [0, 7, 255, 256, 599] {
            let mut out = Vec::new();
            reader.export(&tenant(n), &mut out).unwrap();
            let export = crate::verify_export(&mut out.as_slice(), &key().public()).unwrap();
            assert_eq!((export.unsigned, export.records), (0, if n == 7 { 3 } else { 1 }));
            let shown = reader.show(&tenant(n), id(if n == 7 { 1_000 } else { n })).unwrap().unwrap();
            assert_eq!(shown.verify(&key().public()).unwrap().1, 0);
        }
    }
}

#[test]
fn chains_behind_the_last_checkpoint_are_found_again_without_looking_at_all() {
    for make in EVERY {
        let (storage, clock) = filled(make, 300);
        let log = open(&storage, &clock);
        let lane = log.lane();
        storage.set(Mode::Unsigned);
        run(async {
            // The second record of each stands behind the checkpoint: the clock does not go on, so none is due with them.
            lane.refuse(refused(&tenant(3), 1_000)).await.unwrap();
            std::mem::forget(lane.intend(intent(&tenant(299), 1_001)).await.unwrap());
        });
        let behind = storage.get(Table::Meta, &local(), resume::BEHIND).unwrap().unwrap();
        assert_eq!(resume::decode_names(&behind).unwrap().len(), 3);
        assert_eq!(verify(&storage).unsigned, 3);
        let copy = storage.copied(make);
        let again = open(&copy, &clock);
        assert_eq!(again.open_intents(), 0);
        again.close().unwrap();
        let report = verify(&copy);
        assert!(report.open.is_empty() && report.unsigned == 0);
        assert!(copy.get(Table::Meta, &local(), resume::BEHIND).unwrap().is_none());
    }
}

#[test]
fn the_damaged_chain_of_one_tenant_is_refused_and_others_go_on() {
    let (storage, clock) = filled(Fake::embedded, 300);
    let row = storage.get(Table::Meta, &tenant(5), resume::CHAIN).unwrap().unwrap();
    storage.inner.commit(&Batch::new().put(Table::Meta, &tenant(6), resume::CHAIN, row)).unwrap();
    storage.inner.commit(&Batch::new().delete(Table::Meta, &tenant(8), resume::CHAIN)).unwrap();
    let log = open(&storage, &clock);
    let lane = log.lane();
    run(async {
        for wrong in [6, 8] {
            let refusal = lane.intend(intent(&tenant(wrong), 1_000 + wrong)).await.unwrap_err();
            assert!(matches!(refusal, Error::Damaged(_)), "{refusal:?}");
        }
        lane.refuse(refused(&tenant(5), 1_005)).await.unwrap();
    });
    log.close().unwrap();
    let finding = crate::verify_store(&*storage, &key().public(), &mut |_, _| {}).unwrap_err();
    assert_eq!(
        finding.to_string(),
        "tenant `tenant_0006`, state of the log: it differs from what the records say"
    );
}
