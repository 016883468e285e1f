//! What cannot be recorded is not done, and what was done and cannot be recorded is not called done.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use evidence::{Ending, What};
use model::{Code, Retry};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, eventually, is};
use crate::service::{Service, Step, reply};
use crate::storage::{Disk, Evidence};

#[tokio::test]
async fn a_full_disk_refuses_before_anything_is_sent_and_passes_by_itself() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("full")).await;
    let once = house.capability(&[("integrations", "house"), ("uses", "1")]).await;
    house.disk.set(Disk::Full);
    for ask in [Ask::get("/a").with(&once), Ask::post("/a", "x").with(&once), Ask::get("/a")] {
        let refusal = house.refused(ask).await;
        assert_eq!((refusal.code, refusal.retry), (Code::EvidenceUnavailable, Retry::Safe), "{refusal:?}");
        assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("free space")), "{refusal:?}");
    }
    assert!(service.seen().is_empty());
    house.disk.set(Disk::Works);
    house.got(Ask::get("/a").with(&once)).await.unwrap();
    is(&house.refused(Ask::get("/a").with(&once)).await, Code::UsesExhausted);
    house.spotless();
}

#[tokio::test]
async fn a_slow_disk_is_waited_for() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("slow")).await;
    let pass = house.pass().await;
    house.disk.set(Disk::Slow(Duration::from_secs(1)));
    let began = Instant::now();
    house.got(Ask::post("/a", "x").with(&pass)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(2), "intent and outcome of a write are both waited for");
    house.disk.set(Disk::Works);
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_write_whose_outcome_cannot_be_recorded_is_unknown_and_is_recorded_later() {
    let disk = Arc::<OnceLock<Arc<Evidence>>>::default();
    let filled = Arc::clone(&disk);
    let service = Service::start(move |_| {
        // Between the intent and the outcome.
        filled.get().unwrap().set(Disk::Full);
        vec![Step::Send(reply(200, &[], "performed"))]
    });
    let house = House::at(&service.url(), &canary::plant("outcome")).await;
    disk.set(Arc::clone(&house.disk)).unwrap_or_else(|_| panic!("set twice"));
    let pass = house.pass().await;
    let refusal = house.refused(Ask::post("/a", "x").with(&pass)).await;
    assert_eq!((refusal.code, refusal.retry), (Code::OutcomeUnknown, Retry::No), "{refusal:?}");
    assert_eq!(service.seen().len(), 1);
    house.disk.set(Disk::Works);
    let entry = house.settled(refusal.evidence.unwrap()).await;
    assert_eq!(entry.outcome.unwrap().ending, Ending::Done);
    house.spotless();
}

#[tokio::test]
async fn a_read_that_failed_and_cannot_be_recorded_is_not_called_performed() {
    let disk = Arc::<OnceLock<Arc<Evidence>>>::default();
    let filled = Arc::clone(&disk);
    let service = Service::start(move |_| {
        filled.get().unwrap().set(Disk::Full);
        vec![Step::Cut]
    });
    let house = House::at(&service.url(), &canary::plant("read-outcome")).await;
    disk.set(Arc::clone(&house.disk)).unwrap_or_else(|_| panic!("set twice"));
    let pass = house.pass().await;
    let refusal = house.refused(Ask::get("/a").with(&pass)).await;
    assert_eq!((refusal.code, refusal.retry), (Code::EvidenceUnavailable, Retry::Safe), "{refusal:?}");
    assert!(!refusal.message.contains("performed"), "{refusal:?}");
    house.disk.set(Disk::Works);
    let entry = house.settled(refusal.evidence.unwrap()).await;
    assert_eq!(entry.outcome.unwrap().code, Some(Code::UpstreamReply));
}

#[tokio::test]
async fn a_disk_that_failed_in_an_unknown_way_refuses_until_the_log_is_opened_again() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("failed")).await;
    let pass = house.pass().await;
    house.disk.set(Disk::Broken);
    assert_eq!(house.refused(Ask::get("/a").with(&pass)).await.code, Code::EvidenceUnavailable);
    house.disk.set(Disk::Works);
    assert_eq!(house.refused(Ask::get("/a").with(&pass)).await.code, Code::EvidenceUnavailable);
    assert!(service.seen().is_empty());
    house.broker.seal();
    house.unseal().await.unwrap();
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    house.spotless();
}

#[tokio::test]
async fn unsealing_onto_a_disk_that_takes_nothing_leaves_the_broker_sealed_with_its_keys_dropped() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("unseal-full")).await;
    let pass = house.pass().await;
    house.broker.seal();
    house.disk.set(Disk::Full);
    assert_eq!(house.unseal().await.unwrap_err().code, Code::EvidenceUnavailable);
    assert_eq!(house.broker.state(), broker::State::Sealed);
    assert_eq!(house.refused(Ask::get("/a").with(&pass)).await.code, Code::Sealed);
    house.disk.set(Disk::Works);
    house.unseal().await.unwrap();
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
}

#[tokio::test]
async fn many_calls_at_once_are_each_recorded_once() {
    let service = Service::saying("{}");
    let house = Arc::new(House::at(&service.url(), &canary::plant("many")).await);
    let pass = house.pass().await;
    let calls: Vec<_> = (0..100)
        .map(|nth| {
            let (house, pass) = (Arc::clone(&house), pass.clone());
            let ask = if nth % 2 == 0 { Ask::get("/a") } else { Ask::post("/a", "x") };
            tokio::spawn(async move { house.got(ask.with(&pass)).await.unwrap().id })
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for call in calls {
        ids.insert(call.await.unwrap());
    }
    assert_eq!((ids.len(), service.seen().len()), (100, 100));
    let settled = || {
        let calls = |entry: &&evidence::Entry| matches!(&entry.what, What::Call(i) if ids.contains(&i.id));
        house.entries().iter().filter(calls).filter(|entry| entry.outcome.is_some()).count()
    };
    eventually("all outcomes are recorded", || settled() == 100).await;
    house.spotless();
}
