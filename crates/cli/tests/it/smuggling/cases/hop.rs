//! What speaks about one hop: expectations, connections, upgrades, sizes of heads; and many requests in one write.

use super::super::words::{Case, Must, Words};

pub(super) fn cases(words: &Words, cases: &mut Vec<Case>) {
    expectations(words, cases);
    for (name, lines, must) in CONNECTIONS {
        let said = words.next();
        let text = said.get(lines);
        let requests = match must {
            Must::Refuse => vec![],
            _ => vec![said.expect("GET", "first", "")],
        };
        cases.push(said.http1(format!("connection/{name}"), *must, requests, &text));
    }
    for (name, lines) in UPGRADES {
        for (kind, behind) in
            [("", ""), (", with a request behind", "SMUGGLED"), (", with frames behind", "FRAMES")]
        {
            let said = words.next();
            let behind = behind.replace("SMUGGLED", &said.smuggled());
            let behind = behind.replace("FRAMES", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0");
            // What stands behind is the next request, because no reply switched the protocol.
            let text = format!("{}{behind}", said.get(lines));
            let mut requests = vec![said.expect("GET", "first", "")];
            if kind.contains("request") {
                requests.push(said.expect("GET", "smuggled", ""));
            }
            cases.push(said.http1(format!("upgrade/{name}{kind}"), Must::Either, requests, &text));
        }
    }
    sizes(words, cases);
}

/// A caller who waits to be told to go on, or says so and does not.
fn expectations(words: &Words, cases: &mut Vec<Case>) {
    for (name, line, must) in [
        ("plain", "Expect: 100-continue\r\n", Must::Serve),
        ("upper case", "Expect: 100-CONTINUE\r\n", Must::Either),
        ("twice", "Expect: 100-continue\r\nExpect: 100-continue\r\n", Must::Either),
        ("twice in one line", "Expect: 100-continue, 100-continue\r\n", Must::Either),
        ("another", "Expect: 200-ok\r\n", Must::Either),
        ("a parameter", "Expect: 100-continue;a=b\r\n", Must::Either),
        ("something behind", "Expect: 100-continue x\r\n", Must::Either),
        ("empty", "Expect:\r\n", Must::Either),
        ("a line feed in it", "Expect: 100-\ncontinue\r\n", Must::Refuse),
        ("a vertical tab in it", "Expect: \u{b}100-continue\r\n", Must::Refuse),
    ] {
        for (kind, framing) in
            [("length", "Content-Length: 5\r\n"), ("chunks", "Transfer-Encoding: chunked\r\n")]
        {
            let body = if kind == "length" { "hello" } else { "5\r\nhello\r\n0\r\n\r\n" };
            for waits in [false, true] {
                let said = words.next();
                let head = said.post(&format!("{line}{framing}"), "");
                let requests = match must {
                    Must::Refuse => vec![],
                    _ => vec![said.expect("POST", "first", "hello")],
                };
                let shown = if waits { "and waits" } else { "and does not wait" };
                let name = format!("expect/{name}, {kind}, {shown}");
                cases.push(if waits {
                    said.in_two(name, must, requests, (&head, body))
                } else {
                    said.http1(name, must, requests, &format!("{head}{body}"))
                });
            }
        }
    }
    for method in ["GET", "HEAD", "DELETE"] {
        let said = words.next();
        let text = said.request(method, "first", "Expect: 100-continue\r\n", "");
        let requests = vec![said.expect(method, "first", "")];
        cases.push(said.http1(format!("expect/without a body, {method}"), Must::Serve, requests, &text));
    }
    let said = words.next();
    let smuggled = said.smuggled();
    let head = said.post(&format!("Expect: 100-continue\r\nContent-Length: {}\r\n", smuggled.len()), "");
    let requests = vec![said.expect("POST", "first", &smuggled)];
    cases.push(said.in_two("expect/a request as the body", Must::Serve, requests, (&head, &smuggled)));
}

/// Heads that are large, and ever larger.
fn sizes(words: &Words, cases: &mut Vec<Case>) {
    for (name, length, must) in [
        ("4 KiB", 4 << 10, Must::Serve),
        ("60 KiB", 60 << 10, Must::Either),
        ("70 KiB", 70 << 10, Must::Refuse),
        ("1 MiB", 1 << 20, Must::Refuse),
    ] {
        let requests = |said: &super::super::words::Said<'_>| match must {
            Must::Refuse => vec![],
            _ => vec![said.expect("GET", "first", "")],
        };
        let long = "a".repeat(length);
        let said = words.next();
        let text = said.get(&format!("X: {long}\r\n"));
        let expected = requests(&said);
        cases.push(said.http1(format!("size/a value of {name}"), must, expected, &text));
        // A service takes less of a name or a target than of a value.
        let must = if must == Must::Serve { Must::Either } else { must };
        let said = words.next();
        let text = said.get(&format!("X{long}: a\r\n"));
        let expected = requests(&said);
        cases.push(said.http1(format!("size/a name of {name}"), must, expected, &text));
        let said = words.next();
        let text =
            said.post(&format!("Transfer-Encoding: chunked\r\nX: {long}\r\n"), "5\r\nhello\r\n0\r\n\r\n");
        let expected =
            if must == Must::Refuse { vec![] } else { vec![said.expect("POST", "first", "hello")] };
        cases.push(said.http1(format!("size/a value of {name} before chunks"), must, expected, &text));
    }
    for (count, must) in [(50, Must::Serve), (90, Must::Either), (101, Must::Refuse), (5000, Must::Refuse)] {
        let said = words.next();
        let text = said.get(&(0..count).map(|at| format!("X-{at}: a\r\n")).collect::<String>());
        let requests = if must == Must::Refuse { vec![] } else { vec![said.expect("GET", "first", "")] };
        cases.push(said.http1(format!("size/{count} headers"), must, requests, &text));
    }
    let said = words.next();
    let target = format!("{}?{}", said.target("first"), "a".repeat(70 << 10));
    let text = format!("GET {target} HTTP/1.1\r\n{}\r\n", said.usual());
    cases.push(said.http1("size/a target of 70 KiB", Must::Refuse, vec![], &text));
}

/// Several requests in one write, each of which has to be answered by its own.
#[expect(clippy::too_many_lines, reason = "one table behind another")]
pub(super) fn pipelines(words: &Words, cases: &mut Vec<Case>) {
    const ONE: &[(&str, &str, &str)] = &[
        ("GET", "", ""),
        ("HEAD", "", ""),
        ("POST", "Content-Length: 5\r\n", "hello"),
        ("POST", "Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
        ("PUT", "Content-Length: 0\r\n", ""),
        ("DELETE", "", ""),
    ];
    let write = |said: &super::super::words::Said<'_>, at: usize, kind: &str| {
        let (method, lines, body) = ONE[at];
        let read = if body.is_empty() { "" } else { "hello" };
        (said.request(method, kind, lines, body), said.expect(method, kind, read))
    };
    for (first, (method_one, ..)) in ONE.iter().enumerate() {
        for (second, (method_two, ..)) in ONE.iter().enumerate() {
            let said = words.next();
            let (one, expect_one) = write(&said, first, "first");
            let (two, expect_two) = write(&said, second, "second");
            let name = format!("pipeline/{method_one} {first} and {method_two} {second}");
            cases.push(said.http1(name, Must::Serve, vec![expect_one, expect_two], &format!("{one}{two}")));
        }
    }
    for count in [5, 20] {
        let said = words.next();
        let all: Vec<_> = (0..count).map(|at| write(&said, at % ONE.len(), &format!("p{at}"))).collect();
        let text: String = all.iter().map(|(text, _)| text.as_str()).collect();
        let requests = all.into_iter().map(|(_, expected)| expected).collect();
        cases.push(said.http1(format!("pipeline/{count} requests"), Must::Serve, requests, &text));
    }
    for (name, between, must) in [
        ("an empty line", "\r\n", Must::Serve),
        ("two empty lines", "\r\n\r\n", Must::Refuse),
        ("a bare line feed", "\n", Must::Refuse),
        ("a NUL", "\0", Must::Refuse),
        ("a word", "x", Must::Refuse),
    ] {
        let said = words.next();
        let (one, expect_one) = write(&said, 2, "first");
        let (two, expect_two) = write(&said, 0, "second");
        let requests = if must == Must::Serve { vec![expect_one, expect_two] } else { vec![expect_one] };
        cases.push(said.http1(
            format!("pipeline/{name} between"),
            must,
            requests,
            &format!("{one}{between}{two}"),
        ));
    }
    for (name, version, lines) in [
        ("of version 1.0 that asks to keep the connection", "HTTP/1.0", "Connection: keep-alive\r\n"),
        ("of version 1.0", "HTTP/1.0", ""),
        ("of version 1.1 that ends the connection", "HTTP/1.1", "Connection: close\r\n"),
        ("of version 1.0 with chunks", "HTTP/1.0", "Transfer-Encoding: chunked\r\n"),
    ] {
        let said = words.next();
        let first = format!("GET {} {version}\r\n{}{lines}\r\n", said.target("first"), said.usual());
        let (two, expect_two) = write(&said, 0, "second");
        let requests = if lines.contains("chunked") {
            vec![]
        } else {
            vec![said.expect("GET", "first", ""), expect_two]
        };
        let must = if lines.contains("chunked") { Must::Refuse } else { Must::Either };
        cases.push(said.http1(format!("pipeline/one {name}"), must, requests, &format!("{first}{two}")));
    }
}

const CONNECTIONS: &[(&str, &str, Must)] = &[
    ("keep-alive", "Connection: keep-alive\r\n", Must::Serve),
    ("a header of the caller's", "Connection: X-Mine\r\nX-Mine: a\r\n", Must::Serve),
    ("Authorization", "Connection: Authorization\r\n", Must::Refuse),
    ("Authorization in lower case", "Connection: authorization\r\n", Must::Refuse),
    ("Authorization behind another", "Connection: keep-alive, Authorization\r\n", Must::Refuse),
    (
        "Authorization in a second line",
        "Connection: keep-alive\r\nConnection: Authorization\r\n",
        Must::Refuse,
    ),
    ("Authorization with spaces", "Connection: keep-alive ,  Authorization \r\n", Must::Refuse),
    ("Authorization between commas", "Connection: ,,Authorization,,\r\n", Must::Refuse),
    ("Host", "Connection: Host\r\n", Must::Refuse),
    ("Content-Length", "Connection: Content-Length\r\n", Must::Refuse),
    ("Transfer-Encoding", "Connection: Transfer-Encoding\r\n", Must::Either),
    ("Content-Type", "Connection: Content-Type\r\nContent-Type: text/plain\r\n", Must::Refuse),
    ("Cookie", "Connection: Cookie\r\nCookie: a=b\r\n", Must::Either),
    ("the integration", "Connection: X-Doorward-Integration\r\n", Must::Either),
    ("Authorization in quotes", "Connection: \"Authorization\"\r\n", Must::Either),
    ("Authorization in the old header", "Proxy-Connection: Authorization\r\n", Must::Either),
    ("Authorization in Keep-Alive", "Keep-Alive: Authorization\r\n", Must::Either),
    ("TE and trailers", "Connection: TE\r\nTE: trailers\r\n", Must::Serve),
    ("TE and gzip", "Connection: TE\r\nTE: gzip\r\n", Must::Either),
    ("Trailer", "Trailer: Authorization\r\n", Must::Either),
    ("Max-Forwards", "Max-Forwards: 0\r\n", Must::Either),
];

const UPGRADES: &[(&str, &str)] = &[
    (
        "h2c",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
    ),
    ("h2c without settings", "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    ("h2c that the connection does not name", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
    ("h2", "Connection: Upgrade\r\nUpgrade: h2\r\n"),
    ("TLS", "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n"),
    ("HTTP", "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n"),
    ("an unknown protocol", "Connection: Upgrade\r\nUpgrade: lab/1\r\n"),
    (
        "WebSocket of a version that nobody has",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ),
    ("WebSocket without a key", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
    (
        "WebSocket",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ),
];
