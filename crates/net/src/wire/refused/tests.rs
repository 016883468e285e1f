//! Refusals of the library, and replies that only resemble them.

use super::*;

const OWN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: Mon, 01 Jan 2026 00:00:00 GMT\r\n\r\n";

fn said(data: &[u8], why: Option<Why>) -> Option<String> {
    Instead::of(data, why, false).map(|instead| String::from_utf8(instead.bytes).unwrap())
}

#[test]
fn an_empty_refusal_of_the_library_says_what_was_wrong() {
    assert!(may_be(OWN, false));
    let said = said(OWN, Some(Why::Length)).unwrap();
    assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said}");
    assert!(
        said.contains("content-type: application/problem+json\r\n") && said.contains("date: Mon,"),
        "{said}"
    );
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(body.contains("`Content-Length` is not one number") && body.contains("bad_request"), "{body}");
}

#[test]
fn replies_before_it_stay_as_they_are() {
    let before = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let both = [&before[..], OWN].concat();
    assert!(!may_be(&both, false) && may_be(&both, true));
    let said = said(&both, Some(Why::Long)).unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 431 "), "{said}");
}

#[test]
fn a_reply_of_a_service_is_left_alone() {
    let replies: [&[u8]; 3] = [
        b"HTTP/1.1 404 Not Found\r\nx-doorward-evidence: evd_1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 4\r\n\r\n\r\n\r\n",
    ];
    for reply in replies {
        assert!(said(reply, None).is_none(), "{}", String::from_utf8_lossy(reply));
    }
    assert!(!may_be(b"HTTP/1.1 200 OK\r\n\r\n", false));
}

#[test]
fn whoever_asked_for_a_head_gets_no_body() {
    let instead = Instead::of(OWN, Some(Why::Line), true).unwrap();
    assert!(instead.bytes.ends_with(b"\r\n\r\n"));
}

#[tokio::test]
async fn a_bare_refusal_of_a_service_is_its_own_also_where_the_connection_ends() {
    let listener = crate::tests::listener();
    let address = listener.address().unwrap();
    let (_drain, draining) = crate::drain::channel();
    let service = |request: http::Request<hyper::body::Incoming>, _| async move {
        let status = request.uri().path().trim_start_matches('/').parse().unwrap();
        http::Response::builder().status::<u16>(status).body(crate::Body::empty()).unwrap()
    };
    tokio::spawn(crate::serve(listener, service, crate::tests::limits(), draining));
    for (status, line) in [(401, "401 Unauthorized"), (409, "409 Conflict"), (299, "299 ")] {
        let head = format!("GET /{status} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = crate::tests::raw(address, head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "nothing stands in it: {answer}");
    }
}
