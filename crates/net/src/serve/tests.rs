//! Doors against raw bytes, slow callers and the end of the house.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::body::{Bounds, collect_bounded};
use crate::tests::{self, SOON, get, listener, raw, text, until};
use crate::{Drain, drain};

struct House {
    address: SocketAddr,
    drain: Drain,
    calls: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<Drained>,
}

/// A door whose service reads the body and says its length, or 400 where the body is broken; `/slow` takes a while.
fn house(limits: ServeLimits) -> House {
    let listener = listener();
    let address = listener.address().unwrap();
    let (drain, draining) = drain::channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let service = move |request: Request<hyper::body::Incoming>, peer: Peer| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            assert_eq!(peer, Peer { address: Some(tests::LOOPBACK), ..Peer::default() });
            match request.uri().path() {
                "/slow" => tokio::time::sleep(Duration::from_millis(100)).await,
                "/never" => std::future::pending().await,
                "/big" => return Response::new(Body::full(vec![0; 64 << 20])),
                _ => {}
            }
            let bounds = Bounds { bytes: 1000, frame: SOON, whole: SOON };
            match collect_bounded(request.into_body(), bounds).await {
                Ok(body) => Response::new(Body::full(format!("read {}", body.len()))),
                Err(_) => Response::builder().status(400).body(Body::empty()).unwrap(),
            }
        }
    };
    let task = tokio::spawn(serve(listener, service, limits, draining));
    House { address, drain, calls, task }
}

async fn connect1(address: SocketAddr) -> http1::SendRequest<Body> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn hosted(path: &str) -> Request<Body> {
    let mut request = get(path);
    request.headers_mut().insert("host", "a.example".parse().unwrap());
    request
}

#[tokio::test]
async fn smuggled_requests_get_400_and_the_connection_is_closed() {
    let house = house(tests::limits());
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let heads = [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3,3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nx: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nx: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nx: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
        "\x16\x03\x01\x02\r\n\r\n",
    ];
    for head in heads {
        let answer = raw(house.address, format!("{head}{smuggled}").as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 "),
            "{head:?}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{head:?}: {answer}");
    }
    for head in ["TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"] {
        let answer = raw(house.address, format!("{head}{smuggled}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: GET, "), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{head:?}: {answer}");
    }
    assert_eq!(house.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_bad_chunk_breaks_the_body_and_the_connection() {
    let house = house(tests::limits());
    let bodies = [
        "3\nabc\r\n0\r\n\r\n",
        "3;x=\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "zz\r\nabc\r\n",
        "3\r\nabcX",
    ];
    for body in bodies {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let sent = format!("{head}{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = raw(house.address, sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{body:?}: {answer}");
    }
    assert_eq!(house.calls.load(Ordering::SeqCst), bodies.len());
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_turn_and_an_ambiguous_one_ends_the_row() {
    let house = house(tests::limits());
    let row = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\n\n\
               POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
               GET / HTTP/1.1\r\nHost: a\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = raw(house.address, row.as_bytes()).await;
    let statuses: Vec<_> =
        answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "200", "400"], "{answer}");
    assert!(answer.contains("read 2") && answer.contains("read 3"), "{answer}");
}

#[tokio::test]
async fn http2_without_tls_is_spoken_by_those_who_know() {
    let house = house(tests::limits());
    let stream = TcpStream::connect(house.address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().method("POST").uri("http://a.example/").body(Body::full("abc")).unwrap();
    let reply = sender.send_request(request).await.unwrap();
    assert_eq!(reply.version(), http::Version::HTTP_2);
    assert_eq!(text(reply).await, "read 3");
    let mut odd = Request::builder().uri("http://a.example/").body(Body::empty()).unwrap();
    odd.headers_mut().insert("host", "b.example".parse().unwrap());
    assert_eq!(sender.send_request(odd).await.unwrap().status(), 400);
    assert_eq!(house.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_caller_who_does_not_finish_a_head_is_let_go() {
    let house = house(ServeLimits { head: Duration::from_millis(100), ..tests::limits() });
    for start in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost:"] {
        let answer = raw(house.address, start.as_bytes()).await;
        assert!(!answer.contains("200"), "{start:?}: {answer}");
    }
    let idle = raw(house.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(idle.contains("read 0"), "{idle}");
}

#[tokio::test]
async fn a_connection_that_waited_is_served_as_before_and_nothing_that_came_is_lost() {
    let house = house(ServeLimits { quiet: Duration::from_millis(1), ..tests::limits() });
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".as_slice();
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".as_slice();
    let chunks =
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n".as_slice();
    let slow = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n".as_slice();
    let both = [get, post].concat();
    // In pieces that end wherever a next message might be lost: in its head, in its body, behind a whole one.
    let pieces: [(&[u8], usize); 10] = [
        (get, 1),
        (post, 1),
        (&both, 2),
        (&post[..9], 0),
        (&post[9..post.len() - 1], 0),
        (&post[post.len() - 1..], 1),
        (&[get, &post[..20]].concat(), 1),
        (&post[20..], 1),
        (chunks, 1),
        (slow, 1),
    ];
    for (piece, answers) in pieces {
        let before = gave_back();
        stream.write_all(piece).await.unwrap();
        for _ in 0..answers {
            assert!(answer_of(&mut stream).await.starts_with("HTTP/1.1 200 "), "{piece:?}");
        }
        if piece.ends_with(b"\r\n\r\n") || piece.ends_with(b"abc") {
            until("the connection came back", || gave_back() > before).await;
        } else {
            // Nothing is waited for: it has to hold at every moment.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // Also where it was given back, no other protocol begins in the middle.
    let answer = raw_over(stream, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(house.calls.load(Ordering::SeqCst), 9);
}

/// One answer whose length is said.
async fn answer_of(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let whole = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        (body.len() == length.parse::<usize>().ok()?).then_some(())
    };
    while whole(&answer).is_none() {
        let byte = tokio::time::timeout(SOON, stream.read_u8()).await.unwrap().unwrap();
        answer.push(char::from(byte));
    }
    answer
}

/// Sends this, and gives everything that comes until the other end closes.
async fn raw_over(mut stream: TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_caller_who_takes_no_reply_is_let_go() {
    let house = house(ServeLimits { write_stall: Duration::from_millis(100), ..tests::limits() });
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // Until the door has closed, however long the machine takes to begin with the reply: nobody takes what is written then.
    let limit = tokio::time::Instant::now() + SOON;
    while stream.write_all(b"\r\n").await.is_ok() {
        assert!(tokio::time::Instant::now() < limit, "it waits for a caller who takes nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut total = 0;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        total += read;
    }
    assert!(total < 64 << 20, "{total}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let house = house(ServeLimits { head_bytes: 8192, headers: 20, ..tests::limits() });
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(21));
    for head in [long, many] {
        let answer = raw(house.address, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(house.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_their_turn() {
    let house = house(ServeLimits { connections: 1, ..tests::limits() });
    let mut first = connect1(house.address).await;
    assert_eq!(text(first.send_request(hosted("/")).await.unwrap()).await, "read 0");
    let mut second = connect1(house.address).await;
    let waiting = tokio::spawn(async move { text(second.send_request(hosted("/")).await.unwrap()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(house.calls.load(Ordering::SeqCst), 1);
    drop(first);
    assert_eq!(waiting.await.unwrap(), "read 0");
}

#[tokio::test]
async fn draining_lets_calls_end_and_takes_no_new_ones() {
    let house = house(tests::limits());
    let mut slow = connect1(house.address).await;
    let mut idle = connect1(house.address).await;
    assert_eq!(text(idle.send_request(hosted("/")).await.unwrap()).await, "read 0");
    let call = tokio::spawn(async move { text(slow.send_request(hosted("/slow")).await.unwrap()).await });
    until("the call began", || house.calls.load(Ordering::SeqCst) == 2).await;
    house.drain.start();
    assert_eq!(call.await.unwrap(), "read 0");
    assert_eq!(house.task.await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(house.address).await.is_err());
}

#[tokio::test]
async fn calls_that_outlast_the_grace_are_cut() {
    let house = house(ServeLimits { grace: Duration::from_millis(300), ..tests::limits() });
    let mut sender = connect1(house.address).await;
    let call = tokio::spawn(async move { sender.send_request(hosted("/never")).await.map(|_| ()) });
    until("the call began", || house.calls.load(Ordering::SeqCst) == 1).await;
    house.drain.start();
    assert_eq!(house.task.await.unwrap(), Drained { cut: 1 });
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn a_body_from_a_caller_is_passed_on_with_its_length() {
    let origin = tests::Origin::start(None, tests::echo).await;
    let upstream = Arc::new(tests::upstream(&tests::Authority::new()));
    let (dial, listener) = (origin.dial(), listener());
    let address = listener.address().unwrap();
    let (drain, draining) = drain::channel();
    let forward = move |request: Request<hyper::body::Incoming>, _| {
        let (upstream, dial) = (Arc::clone(&upstream), dial.clone());
        async move {
            let mut request = request.map(Body::from);
            headers::outgoing(request.headers_mut(), headers::Cookies::Dropped);
            let mut reply = upstream.send(&dial, request, SOON).await.unwrap().map(Body::from);
            headers::incoming(reply.headers_mut(), headers::Cookies::Dropped);
            reply
        }
    };
    let task = tokio::spawn(serve(listener, forward, tests::limits(), draining));
    let mut sender = connect1(address).await;
    for _ in 0..3 {
        let mut request = hosted("/p?q=1").map(|_| Body::full(Bytes::from_static(b"abc")));
        *request.method_mut() = http::Method::POST;
        request.headers_mut().insert("authorization", "Bearer xoxb-CANARY-1".parse().unwrap());
        let seen = text(sender.send_request(request).await.unwrap()).await;
        assert!(seen.starts_with("POST /p?q=1 HTTP/1.1\n") && seen.ends_with("\nabc"), "{seen}");
        assert!(seen.contains("content-length: 3\n") && !seen.contains("CANARY"), "{seen}");
    }
    assert_eq!(origin.connections(), 1);
    drain.start();
    assert_eq!(task.await.unwrap().cut, 0);
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Sends these frames behind a preface, and gives what comes until the other end closes.
async fn flood(address: std::net::SocketAddr, frames: Vec<Vec<u8>>) -> Vec<u8> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let writing = tokio::spawn(async move {
        let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
        let _ = to.write_all(&preface).await;
        for frame in frames {
            if to.write_all(&frame).await.is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(SOON, from.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection stays open");
    writing.abort();
    answer
}

/// Whether the connection ended with GOAWAY for ENHANCE_YOUR_CALM.
fn is_told_to_calm_down(answer: &[u8]) -> bool {
    answer.windows(17).any(|at| at[3] == 7 && at[4..9] == [0; 5] && at[13..17] == [0, 0, 0, 0x0B])
}

/// `GET http://a/`
const GET_A: &[u8] = &[0x82, 0x84, 0x86, 0x41, 0x01, b'a'];

#[tokio::test]
async fn streams_that_are_begun_and_reset_without_end_close_the_connection() {
    let house = house(tests::limits());
    let frames = (0..2000_u32)
        .map(|nth| {
            let stream = nth * 2 + 1;
            [frame(1, 0x05, stream, GET_A), frame(3, 0, stream, &[0, 0, 0, 8])].concat()
        })
        .collect();
    let answer = flood(house.address, frames).await;
    assert!(is_told_to_calm_down(&answer), "{answer:?}");
    assert!(house.calls.load(Ordering::SeqCst) < 1000);
}

#[tokio::test]
async fn a_head_that_never_ends_closes_the_connection() {
    let house = house(tests::limits());
    let more = [0x00, 0x01, b'x', 0x01, b'y'].repeat(200);
    let mut frames = vec![frame(1, 0x01, 1, GET_A)];
    frames.extend((0..5000).map(|_| frame(9, 0, 1, &more)));
    let answer = flood(house.address, frames).await;
    assert!(is_told_to_calm_down(&answer) || answer.len() < 200, "{} bytes", answer.len());
    assert_eq!(house.calls.load(Ordering::SeqCst), 0);
}
