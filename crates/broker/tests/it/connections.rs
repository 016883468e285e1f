//! What an integration's file says of the way to its service: repetitions, a breaker, places, unchecked certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::Outbound;
use evidence::Outcome;
use model::{Code, Retry};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, collected, is, plain};
use crate::service::{Service, Step, reply};

/// A house whose integration's file says this besides the usual.
async fn house(url: &str, more: &str, name: &str) -> House {
    let house = House::start(&[("house", format!("{}{more}", plain(url)))]).await;
    house.put("house/token", &canary::plant(name)).await;
    house
}

/// A service that answers so many requests with this status and headers before it says 200.
fn failing(
    times: usize,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
) -> (Service, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let service = Service::start(move |_| {
        let failed = counted.fetch_add(1, Ordering::SeqCst) < times;
        vec![Step::Send(if failed { reply(status, headers, "trouble") } else { reply(200, &[], "fine") })]
    });
    (service, asked)
}

fn field<'a>(outcome: &'a Outcome, name: &str) -> Option<&'a str> {
    outcome.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

const TWICE: &str = "retries: {most: 2, budget: 20%}\n";

#[tokio::test]
async fn a_read_that_met_trouble_is_repeated_and_counts_as_one_use() {
    for status in [502, 503, 504] {
        let (service, asked) = failing(2, status, &[]);
        let house = house(&service.url(), TWICE, "repeated").await;
        let once = house.capability(&[("integrations", "house"), ("uses", "1")]).await;
        let got = house.got(Ask::get("/a").with(&once)).await.unwrap();
        assert_eq!((got.status, got.text(), asked.load(Ordering::SeqCst)), (200, "fine", 3));
        let outcome = house.settled(got.id).await.outcome.unwrap();
        assert_eq!(field(&outcome, "retries"), Some("2"));
        is(&house.refused(Ask::get("/a").with(&once)).await, Code::UsesExhausted);
        let sent = service.seen();
        assert!(sent.iter().all(|seen| seen.all("authorization").len() == 1), "{sent:?}");
        assert!(house.broker.metrics_text().contains("doorward_retries_total 2"));
        house.spotless();
    }
}

#[tokio::test]
async fn the_last_answer_is_passed_on_when_trouble_stays() {
    let (service, asked) = failing(99, 503, &[]);
    let house = house(&service.url(), TWICE, "stays").await;
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    assert_eq!((got.status, got.text(), asked.load(Ordering::SeqCst)), (503, "trouble", 3));
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_never_repeated() {
    let (service, asked) = failing(99, 503, &[]);
    let house = house(&service.url(), TWICE, "writes").await;
    let pass = house.pass().await;
    // PUT and DELETE are not described, and so they are writes.
    for (nth, method) in ["POST", "PUT", "DELETE"].into_iter().enumerate() {
        let got = house.got(Ask::request(method, "/a").body(net::Body::full("x")).with(&pass)).await.unwrap();
        assert_eq!((got.status, asked.load(Ordering::SeqCst)), (503, nth + 1), "{method}");
    }
}

#[tokio::test]
async fn nothing_is_repeated_where_the_file_does_not_say_so() {
    let (service, asked) = failing(1, 503, &[]);
    let house = house(&service.url(), "", "plainly").await;
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    assert_eq!((got.status, asked.load(Ordering::SeqCst)), (503, 1));
}

#[tokio::test]
async fn a_service_that_asks_for_a_long_wait_is_not_asked_again() {
    for wait in ["3600", "Fri, 31 Dec 2099 23:59:59 GMT", "-1"] {
        let headers: &'static [_] = Box::leak(Box::new([("retry-after", wait)]));
        let (service, asked) = failing(1, 503, headers);
        let house = house(&service.url(), TWICE, "patience").await;
        let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
        assert_eq!((got.status, asked.load(Ordering::SeqCst)), (503, 1), "{wait}");
        assert_eq!(got.headers["retry-after"], wait);
    }
    let (service, asked) = failing(1, 503, &[("retry-after", "1")]);
    let house = house(&service.url(), TWICE, "patience-of-a-second").await;
    let began = std::time::Instant::now();
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    assert_eq!((got.status, asked.load(Ordering::SeqCst)), (200, 2));
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_budget_bounds_what_repetitions_add_to_a_service_that_is_down() {
    let (service, asked) = failing(9999, 503, &[]);
    let house = house(&service.url(), "retries: {most: 1, budget: 1%}\n", "budget").await;
    let pass = house.pass().await;
    for _ in 0..15 {
        assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 503);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 15 + 10);
}

#[tokio::test]
async fn a_service_that_fails_is_left_alone_and_no_use_is_spent_on_it() {
    // Rests until the file says otherwise.
    let (service, asked) = failing(2, 502, &[]);
    let house = house(&service.url(), "breaker: {failures: 2, rest: 1h}\n", "breaker").await;
    let pass = house.pass().await;
    for _ in 0..2 {
        assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 502);
    }
    let once = house.capability(&[("integrations", "house"), ("uses", "1")]).await;
    for ask in [Ask::get("/a"), Ask::post("/a", "x")] {
        let refusal = house.refused(ask.with(&once)).await;
        is(&refusal, Code::UpstreamUnreachable);
        let hour = Duration::from_secs(3_600);
        assert!(matches!(refusal.retry, Retry::After(rest) if rest <= hour), "{refusal:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "nothing was sent, and no use was spent");
    let open = "doorward_breaker_open{integration=\"house\"} 1";
    assert!(house.broker.metrics_text().contains(open), "{}", house.broker.metrics_text());
    house.spotless();
}

#[tokio::test]
async fn behind_its_rest_one_call_tries_a_service_that_failed_and_finds_it_well() {
    let (service, asked) = failing(2, 502, &[]);
    let house = house(&service.url(), "breaker: {failures: 2, rest: 1s}\n", "breaker-rests").await;
    let pass = house.pass().await;
    for _ in 0..2 {
        assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 502);
    }
    let once = house.capability(&[("integrations", "house"), ("uses", "1")]).await;
    // Whether it still rests when it is asked first is the machine's matter; that a refusal costs no use is ours.
    let until = std::time::Instant::now() + Duration::from_secs(60);
    let id = loop {
        match house.ask(Ask::get("/a").with(&once)).await {
            Ok(Outbound::Reply(id, reply)) => {
                let got = collected(id, *reply).await.unwrap();
                assert_eq!((got.status, asked.load(Ordering::SeqCst)), (200, 3));
                break id;
            }
            Ok(other) => panic!("not a reply: {other:?}"),
            Err(refusal) => {
                is(&refusal, Code::UpstreamUnreachable);
                assert!(std::time::Instant::now() < until, "it rests for ever: {refusal:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    assert_eq!(house.settled(id).await.outcome.unwrap().status, Some(200));
    assert!(!house.broker.metrics_text().contains("doorward_breaker_open{integration=\"house\"} 1"));
    house.spotless();
}

#[tokio::test]
async fn requests_beyond_the_places_wait_in_a_queue_of_their_own() {
    let service =
        Service::start(|_| vec![Step::Pause(Duration::from_millis(30)), Step::Send(reply(200, &[], "ok"))]);
    let house = Arc::new(house(&service.url(), "connections: {most: 1}\n", "places").await);
    let pass = house.pass().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (house, ask) = (Arc::clone(&house), Ask::get("/a").with(&pass));
        calls.spawn(async move { house.got(ask).await.unwrap().status });
    }
    let began = std::time::Instant::now();
    assert_eq!(calls.join_all().await, [200; 5]);
    assert!(began.elapsed() >= Duration::from_millis(4 * 30), "they went at the same time");
}

#[tokio::test]
async fn a_certificate_that_nobody_looks_at_stands_in_the_evidence_and_in_the_status() {
    let house = house("https://127.0.0.1:9", "tls: {insecure_skip_verify: true}\n", "unchecked").await;
    let refusal = house.refused(Ask::get("/a").with(&house.pass().await)).await;
    is(&refusal, Code::UpstreamUnreachable);
    let outcome = house.settled(refusal.evidence.unwrap()).await.outcome.unwrap();
    assert_eq!(field(&outcome, "tls"), Some("unchecked"));
}
