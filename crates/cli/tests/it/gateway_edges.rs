//! What stands at the edges of a request and a reply: heads that can't be read, bodies that break off, trailers, capabilities that stand
//! in the wrong place, credentials of before. The service is a socket that says what a test wrote.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use testkit::{Doorward, Running};

use crate::gateway_peer::send;
use crate::network_wire::{Reply, answer, call, capability, operate};
use crate::{home, write, write_integration};

/// A service that answers each request with the same bytes, or with none.
struct Service {
    url: String,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Service {
    fn saying(reply: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, reply) = (Arc::<Mutex<Vec<Vec<u8>>>>::default(), reply.into());
        let noted = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, reply) = (Arc::clone(&noted), reply.clone());
                std::thread::spawn(move || serve(stream, &noted, &reply));
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|raw| String::from_utf8_lossy(raw).into_owned()).collect()
    }
}

fn serve(mut stream: TcpStream, noted: &Mutex<Vec<Vec<u8>>>, reply: &[u8]) {
    stream.set_read_timeout(Some(crate::HANG)).unwrap();
    let (mut raw, mut piece) = (Vec::new(), vec![0; 65_536]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        raw.extend_from_slice(&piece[..read]);
        if is_whole(&raw) {
            noted.lock().unwrap().push(std::mem::take(&mut raw));
            if reply.is_empty() {
                std::thread::sleep(crate::HANG);
            }
            stream.write_all(reply).unwrap();
        }
    }
}

fn is_whole(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return (body.contains("\r\n0\r\n") || body.starts_with("0\r\n")) && body.ends_with("\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn notes(url: &str, token: &str, limits: &str) -> String {
    format!(
        "name: notes\ntitle: Notes\ndocs: https://example.com/\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token, default: \"{token}\"}}\n\
         auth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, {limits}, idle: 60s, body: 4MiB}}\noperations:\n\
         \x20 any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n"
    )
}

const PATIENT: &str = "head: 60s, total: 2m";

fn started(url: &str, limits: &str, secret: &str) -> (Doorward, Running, String) {
    let doorward = home();
    doorward.watch(secret);
    write_integration(&doorward, &notes(url, "store:notes/token", limits));
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=notes/token", secret.as_bytes());
    let token = capability(&running, "");
    (doorward, running, token)
}

fn outcome(doorward: &Doorward, reply: &Reply) -> String {
    let id = reply.evidence().unwrap_or_else(|| panic!("no record: {}", reply.text()));
    doorward.run(&["evidence", "show", &id, "--json"], "").succeeded()
}

#[test]
fn a_version_in_its_overlap_is_masked_as_long_as_its_service_takes_it() {
    let (first, second) = ("xoxb-CANARY-first-0123", "xoxb-CANARY-second-0123");
    let body = format!("{first} and {second}");
    let service = Service::saying(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    let (doorward, running, token) = started(&service.url, PATIENT, first);
    doorward.watch(second);
    let _ = answer(&running, "secret.rotate?name=notes/token&overlap=1h", second.as_bytes());
    let reply = call(&running.gateway_url, "GET", "/notes/a", &token).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!reply.text().contains("CANARY") && reply.text().contains(" and "), "{}", reply.text());
    assert!(
        service.seen()[0].contains(&format!("authorization: Bearer {second}\r\n")),
        "{:?}",
        service.seen()
    );
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_capability_never_goes_on_to_the_service_wherever_it_stands() {
    let service = Service::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let (doorward, running, token) = started(&service.url, PATIENT, "xoxb-CANARY-0123456789");
    let other = capability(&running, "&integrations=notes");
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let head = format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n");
    for (place, request) in [
        ("the query", format!("GET /notes/a?x=1&token={other} HTTP/1.1\r\n{head}\r\n")),
        ("the path", format!("GET /notes/bot{other}/send HTTP/1.1\r\n{head}\r\n")),
        ("the header `x-token`", format!("GET /notes/a HTTP/1.1\r\n{head}X-Token: {other}\r\n\r\n")),
        ("the header `cookie`", format!("GET /notes/a HTTP/1.1\r\n{head}Cookie: a=b; s={other}\r\n\r\n")),
    ] {
        let reply = send(&running, &request);
        assert_eq!((reply.status, reply.refusal().as_deref()), (400, Some("bad_request")), "{place}");
        let told = reply.text();
        assert!(told.contains(place) && told.contains("Authorization: Bearer"), "{told}");
        assert!(!told.contains(&other), "{told}");
    }
    assert!(service.seen().is_empty(), "{:?}", service.seen());
    let usual = call(&running.gateway_url, "GET", "/notes/a", &token).unwrap();
    assert_eq!((usual.status, service.seen().len()), (200, 1), "{}", usual.text());
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn trailers_cross_in_both_directions_where_they_may() {
    let secret = "xoxb-CANARY-0123456789";
    let service = Service::saying(format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: X-Sum, X-Echo, Set-Cookie\r\n\r\n\
         4\r\nbody\r\n0\r\nX-Sum: 81dc9bdb\r\nX-Echo: {secret}\r\nSet-Cookie: a=b\r\n\r\n"
    ));
    let (doorward, running, token) = started(&service.url, PATIENT, secret);
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let request = |te: &str| {
        format!(
            "POST /notes/a HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{te}\
             Trailer: x-amz-checksum-crc32, X-Http-Method-Override\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\nhello\r\n0\r\nx-amz-checksum-crc32: AAAA\r\nX-Http-Method-Override: DELETE\r\n\r\n"
        )
    };
    let reply = send(&running, &request("TE: trailers\r\nConnection: TE\r\n"));
    let raw = String::from_utf8_lossy(&reply.raw).into_owned();
    assert_eq!((reply.status, reply.text().as_str()), (200, "body"), "{raw}");
    assert!(raw.contains("trailer: x-sum, x-echo\r\n") && raw.contains("x-sum: 81dc9bdb\r\n"), "{raw}");
    assert!(!raw.contains("CANARY") && raw.contains("x-echo: [masked") && !raw.contains("a=b"), "{raw}");
    let seen = service.seen().remove(0);
    assert!(
        seen.contains("te: trailers\r\n") && seen.contains("trailer: x-amz-checksum-crc32\r\n"),
        "{seen}"
    );
    assert!(seen.contains("\r\n0\r\nx-amz-checksum-crc32: AAAA\r\n\r\n"), "{seen}");
    assert!(!seen.to_ascii_lowercase().contains("override"), "{seen}");
    // Who does not take them gets none, and the service is not asked for them.
    let reply = send(&running, &request(""));
    let raw = String::from_utf8_lossy(&reply.raw).into_owned();
    assert!(reply.status == 200 && !raw.contains("81dc9bdb"), "{raw}");
    assert!(!service.seen()[1].contains("te: trailers"), "{:?}", service.seen());
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_head_that_can_not_be_read_is_told_what_is_wrong_with_it() {
    let service = Service::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let (_doorward, running, token) = started(&service.url, PATIENT, "xoxb-CANARY-0123456789");
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let usual = format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n");
    let long = "a".repeat(80_000);
    for (status, wanted, request) in [
        (400, "its first line is not", format!("GET /notes/a b HTTP/1.1\r\n{usual}\r\n")),
        (400, "folded", format!("GET /notes/a HTTP/1.1\r\n{usual}x: 1\r\n y\r\n\r\n")),
        (
            400,
            "`Content-Length` is not one number",
            format!("POST /notes/a HTTP/1.1\r\n{usual}Content-Length: 3x\r\n\r\nabc"),
        ),
        (
            400,
            "`Transfer-Encoding` is not exactly `chunked`",
            format!("POST /notes/a HTTP/1.1\r\n{usual}Transfer-Encoding: gzip\r\n\r\n"),
        ),
        (400, "can't stand there", format!("GET /notes/a HTTP/1.1\r\n{usual}x(y: 1\r\n\r\n")),
        (
            400,
            "`content-type` is there more than once",
            format!("GET /notes/a HTTP/1.1\r\n{usual}Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"),
        ),
        (
            400,
            "the host is missing",
            format!("GET /notes/a HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"),
        ),
        (431, "than this door takes", format!("GET /notes/a HTTP/1.1\r\n{usual}x: {long}\r\n\r\n")),
        (431, "more headers", format!("GET /notes/a HTTP/1.1\r\n{usual}{}\r\n", "x: y\r\n".repeat(120))),
    ] {
        let reply = send(&running, &request);
        assert_eq!(reply.status, status, "{wanted}: {}", String::from_utf8_lossy(&reply.raw));
        assert_eq!(reply.header("content-type").as_deref(), Some("application/problem+json"), "{wanted}");
        assert_eq!(reply.refusal().as_deref(), Some("bad_request"), "{wanted}");
        assert!(reply.text().contains(wanted) && !reply.open, "{wanted}: {}", reply.text());
    }
    assert!(service.seen().is_empty());
    assert!(running.stop().success());
}

#[test]
fn a_body_that_breaks_off_is_the_callers_and_has_an_outcome_of_its_own() {
    let service = Service::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let (doorward, running, token) = started(&service.url, PATIENT, "xoxb-CANARY-0123456789");
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let head = format!("POST /notes/a HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
    let broken = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nmore\r\n0\r\n\r\n");
    let reply = send(&running, &broken);
    assert_eq!((reply.status, reply.refusal().as_deref()), (400, Some("body_broken")), "{}", reply.text());
    let record = outcome(&doorward, &reply);
    assert!(record.contains("body_broken") && !record.contains("outcome_unknown"), "{record}");
    assert!(service.seen().is_empty(), "{:?}", service.seen());
    assert!(running.stop().success());
}

#[test]
fn a_service_that_has_all_of_a_long_body_has_the_time_of_a_head_to_answer() {
    let service = Service::saying("");
    let (doorward, running, token) = started(&service.url, "head: 1s, total: 5m", "xoxb-CANARY-0123456789");
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let body = "x".repeat(300_000);
    let began = Instant::now();
    let reply = send(
        &running,
        &format!(
            "POST /notes/a HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    assert_eq!(
        (reply.status, reply.refusal().as_deref()),
        (502, Some("outcome_unknown")),
        "{}",
        reply.text()
    );
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let _ = outcome(&doorward, &reply);
    assert!(running.stop().success());
}

#[test]
fn a_secret_that_no_header_can_carry_is_found_before_a_call_finds_it() {
    let doorward = home();
    doorward.watch("xoxb-CANARY-01");
    let file = doorward.folder().join("token");
    write(&file, "xoxb-CANARY-0123456789");
    let named = format!("file:{}", file.display());
    write_integration(&doorward, &notes("http://127.0.0.1:1", &named, PATIENT));
    assert!(doorward.start_up(&[]).stop().success());
    write(&file, "xoxb-CANARY-01\r23456789");
    let checked = doorward.run(&["doctor"], "");
    assert!(checked.stdout.contains("which no header can carry"), "{}\n{}", checked.stdout, checked.stderr);
    let refused = doorward.run(&["up", "--gateway", "127.0.0.1:0"], "");
    assert!(
        !refused.status.success() && refused.stderr.contains("which no header can carry"),
        "{}",
        refused.stderr
    );

    let (doorward, running, _) = started("http://127.0.0.1:1", PATIENT, "xoxb-CANARY-0123456789");
    for operation in ["secret.rotate?name=notes/token", "secret.put?name=slack/token"] {
        let reply = operate(&running.socket, operation, b"xoxb-CANARY-01\n23456789").unwrap();
        assert_eq!(reply.status, 400, "{operation}: {}", reply.text());
        assert!(reply.text().contains("which no header can carry"), "{}", reply.text());
    }
    // What serves no integration by its name may be anything.
    let _ = answer(&running, "secret.put?name=keys/one", b"-----BEGIN\nCANARY-lines\n-----END");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
