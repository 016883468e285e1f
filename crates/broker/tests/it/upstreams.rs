//! Services that are away, slow, or break off; and callers who hang up.

use std::time::Duration;

use broker::Outbound;
use evidence::{Ending, What};
use model::{Code, Retry};
use testkit::{Upstream, canary};

use crate::asking::Ask;
use crate::house::{House, collected, eventually, is, moved, plain, write};
use crate::service::{Gate, Service, Step, chunked, reply};

const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn a_service_that_is_away_costs_no_use() {
    let house = House::at(NOBODY, &canary::plant("away")).await;
    let once = house.capability(&[("integrations", "house"), ("uses", "1")]).await;
    for ask in [Ask::get("/a"), Ask::post("/a", "x"), Ask::get("/a")] {
        let refusal = house.refused(ask.with(&once)).await;
        is(&refusal, Code::UpstreamUnreachable);
        assert_eq!(refusal.retry, Retry::Safe);
        let outcome = house.settled(refusal.evidence.unwrap()).await.outcome.unwrap();
        assert_eq!((outcome.ending, outcome.code), (Ending::Failed, Some(Code::UpstreamUnreachable)));
    }
    house.spotless();
}

#[tokio::test]
async fn a_service_that_does_not_answer_times_a_read_out_and_leaves_a_write_unknown() {
    let upstream = Upstream::start();
    let hasty = plain(&upstream.url()).replace("head: 60s", "head: 1s");
    let house = House::start(&[("house", hasty)]).await;
    house.put("house/token", upstream.canary()).await;
    let pass = house.pass().await;
    let read = house.refused(Ask::get("/slow/30000").with(&pass)).await;
    is(&read, Code::UpstreamTimeout);
    let write = house.refused(Ask::post("/slow/30000", "x").with(&pass)).await;
    is(&write, Code::OutcomeUnknown);
    assert_eq!(write.retry, Retry::No);
    let ending = |entry: evidence::Entry| entry.outcome.unwrap().ending;
    assert_eq!(ending(house.settled(read.evidence.unwrap()).await), Ending::Failed);
    assert_eq!(ending(house.settled(write.evidence.unwrap()).await), Ending::Unknown);
    house.spotless();
}

#[tokio::test]
async fn a_reply_that_breaks_off_leaves_a_write_unknown_and_its_use_spent() {
    let upstream = Upstream::start();
    let house = House::at(&upstream.url(), upstream.canary()).await;
    let twice = house.capability(&[("integrations", "house"), ("uses", "2")]).await;
    let read = house.refused(Ask::get("/close").with(&twice)).await;
    is(&read, Code::UpstreamReply);
    let write = house.refused(Ask::post("/close", "x").with(&twice)).await;
    is(&write, Code::OutcomeUnknown);
    assert_eq!(house.settled(write.evidence.unwrap()).await.outcome.unwrap().ending, Ending::Unknown);
    is(&house.refused(Ask::get("/echo").with(&twice)).await, Code::UsesExhausted);
}

#[tokio::test]
async fn a_stream_is_settled_at_its_head_and_at_its_end() {
    let upstream = Upstream::start();
    let house = House::at(&upstream.url(), upstream.canary()).await;
    let pass = house.pass().await;
    for (path, length) in [("/chunks/2000", None), ("/big/1000000", Some(1_000_000))] {
        let got = house.got(Ask::get(path).with(&pass)).await.unwrap();
        let entry = house.entry_when(got.id, |entry| entry.close.is_some()).await;
        let (head, close) = (entry.outcome.unwrap(), entry.close.unwrap());
        assert_eq!((head.status, head.ending, head.bytes_out), (Some(200), Ending::Done, 0));
        assert_eq!((close.ending, close.code), (Ending::Done, None));
        assert_eq!(close.bytes_out, got.body.len() as u64);
        assert!(length.is_none_or(|length| length == got.body.len()));
    }
}

#[tokio::test]
async fn a_refusal_of_the_service_stays_one_when_it_is_a_stream() {
    let service = Service::start(|_| {
        let stream = chunked(&[("content-type", "text/html")], &[b"no such page"], &[]);
        vec![Step::Send(
            String::from_utf8(stream).unwrap().replace("HTTP/1.1 200", "HTTP/1.1 404").into_bytes(),
        )]
    });
    let house = House::at(&service.url(), &canary::plant("404")).await;
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    assert_eq!((got.status, got.text()), (404, "no such page"));
    let entry = house.entry_when(got.id, |entry| entry.close.is_some()).await;
    assert_eq!(entry.ending(), Some(Ending::Failed));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_never_a_whole_reply_and_leaves_a_write_unknown() {
    let service = Service::start(|_| {
        let mut stream = chunked(&[], &[b"the first half"], &[]);
        stream.truncate(stream.len() - 5);
        vec![Step::Send(stream), Step::Pause(Duration::from_millis(50)), Step::Cut]
    });
    let house = House::at(&service.url(), &canary::plant("broken")).await;
    let pass = house.pass().await;
    for (ask, ending) in [(Ask::get("/a"), Ending::Failed), (Ask::post("/a", "x"), Ending::Unknown)] {
        let Outbound::Reply(id, reply) = house.ask(ask.with(&pass)).await.unwrap() else { panic!() };
        assert!(collected(id, *reply).await.is_err());
        let entry = house.entry_when(id, |entry| entry.close.is_some()).await;
        let close = entry.close.unwrap();
        assert_eq!((close.ending, close.code), (ending, Some(Code::UpstreamReply)));
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_cancels_nothing_behind_the_intent() {
    let gate = Gate::default();
    let held = gate.clone();
    let service =
        Service::start(move |_| vec![Step::Until(held.clone()), Step::Send(reply(200, &[], "done"))]);
    let house = House::at(&service.url(), &canary::plant("hangs-up")).await;
    let pass = house.pass().await;
    let worker = house.worker.clone();
    let inbound = Ask::post("/a", "x").with(&pass).inbound();
    let call = tokio::spawn(async move { worker.call(inbound).await });
    eventually("the request arrived", || !service.seen().is_empty()).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    gate.open();
    let is_it = |entry: &evidence::Entry| match &entry.what {
        What::Call(intent) => intent.deed.integration.as_str() == "house" && entry.outcome.is_some(),
        _ => false,
    };
    eventually("its outcome is recorded", || house.entries().iter().any(is_it)).await;
    let entry = house.entries().into_iter().find(is_it).unwrap();
    assert_eq!(entry.outcome.unwrap().status, Some(200));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_right_behind_the_intent_does_not_stop_the_request() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("hangs-up-early")).await;
    let pass = house.pass().await;
    for nth in 1..=5 {
        // The call is begun and dropped with the first wait that it comes to.
        let mut call = Box::pin(house.worker.call(Ask::post("/a", "x").with(&pass).inbound()));
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
        assert!(polled, "it waits for its evidence");
        drop(call);
        eventually("the request arrived", || service.seen().len() == nth).await;
    }
    let open =
        || house.entries().iter().filter(|e| matches!(e.what, What::Call(_)) && e.outcome.is_none()).count();
    eventually("every outcome is recorded", || open() == 0).await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_in_a_stream_ends_it_on_record() {
    let service = Service::start(|_| {
        let mut steps =
            vec![Step::Send(chunked(&[("content-type", "text/event-stream")], &[b"data: 1\n\n"], &[]))];
        if let Step::Send(bytes) = &mut steps[0] {
            bytes.truncate(bytes.len() - 5);
        }
        // It never comes to its end by itself: only the caller's leaving ends it.
        for _ in 0..500 {
            steps.push(Step::Pause(Duration::from_millis(20)));
            steps.push(Step::Send(b"9\r\ndata: 2\n\n\r\n".to_vec()));
        }
        steps
    });
    let house = House::at(&service.url(), &canary::plant("leaves")).await;
    let Outbound::Reply(id, reply) = house.ask(Ask::get("/a").with(&house.pass().await)).await.unwrap()
    else {
        panic!()
    };
    drop(reply);
    let entry = house.entry_when(id, |entry| entry.close.is_some()).await;
    let close = entry.close.unwrap();
    assert_eq!((close.ending, close.code), (Ending::Failed, None));
}

#[tokio::test]
async fn the_credential_goes_to_no_private_address_and_over_no_plain_http_without_the_users_word() {
    let service = Service::saying("{}");
    let port = service.url().rsplit_once(':').unwrap().1.to_owned();
    let word = "dangerous_allow_private: true\n";
    let addresses = [
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        "https://10.0.0.1".to_owned(),
    ];
    for (at, url) in addresses.iter().enumerate() {
        let house = House::start(&[("house", plain(url).replace(word, ""))]).await;
        house.put("house/token", &canary::plant("private")).await;
        let refusal = house.refused(Ask::get("/a").with(&house.pass().await)).await;
        is(&refusal, Code::AddressForbidden);
        let outcome = house.settled(refusal.evidence.unwrap()).await.outcome.unwrap();
        assert_eq!(outcome.code, Some(Code::AddressForbidden), "{at}");
    }
    let metadata = House::at("http://169.254.169.254", &canary::plant("metadata")).await;
    is(&metadata.refused(Ask::get("/a").with(&metadata.pass().await)).await, Code::AddressForbidden);
    let plain_http = House::start(&[]).await;
    write(
        &crate::house::layer(&plain_http).join("house.yaml"),
        &plain("http://example.com").replace(word, ""),
    );
    assert!(plain_http.broker.reload().is_err(), "plain http needs the user's word already in the file");
    write(&crate::house::layer(&plain_http).join("house.yaml"), &moved("slack", "https://example.com"));
    assert!(plain_http.broker.reload().is_err(), "a file is called like its integration");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_good_status_that_says_it_was_not_done_is_passed_on_and_recorded_as_a_failure() {
    const TEXT: &str = r#"{"channel":"C1","text":"hi"}"#;
    let upstream = Service::start(|seen| {
        let says = seen.all("x-says").first().map_or(seen.target.as_str(), |says| says).to_owned();
        let said = match says.rsplit('=').next() {
            Some("no") => r#"{"ok":false,"error":"no_text"}"#,
            Some("silent") => "{}",
            _ => r#"{"ok":true,"ts":"1.2"}"#,
        };
        vec![Step::Send(reply(200, &[("content-type", "application/json")], said))]
    });
    let house = House::start(&[("slack", moved("slack", &upstream.url()))]).await;
    house.put("slack/token", &canary::plant("denied")).await;
    let pass = house.capability(&[("integrations", "slack")]).await;
    for (says, ending) in [("yes", Ending::Done), ("no", Ending::Failed), ("silent", Ending::Done)] {
        let ask = Ask::post("/api/chat.postMessage", TEXT).on("slack").with(&pass);
        let ask = ask.header("content-type", "application/json").header("x-says", says);
        let got = house.got(ask).await.unwrap();
        assert_eq!(got.status, 200, "{says}");
        let outcome = house.settled(got.id).await.outcome.unwrap();
        assert_eq!((outcome.ending, outcome.status), (ending, Some(200)), "{says}");
    }
    // By its name it is done only where the reply says so.
    for (says, ending) in [("yes", Ending::Done), ("no", Ending::Failed), ("silent", Ending::Failed)] {
        let ask = Ask::named("slack", "channels.show", &[("channel", says)]).with(&pass);
        let Outbound::Answer(answer) = house.ask(ask).await.unwrap() else { panic!("no answer: {says}") };
        assert_eq!(answer.failed, ending == Ending::Failed, "{says}");
        assert_eq!(house.settled(answer.evidence).await.outcome.unwrap().ending, ending, "{says}");
    }
    house.spotless();
}
