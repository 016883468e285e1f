//! Requests of HTTP/2 that would become something else in HTTP/1.

use super::super::frames::{self, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, block, frame};
use super::super::words::{Case, Must, Said, Words, latin1};

pub(super) fn cases(words: &Words, cases: &mut Vec<Case>) {
    for (name, changes, must) in HEADS {
        let said = words.next();
        let requests = match must {
            Must::Refuse => vec![],
            _ => vec![said.expect("GET", "first", "")],
        };
        let frames = head(&said, changes, END_STREAM);
        cases.push(said.http2(format!("h2/{name}"), *must, requests, frames));
    }
    for (name, changes, body, must) in BODIES {
        let said = words.next();
        let requests = match must {
            Must::Refuse => vec![],
            _ => vec![said.expect("POST", "first", body)],
        };
        let post = [&[(":method", "POST")], *changes].concat();
        let body = body.replace("SMUGGLED", &said.smuggled());
        let frames = [head(&said, &post, 0), frame(DATA, END_STREAM, 1, body.as_bytes())].concat();
        cases.push(said.http2(format!("h2 body/{name}"), *must, requests, frames));
    }
    pieces(words, cases);
}

/// The frame with a plain `GET`, changed: a value for a name replaces or adds it, `-NAME` takes it away.
fn head(said: &Said<'_>, changes: &[(&str, &str)], flags: u8) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, 1, &headers(said, changes))
}

fn headers(said: &Said<'_>, changes: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![
        (":method".to_owned(), "GET".to_owned()),
        (":scheme".to_owned(), "http".to_owned()),
        (":authority".to_owned(), said.host().to_owned()),
        (":path".to_owned(), said.target("first")),
        ("authorization".to_owned(), format!("Bearer {}", said.token())),
    ];
    for (name, value) in changes {
        let value = value.replace("TARGET", &said.target("first")).replace("HOST", said.host());
        let value = value.replace("SMUGGLED", &said.smuggled());
        if let Some(away) = name.strip_prefix('-') {
            all.retain(|(known, _)| known != away);
        } else if let Some(again) = name.strip_prefix('+') {
            all.push((again.to_owned(), value));
        } else if let Some(found) = all.iter_mut().find(|(known, _)| known == name) {
            found.1 = value;
        } else {
            all.push(((*name).to_owned(), value));
        }
    }
    block(&all.iter().map(|(name, value)| (latin1(name), latin1(value))).collect::<Vec<_>>())
}

/// A head and a body in odd frames.
fn pieces(words: &Words, cases: &mut Vec<Case>) {
    let post: &[(&str, &str)] = &[(":method", "POST")];
    let said = words.next();
    let whole = headers(&said, &[]);
    let mut out = frame(HEADERS, END_STREAM, 1, &whole[..20]);
    out.extend(frame(CONTINUATION, 0, 1, &whole[20..40]));
    out.extend(frame(CONTINUATION, END_HEADERS, 1, &whole[40..]));
    let requests = vec![said.expect("GET", "first", "")];
    cases.push(said.http2("h2 frames/a head in three", Must::Serve, requests, out));

    let said = words.next();
    let whole = headers(&said, &[]);
    let mut out = frame(HEADERS, END_STREAM, 1, &whole[..20]);
    out.extend(frame(CONTINUATION, END_HEADERS, 3, &whole[20..]));
    cases.push(said.http2("h2 frames/a head that goes on in another stream", Must::Refuse, vec![], out));

    let said = words.next();
    let whole = headers(&said, &[]);
    let mut out = frame(HEADERS, END_STREAM, 1, &whole[..20]);
    out.extend(frame(DATA, 0, 1, b"x"));
    out.extend(frame(CONTINUATION, END_HEADERS, 1, &whole[20..]));
    cases.push(said.http2("h2 frames/data inside a head", Must::Refuse, vec![], out));

    let said = words.next();
    let mut out = head(&said, &[], END_STREAM);
    out.extend(frame(DATA, END_STREAM, 1, said.smuggled().as_bytes()));
    let requests = vec![said.expect("GET", "first", "")];
    cases.push(said.http2("h2 frames/data behind the end", Must::Either, requests, out));

    let said = words.next();
    let mut out = head(&said, post, 0);
    for byte in b"hello" {
        out.extend(frame(DATA, 0, 1, &[*byte]));
    }
    out.extend(frame(DATA, END_STREAM, 1, b""));
    let requests = vec![said.expect("POST", "first", "hello")];
    cases.push(said.http2("h2 frames/a body of one byte each", Must::Serve, requests, out));

    for (name, trailers, must) in [
        ("plain", &[("x-trailer", "a")][..], Must::Either),
        ("a length", &[("content-length", "0")], Must::Either),
        ("an authorization", &[("authorization", "Bearer other")], Must::Either),
        // The library drops it; no more than that is wanted.
        ("a pseudo-header", &[(":path", "/smuggled/x")], Must::Either),
        ("a line end", &[("x", "a\r\n\r\nGET /smuggled/x HTTP/1.1")], Must::Refuse),
    ] {
        let said = words.next();
        let mut out = head(&said, post, 0);
        out.extend(frame(DATA, 0, 1, b"hello"));
        out.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(trailers)));
        let requests = vec![said.expect("POST", "first", "hello")];
        let requests = if must == Must::Refuse { vec![] } else { requests };
        cases.push(said.http2(format!("h2 trailers/{name}"), must, requests, out));
    }

    let said = words.next();
    let mut out = head(&said, &[(":method", "POST"), ("content-length", "0")], 0);
    out.extend(frame(DATA, END_STREAM, 1, said.smuggled().as_bytes()));
    // The call is made with the length that was said; what comes against it resets the stream.
    let requests = vec![said.expect("POST", "first", "")];
    cases.push(said.http2("h2 frames/data where the length says none", Must::Either, requests, out));

    let said = words.next();
    let out = [head(&said, &[], END_STREAM), frame(frames::RESET, 0, 1, &[0, 0, 0, 8])].concat();
    let requests = vec![said.expect("GET", "first", "")];
    cases.push(said.http2("h2 frames/taken back at once", Must::Break, requests, out));
}

/// A name, changes of the head, and what has to come of it.
type Head = (&'static str, &'static [(&'static str, &'static str)], Must);
/// The same with a body.
type Whole = (&'static str, &'static [(&'static str, &'static str)], &'static str, Must);

const HEADS: &[Head] = &[
    ("plain", &[], Must::Serve),
    ("a scheme of https", &[(":scheme", "https")], Must::Either),
    ("a host that agrees", &[("host", "HOST")], Must::Serve),
    ("a host alone", &[("-:authority", ""), ("host", "HOST")], Must::Either),
    ("a host that differs", &[("host", "other.localhost")], Must::Refuse),
    ("two hosts", &[("+host", "HOST"), ("+host", "other.localhost")], Must::Refuse),
    ("no authority and no host", &[("-:authority", "")], Must::Refuse),
    ("an authority twice", &[("+:authority", "other.localhost")], Must::Refuse),
    ("an authority with a user", &[(":authority", "user@HOST")], Must::Refuse),
    ("an authority with a path", &[(":authority", "HOST/smuggled")], Must::Refuse),
    ("an authority with a line end", &[(":authority", "HOST\r\nX: y")], Must::Refuse),
    ("an authority with a space", &[(":authority", "HOST x")], Must::Refuse),
    ("an empty authority", &[(":authority", "")], Must::Refuse),
    ("no path", &[("-:path", "")], Must::Refuse),
    ("an empty path", &[(":path", "")], Must::Refuse),
    ("an asterisk as the path", &[(":path", "*")], Must::Refuse),
    ("a path without a slash", &[(":path", "first")], Must::Refuse),
    ("an absolute path", &[(":path", "http://other.localhostTARGET")], Must::Refuse),
    ("a path with a space", &[(":path", "TARGET HTTP/1.1")], Must::Refuse),
    ("a path with a line end", &[(":path", "TARGET HTTP/1.1\r\nX: y")], Must::Refuse),
    (
        "a path with a request",
        &[(":path", "TARGET HTTP/1.1\r\nHost: HOST\r\n\r\nGET /smuggled/x")],
        Must::Refuse,
    ),
    ("a path with a line feed", &[(":path", "TARGET\nx")], Must::Refuse),
    ("a path with a NUL", &[(":path", "TARGET\0")], Must::Refuse),
    ("a path with a fragment", &[(":path", "TARGET#x")], Must::Either),
    ("a path twice", &[("+:path", "/smuggled/x")], Must::Refuse),
    ("no method", &[("-:method", "")], Must::Refuse),
    ("an empty method", &[(":method", "")], Must::Refuse),
    ("a method with a space", &[(":method", "GET /smuggled/x HTTP/1.1")], Must::Refuse),
    ("a method with a line end", &[(":method", "GET / HTTP/1.1\r\nHost: HOST\r\n\r\nGET")], Must::Refuse),
    ("a method in lower case", &[(":method", "get")], Must::Refuse),
    ("a method twice", &[("+:method", "POST")], Must::Refuse),
    ("CONNECT", &[(":method", "CONNECT"), ("-:path", ""), ("-:scheme", "")], Must::Refuse),
    ("CONNECT with a protocol", &[(":method", "CONNECT"), (":protocol", "websocket")], Must::Refuse),
    ("a protocol", &[(":protocol", "websocket")], Must::Refuse),
    ("TRACE", &[(":method", "TRACE")], Must::Refuse),
    ("no scheme", &[("-:scheme", "")], Must::Either),
    ("a scheme with a line end", &[(":scheme", "http\r\nX: y")], Must::Refuse),
    ("a scheme with a request", &[(":scheme", "http://HOST/smuggled/x?")], Must::Refuse),
    ("another scheme", &[(":scheme", "file")], Must::Refuse),
    ("a pseudo-header of answers", &[(":status", "200")], Must::Refuse),
    ("an unknown pseudo-header", &[(":smuggled", "x")], Must::Refuse),
    ("a pseudo-header behind", &[("-:path", ""), ("+:path", "TARGET")], Must::Refuse),
    ("chunked", &[("transfer-encoding", "chunked")], Must::Refuse),
    ("a connection", &[("connection", "close")], Must::Refuse),
    ("a connection that names the authorization", &[("connection", "authorization")], Must::Refuse),
    ("keep-alive", &[("keep-alive", "timeout=5")], Must::Refuse),
    ("an upgrade", &[("upgrade", "h2c")], Must::Refuse),
    ("the old connection", &[("proxy-connection", "close")], Must::Refuse),
    ("TE of trailers", &[("te", "trailers")], Must::Serve),
    ("TE of chunked", &[("te", "chunked")], Must::Refuse),
    ("a name in upper case", &[("X-Upper", "a")], Must::Refuse),
    ("an empty name", &[("", "a")], Must::Refuse),
    ("a name with a colon", &[("x: y", "a")], Must::Refuse),
    ("a name with a line end", &[("x: y\r\nz", "a")], Must::Refuse),
    ("a name with a request", &[("x: y\r\n\r\nGET /smuggled/x HTTP/1.1\r\nz", "a")], Must::Refuse),
    ("a name with a space", &[("x y", "a")], Must::Refuse),
    ("a name with a NUL", &[("x\0y", "a")], Must::Refuse),
    ("a value with a line end", &[("x", "a\r\nb: c")], Must::Refuse),
    ("a value with a request", &[("x", "a\r\n\r\nSMUGGLED")], Must::Refuse),
    ("a value with a coding", &[("x", "a\r\nTransfer-Encoding: chunked")], Must::Refuse),
    ("a value with a line feed", &[("x", "a\nb: c")], Must::Refuse),
    ("a value with a return", &[("x", "a\rb: c")], Must::Refuse),
    ("a value with a NUL", &[("x", "a\0b")], Must::Refuse),
    ("a value with a space in front", &[("x", " a")], Must::Either),
    ("a value with a space behind", &[("x", "a ")], Must::Either),
    ("a length of nothing", &[("content-length", "0")], Must::Either),
    ("a length of something", &[("content-length", "5")], Must::Refuse),
    ("two authorizations", &[("+authorization", "Bearer other")], Must::Refuse),
    ("the length twice", &[("+content-length", "0"), ("+content-length", "0")], Must::Refuse),
    ("cookies in pieces", &[("+cookie", "a=b"), ("+cookie", "c=d")], Must::Serve),
];

const BODIES: &[Whole] = &[
    ("plain", &[], "hello", Must::Serve),
    ("with its length", &[("content-length", "5")], "hello", Must::Serve),
    ("a length that is less", &[("content-length", "2")], "hello", Must::Refuse),
    ("a length that is more", &[("content-length", "50")], "hello", Must::Refuse),
    ("a length that is none", &[("content-length", "x")], "hello", Must::Refuse),
    ("a length with a plus", &[("content-length", "+5")], "hello", Must::Refuse),
    ("a length twice", &[("+content-length", "5"), ("+content-length", "5")], "hello", Must::Refuse),
    ("two lengths", &[("+content-length", "5"), ("+content-length", "0")], "hello", Must::Refuse),
    ("a length with a line end", &[("content-length", "5\r\nX: y")], "hello", Must::Refuse),
    ("chunked", &[("transfer-encoding", "chunked")], "0\r\n\r\nSMUGGLED", Must::Refuse),
    ("chunked in another word", &[("transfer-encoding", "identity")], "hello", Must::Refuse),
    ("chunks as data", &[], "0\r\n\r\nGET /smuggled/x HTTP/1.1\r\n\r\n", Must::Serve),
    ("expects to go on", &[("expect", "100-continue")], "hello", Must::Either),
];
