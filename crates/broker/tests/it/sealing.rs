//! A sealed broker refuses everything at once, and goes on where it was when it is unsealed.

use broker::{Outbound, State};
use evidence::{Event, Notice, What};
use model::{Code, Door};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, collected, eventually};
use crate::service::{Gate, Service, Step, chunked, reply};

#[tokio::test]
async fn a_sealed_broker_refuses_every_door_and_unsealing_goes_on_with_the_same_chain() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("sealed")).await;
    let pass = house.pass().await;
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let before = house.entries().len();
    let (id, answer) = house.answer(Ask::named("doorward", "broker.seal", &[])).await.unwrap();
    assert_eq!((answer["state"].as_str(), house.broker.state()), (Some("sealed"), State::Sealed));
    let own = |door| Ask::named("doorward", "secret.list", &[]).through(door);
    for ask in [Ask::get("/a").with(&pass), Ask::get("/a"), own(Door::Socket), own(Door::Cli)] {
        let refusal = house.refused(ask).await;
        assert_eq!((refusal.code, refusal.evidence), (Code::Sealed, None));
        assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("doorward unseal")));
    }
    assert!(house.broker.metrics_text().contains("doorward_sealed 1"));
    for _ in 0..3 {
        house.unseal().await.unwrap();
        assert_eq!(house.broker.state(), State::Unsealed);
        house.got(Ask::get("/a").with(&pass)).await.unwrap();
        house.broker.seal();
    }
    house.unseal().await.unwrap();
    assert!(house.settled(id).await.outcome.is_some(), "the sealing itself has its outcome");
    let entries = house.entries();
    assert!(entries.len() > before);
    let told = |notice| {
        entries.iter().filter(|e| matches!(&e.what, What::House(Event::Notice(n)) if *n == notice)).count()
    };
    assert_eq!((told(Notice::Sealed), told(Notice::Unsealed)), (1, 4));
    assert_eq!(service.seen().len(), 4);
    house.spotless();
}

#[tokio::test]
async fn a_call_that_is_under_way_ends_with_what_it_has_and_is_recorded() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Service::start(move |seen| {
        let first = (seen.target == "/a").then(|| Step::Until(held.clone()));
        first.into_iter().chain([Step::Send(reply(200, &[], "done"))]).collect()
    });
    let house = House::at(&service.url(), &canary::plant("under-way")).await;
    let pass = house.pass().await;
    let (worker, inbound) = (house.worker.clone(), Ask::post("/a", "x").with(&pass).inbound());
    let call = tokio::spawn(async move { worker.call(inbound).await });
    eventually("the request arrived", || !service.seen().is_empty()).await;
    house.broker.seal();
    // At once, while the call still writes to the log that it began with.
    house.unseal().await.unwrap();
    house.got(Ask::get("/b").with(&pass)).await.unwrap();
    gate.open();
    let Outbound::Reply(id, reply) = call.await.unwrap().unwrap() else { panic!() };
    assert_eq!(collected(id, *reply).await.unwrap().text(), "done");
    assert_eq!(house.settled(id).await.outcome.unwrap().status, Some(200));
    house.spotless();
}

#[tokio::test]
async fn a_stream_that_goes_on_for_long_does_not_keep_the_broker_sealed() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Service::start(move |seen| {
        if seen.target != "/stream" {
            return vec![Step::Send(reply(200, &[], "short"))];
        }
        let mut head = chunked(&[("content-type", "text/event-stream")], &[b"data: 1\n\n"], &[]);
        head.truncate(head.len() - 5);
        let mut steps = vec![Step::Send(head), Step::Until(held.clone())];
        for _ in 0..30 {
            steps.push(Step::Send(b"9\r\ndata: 2\n\n\r\n".to_vec()));
        }
        steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
        steps
    });
    let house = House::at(&service.url(), &canary::plant("long-stream")).await;
    let pass = house.pass().await;
    let Outbound::Reply(id, stream) = house.ask(Ask::get("/stream").with(&pass)).await.unwrap() else {
        panic!()
    };
    let stream = tokio::spawn(collected(id, *stream));
    house.broker.seal();
    house.unseal().await.unwrap();
    assert!(!stream.is_finished(), "the stream still goes on");
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    gate.open();
    assert_eq!(stream.await.unwrap().unwrap().text().matches("data: 2").count(), 30);
    house.entry_when(id, |entry| entry.close.is_some()).await;
    house.spotless();
}

#[tokio::test]
async fn closing_writes_everything_and_the_next_start_finds_nothing_open() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("closing")).await;
    let pass = house.pass().await;
    for _ in 0..10 {
        house.got(Ask::get("/a").with(&pass)).await.unwrap();
    }
    let broker = house.broker.clone();
    tokio::task::spawn_blocking(move || broker.close()).await.unwrap().unwrap();
    let open =
        house.entries().iter().filter(|e| matches!(e.what, What::Call(_)) && e.outcome.is_none()).count();
    assert_eq!(open, 0);
    assert_eq!(house.refused(Ask::get("/a").with(&pass)).await.code, Code::Sealed);
    house.spotless();
}
