//! Long bodies, against upstreams that are slow in different ways.

use http::Response;
use http_body_util::BodyExt as _;

use super::*;
use crate::tests::{self, Authority, Origin, SOON, echo, post, text};

const HEAD: Duration = Duration::from_millis(300);

/// Reads all, and says nothing.
async fn speechless(request: Request<hyper::body::Incoming>) -> Response<Body> {
    let _ = request.into_body().collect().await;
    std::future::pending().await
}

/// Reads nothing, and says nothing.
async fn deaf(request: Request<hyper::body::Incoming>) -> Response<Body> {
    let _kept = request;
    std::future::pending().await
}

#[tokio::test]
async fn the_time_for_a_head_begins_with_the_last_byte_of_a_long_body() {
    let origin = Origin::start(None, echo).await;
    let upstream = tests::upstream(&Authority::new());
    let (sender, body) = Body::channel(1);
    let slow = async {
        for _ in 0..5 {
            tokio::time::sleep(HEAD / 2).await;
            sender.send(Bytes::from_static(b"piece")).await.unwrap();
        }
        // Longer than the upstream has, but it is the caller who is slow.
        tokio::time::sleep(HEAD * 2).await;
        sender.finish(None).await.unwrap();
    };
    let dial = origin.dial();
    let sent = upstream.send(&dial, post("/", body), Patience::behind(HEAD, SOON));
    let (reply, ()) = tokio::join!(sent, slow);
    assert!(text(reply.unwrap()).await.ends_with("piecepiecepiecepiecepiece"));
}

#[tokio::test]
async fn an_upstream_that_has_all_of_a_long_body_and_says_nothing_is_too_late() {
    let upstream = tests::upstream(&Authority::new());
    for body in [vec![b'x'; 100_000], vec![b'x'; 3_000_000]] {
        let origin = Origin::start(None, speechless).await;
        let began = Instant::now();
        let dial = origin.dial();
        let sent = upstream.send(&dial, post("/", Body::full(body)), Patience::behind(HEAD, SOON));
        assert!(matches!(sent.await, Err(crate::Error::Timeout { .. })));
        assert!(began.elapsed() >= HEAD && began.elapsed() < SOON / 2);
    }
}

#[tokio::test]
async fn an_upstream_that_takes_nothing_of_a_long_body_is_too_late_as_well() {
    let origin = Origin::start(None, deaf).await;
    let upstream = tests::upstream(&Authority::new());
    let body = Body::full(vec![b'x'; 30_000_000]);
    let dial = origin.dial();
    let sent = upstream.send(&dial, post("/", body), Patience::behind(HEAD, SOON));
    assert!(matches!(sent.await, Err(crate::Error::Timeout { .. })));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_fault_of_the_upstream() {
    let authority = Authority::new();
    let secure = Origin::start(Some(authority.server("api.test", 2100, &["h2"])), echo).await;
    let plain = Origin::start(None, echo).await;
    let upstream = tests::upstream(&authority);
    for dial in [plain.dial(), secure.dial_named("api.test")] {
        let (sender, body) = Body::channel(1);
        sender.send(Bytes::from_static(b"a piece")).await.unwrap();
        let cut = async { drop(sender) };
        let sent = upstream.send(&dial, post("/", body), Patience::behind(HEAD, SOON));
        let (answer, ()) = tokio::join!(sent, cut);
        assert!(matches!(answer, Err(crate::Error::Upload { why: Cut::Broken, .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_large_piece_is_given_in_small_ones_of_the_same_length() {
    let mut request = *Box::new(Request::new(Body::full(vec![b'x'; 150_000])));
    let _told = Told::of(&mut request);
    let mut body = request.into_body();
    assert_eq!(body.size_hint().exact(), Some(150_000));
    let mut lengths = Vec::new();
    while let Some(frame) = body.frame().await {
        lengths.push(frame.unwrap().into_data().unwrap().len());
        assert_eq!(body.size_hint().exact(), Some(150_000 - lengths.iter().sum::<usize>() as u64));
    }
    assert_eq!(lengths, [PIECE, PIECE, 150_000 - 2 * PIECE]);
    assert!(body.is_end_stream());
}
