//! The pool and what it sends, against real servers on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::*;
use crate::tests::{self, Origin, SOON, config, dial, echo, get, post, text, until};

fn authority() -> tests::Authority {
    tests::Authority::new()
}

async fn moved(_: Request<hyper::body::Incoming>) -> Response<Body> {
    Response::builder().status(302).header("location", "http://127.0.0.1:1/").body(Body::empty()).unwrap()
}

async fn silent(_: Request<hyper::body::Incoming>) -> Response<Body> {
    std::future::pending().await
}

#[tokio::test]
async fn a_connection_is_used_again_when_its_reply_was_read_to_the_end() {
    let origin = Origin::start(None, echo).await;
    let upstream = tests::upstream(&authority());
    for _ in 0..5 {
        let reply = upstream.send(&origin.dial(), get("/a"), SOON).await.unwrap();
        assert!(text(reply).await.starts_with("GET /a HTTP/1.1\n"));
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_connection_whose_reply_was_dropped_is_not_used_again() {
    let big = |_| async { Response::new(Body::full(vec![0; 1 << 20])) };
    let origin = Origin::start(None, big).await;
    let upstream = tests::upstream(&authority());
    drop(upstream.send(&origin.dial(), get("/"), SOON).await.unwrap());
    drop(upstream.send(&origin.dial(), get("/"), SOON).await.unwrap());
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn a_connection_serves_one_request_at_a_time() {
    let origin = Origin::start(None, echo).await;
    let upstream = tests::upstream(&authority());
    let first = upstream.send(&origin.dial(), get("/"), SOON).await.unwrap();
    let second = upstream.send(&origin.dial(), get("/"), SOON).await.unwrap();
    assert_eq!(origin.connections(), 2);
    text(first).await;
    text(second).await;
    text(upstream.send(&origin.dial(), get("/"), SOON).await.unwrap()).await;
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn an_idle_connection_grows_old() {
    let origin = Origin::start(None, echo).await;
    let mut config = config(&authority());
    config.idle_for = Duration::from_millis(20);
    let upstream = Upstream::new(config).unwrap();
    text(upstream.send(&origin.dial(), get("/"), SOON).await.unwrap()).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    text(upstream.send(&origin.dial(), get("/"), SOON).await.unwrap()).await;
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn connections_are_not_shared_between_ways_to_dial() {
    let origin = Origin::start(Some(authority().server("api.test", 2100, &["http/1.1"])), echo).await;
    let upstream = tests::upstream(&authority());
    let skipped = Dial { verify: Verify::Skipped, ..origin.dial_named("api.test") };
    text(upstream.send(&skipped, get("/"), SOON).await.unwrap()).await;
    let checked = upstream.send(&origin.dial_named("api.test"), get("/"), SOON).await;
    assert!(matches!(checked, Err(Error::Tls { .. })), "{checked:?}");
}

#[tokio::test]
async fn host_and_framing_are_ours_and_never_the_requests() {
    let origin = Origin::start(None, echo).await;
    let upstream = tests::upstream(&authority());
    let mut request = post("http://evil.example/p?q", Body::full("abc"));
    request.headers_mut().insert("host", "evil.example".parse().unwrap());
    request.headers_mut().insert("content-length", "99".parse().unwrap());
    request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    let seen = text(upstream.send(&origin.dial(), request, SOON).await.unwrap()).await;
    assert!(seen.starts_with("POST /p?q HTTP/1.1\n"), "{seen}");
    assert!(seen.contains(&format!("host: {}\n", origin.address)), "{seen}");
    assert!(seen.contains("content-length: 3\n") && seen.ends_with("\nabc"), "{seen}");
    assert!(!seen.contains("evil") && !seen.contains("transfer-encoding"), "{seen}");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_sent_in_chunks_whatever_version_the_request_came_in() {
    let origin = Origin::start(None, echo).await;
    let upstream = tests::upstream(&authority());
    for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
        let (sender, body) = Body::channel(2);
        let mut request = post("/", body);
        *request.version_mut() = version;
        sender.send(Bytes::from_static(b"streamed")).await.unwrap();
        sender.finish(None).await.unwrap();
        let seen = text(upstream.send(&origin.dial(), request, SOON).await.unwrap()).await;
        assert!(seen.contains("transfer-encoding: chunked\n") && seen.ends_with("streamed"), "{seen}");
    }
}

#[tokio::test]
async fn requests_that_are_never_sent_are_refused() {
    let upstream = tests::upstream(&authority());
    let streamed = Request::builder().uri("/").body(Body::channel(1).1).unwrap();
    let trace = Request::builder().method("TRACE").uri("/").body(Body::empty()).unwrap();
    let tunnel = Request::builder().method("CONNECT").uri("a.example:443").body(Body::empty()).unwrap();
    let star = Request::builder().method("OPTIONS").uri("*").body(Body::empty()).unwrap();
    for request in [streamed, trace, tunnel, star] {
        let answer = upstream.send(&dial("http://127.0.0.1:1"), request, SOON).await;
        assert!(matches!(answer, Err(Error::Request(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn http2_is_spoken_where_the_upstream_offers_it_and_one_connection_is_shared() {
    let authority = authority();
    let origin = Origin::start(Some(authority.server("api.test", 2100, &["h2", "http/1.1"])), echo).await;
    let upstream = Arc::new(tests::upstream(&authority));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (upstream, dial) = (Arc::clone(&upstream), origin.dial_named("api.test"));
        tasks.spawn(async move {
            text(upstream.send(&dial, post("/x", Body::full("abc")), SOON).await.unwrap()).await
        });
    }
    for seen in tasks.join_all().await {
        let expected = format!("POST https://api.test:{}/x HTTP/2.0\n", origin.address.port());
        assert!(seen.starts_with(&expected) && seen.ends_with("abc"), "{seen}");
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn http1_is_spoken_over_tls_where_http2_is_not_offered() {
    let authority = authority();
    let origin = Origin::start(Some(authority.server("api.test", 2100, &["http/1.1"])), echo).await;
    let upstream = tests::upstream(&authority);
    for _ in 0..3 {
        let seen = text(upstream.send(&origin.dial_named("api.test"), get("/"), SOON).await.unwrap()).await;
        assert!(seen.starts_with("GET / HTTP/1.1\n"), "{seen}");
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn certificates_that_are_expired_or_for_another_name_or_from_a_stranger_are_refused() {
    let authority = authority();
    let upstream = tests::upstream(&authority);
    let cases = [
        authority.server("api.test", 2020, &["http/1.1"]),
        authority.server("other.test", 2100, &["http/1.1"]),
        tests::Authority::new().server("api.test", 2100, &["http/1.1"]),
    ];
    for server in cases {
        let origin = Origin::start(Some(server), echo).await;
        let dial = origin.dial_named("api.test");
        let answer = upstream.send(&dial, get("/"), SOON).await.unwrap_err();
        assert!(matches!(answer, Error::Tls { .. }), "{answer:?}");
        assert_eq!(answer.sent(), Sent::Nothing);
        let skipped = Dial { verify: Verify::Skipped, ..dial };
        assert!(upstream.send(&skipped, get("/"), SOON).await.is_ok());
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let origin = Origin::start(None, moved).await;
    let upstream = tests::upstream(&authority());
    let reply = upstream.send(&origin.dial(), get("/"), SOON).await.unwrap();
    assert_eq!(reply.status(), 302);
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn an_upstream_that_says_nothing_is_given_up_and_may_have_got_the_request() {
    let origin = Origin::start(None, silent).await;
    let upstream = tests::upstream(&authority());
    let answer = upstream.send(&origin.dial(), get("/"), Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(answer, Error::Timeout { sent: Sent::Maybe, .. }), "{answer:?}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up_with_nothing_sent() {
    let listener = tokio::net::TcpListener::bind(tests::any_port()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let upstream = tests::upstream(&authority());
    let slow = Dial { connect: Duration::from_millis(50), ..dial(&format!("https://api.test:{port}")) };
    let answer = upstream.send(&slow, get("/"), SOON).await.unwrap_err();
    assert!(matches!(answer, Error::Timeout { sent: Sent::Nothing, .. }), "{answer:?}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable_with_nothing_sent() {
    let upstream = tests::upstream(&authority());
    let answer = upstream.send(&dial("http://127.0.0.1:1"), get("/"), SOON).await.unwrap_err();
    assert!(matches!(answer, Error::Unreachable { .. }), "{answer:?}");
    assert_eq!(answer.sent(), Sent::Nothing);
}

#[tokio::test]
async fn a_connection_that_breaks_behind_the_request_is_not_tried_again() {
    let origin = Origin::raw(b"").await;
    let upstream = tests::upstream(&authority());
    let answer = upstream.send(&origin.dial(), post("/", Body::full("pay")), SOON).await.unwrap_err();
    assert!(matches!(answer, Error::Closed { sent: Sent::Maybe, .. }), "{answer:?}");
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_waited_is_replaced_without_the_caller_knowing() {
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let origin = Origin::raw(reply).await;
    let upstream = tests::upstream(&authority());
    for _ in 0..20 {
        let seen = upstream.send(&origin.dial(), post("/", Body::full("pay")), SOON).await.unwrap();
        assert_eq!(text(seen).await, "ok");
    }
    assert_eq!(origin.connections(), 20);
}

#[tokio::test]
async fn a_request_that_a_dying_connection_gives_back_unsent_is_sent_once_on_a_fresh_one() {
    close_between_requests(Duration::ZERO).await;
}

#[tokio::test]
async fn a_connection_that_waited_is_looked_at_before_it_is_used() {
    close_between_requests(Duration::from_millis(80)).await;
}

/// Blocking on purpose: the connection's task must not run between the close and the second request.
async fn close_between_requests(waiting: Duration) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind(tests::any_port()).unwrap();
    let dial = dial(&format!("http://{}", listener.local_addr().unwrap()));
    let (close, closing) = std::sync::mpsc::channel::<()>();
    let (closed, seen_closed) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap();
            seen.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            closing.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
        seen
    });
    let upstream = tests::upstream(&authority());
    text(upstream.send(&dial, get("/first"), SOON).await.unwrap()).await;
    close.send(()).unwrap();
    seen_closed.recv().unwrap();
    std::thread::sleep(waiting);
    if waiting.is_zero() {
        // The runtime sees the close and wakes the task of the connection, which runs only after us.
        tokio::task::yield_now().await;
    }
    let reply = upstream.send(&dial, post("/second", Body::full("pay")), SOON).await.unwrap();
    assert_eq!(text(reply).await, "ok");
    close.send(()).unwrap();
    let seen = server.join().unwrap();
    assert!(seen[0].starts_with("GET /first ") && seen[1].starts_with("POST /second "), "{seen:?}");
}

#[tokio::test]
async fn replies_with_two_readings_are_refused() {
    let cases: [&'static [u8]; 6] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"\x16\x03\x01 this is not HTTP\r\n\r\n",
    ];
    for reply in cases {
        let origin = Origin::raw(reply).await;
        let upstream = tests::upstream(&authority());
        let answer = upstream.send(&origin.dial(), get("/"), SOON).await.unwrap_err();
        assert!(matches!(answer, Error::Protocol { .. }), "{answer:?}");
        assert_eq!(answer.sent(), Sent::Maybe);
    }
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_an_error_and_not_a_short_body() {
    let origin = Origin::raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok").await;
    let upstream = tests::upstream(&authority());
    let reply = upstream.send(&origin.dial(), get("/"), SOON).await.unwrap();
    let bounds = crate::body::Bounds { bytes: 100, frame: SOON, whole: SOON };
    let read = crate::body::collect_bounded(Body::from(reply.into_body()), bounds).await;
    assert!(matches!(read, Err(crate::body::CollectError::Broken(_))));
}

#[tokio::test]
async fn a_forbidden_address_gets_no_connection() {
    let origin = Origin::start(None, echo).await;
    let upstream = tests::upstream(&authority());
    let refused = [
        Dial { private: Private::Refused, ..origin.dial() },
        Dial { private: Private::Refused, ..origin.dial_named("api.test") },
    ];
    for dial in refused {
        let answer = upstream.send(&dial, get("/"), SOON).await.unwrap_err();
        assert!(matches!(answer, Error::Address { .. }), "{answer:?}");
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn a_caller_who_hangs_up_frees_the_upstream() {
    let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (arrived, count) = (Arc::clone(&begun), Arc::clone(&dropped));
    let origin = Origin::start(None, move |_| {
        let guard = Counted(Arc::clone(&count));
        arrived.fetch_add(1, Ordering::SeqCst);
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    })
    .await;
    let upstream = tests::upstream(&authority());
    let dial = origin.dial();
    tokio::select! {
        answer = upstream.send(&dial, get("/"), SOON) => panic!("{answer:?}"),
        () = until("the request arrived", || begun.load(Ordering::SeqCst) == 1) => {}
    }
    until("the upstream noticed", || dropped.load(Ordering::SeqCst) == 1).await;
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
