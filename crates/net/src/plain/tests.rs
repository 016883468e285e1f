//! The command line's way to a door.

use super::*;
use crate::tests::{self, Origin, SOON, echo, text};
use crate::{Peer, bind_unix, drain, serve};

#[tokio::test]
async fn a_door_on_loopback_is_asked_and_any_other_address_refused() {
    let origin = Origin::start(None, echo).await;
    let plain = Plain::new(Place::Loopback(origin.address), SOON, 1000);
    let reply = plain.get("/status?x=y").await.unwrap();
    assert!(reply.body().starts_with(b"GET /status?x=y HTTP/1.1\n"));
    let far = Plain::new(Place::Loopback("192.0.2.1:80".parse().unwrap()), SOON, 1000);
    assert!(matches!(far.get("/").await, Err(Error::Request(_))));
    assert!(matches!(plain.get("http://a.example/").await, Err(Error::Request(_))));
}

#[tokio::test]
async fn a_door_on_a_unix_socket_knows_the_process_at_the_other_end() {
    let (_folder, path) = tests::folder("d.sock");
    let (drain, draining) = drain::channel();
    let who = |request: Request<hyper::body::Incoming>, peer: Peer| async move {
        let process = peer.process.unwrap();
        assert_eq!(peer.address, None);
        let body = text(Response::new(request.into_body())).await;
        http::Response::new(Body::full(format!("{} {} {body}", process.uid, process.pid.unwrap())))
    };
    let door = tokio::spawn(serve(bind_unix(&path).unwrap(), who, tests::limits(), draining));
    let plain = Plain::new(Place::Unix(path.clone()), SOON, 1000);
    let reply = plain.post("/", Bytes::from_static(b"{}")).await.unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&path).unwrap());
    let expected = format!("{owner} {} {{}}", std::process::id());
    assert_eq!(std::str::from_utf8(reply.body()).unwrap(), expected);
    drain.start();
    assert_eq!(door.await.unwrap().cut, 0);
    assert!(!path.exists());
}

#[tokio::test]
async fn an_answer_has_to_be_small_and_in_time() {
    let big = |_| async { Response::new(Body::full(vec![0; 2000])) };
    let origin = Origin::start(None, big).await;
    let plain = Plain::new(Place::Loopback(origin.address), SOON, 1000);
    assert!(matches!(plain.get("/").await, Err(Error::Body(_))));
    let silent = Origin::start(None, |_| std::future::pending()).await;
    let mut within = Duration::from_millis(50);
    loop {
        let plain = Plain::new(Place::Loopback(silent.address), within, 1000);
        match plain.get("/").await {
            Err(Error::Timeout { sent: Sent::Maybe, .. }) => break,
            // The machine did other things before there was a connection.
            Err(Error::Timeout { sent: Sent::Nothing, .. }) if within < SOON => within *= 4,
            other => panic!("{other:?}"),
        }
    }
}
