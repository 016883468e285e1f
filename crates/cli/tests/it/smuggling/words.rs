//! What a case is, and the words that its bytes are made of.

use std::cell::Cell;

/// One thing that a caller may write.
#[derive(Clone)]
pub(super) struct Case {
    /// `family/what is odd`.
    pub(super) name: String,
    /// Stands in every target of this case, and of no other.
    pub(super) nonce: String,
    /// Host and capability of the canary, which are those of the case.
    pub(super) host: String,
    pub(super) token: String,
    pub(super) must: Must,
    /// The honest reading, in order, without the canary.
    pub(super) requests: Vec<Expected>,
    pub(super) bytes: Bytes,
}

/// What the gateway has to do with a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Must {
    /// Serve the honest reading up to the place that has none, and refuse there.
    Refuse,
    /// Serve the honest reading, whole, and the canary.
    Serve,
    /// Either, as long as nothing else is served.
    Either,
    /// The caller leaves in the middle of a message: whatever is whole may be served, and nothing else.
    Break,
}

/// One request of the honest reading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Expected {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: String,
}

/// What goes over the wire.
#[derive(Clone)]
pub(super) enum Bytes {
    /// HTTP/1: written as it is, with the canary behind it.
    Http1(Vec<u8>),
    /// HTTP/1 in two parts: the second when something came back, or after a moment; the canary behind it.
    Http1InTwo(Vec<u8>, Vec<u8>),
    /// HTTP/2: everything behind the preface and the settings, on stream 1; the canary goes on stream 3.
    Http2(Vec<u8>),
}

/// Whom a case is for, and with which capability.
pub(super) struct Words {
    pub(super) host: String,
    pub(super) token: String,
    pub(super) pass: u64,
    next: Cell<u64>,
}

impl Words {
    pub(super) fn new(host: &str, token: &str, pass: u64) -> Self {
        Self { host: host.to_owned(), token: token.to_owned(), pass, next: Cell::new(0) }
    }

    /// The words of the next case.
    pub(super) fn next(&self) -> Said<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        Said { words: self, nonce: format!("n{:03}x{number:05}", self.pass) }
    }
}

/// The words of one case.
pub(super) struct Said<'a> {
    words: &'a Words,
    pub(super) nonce: String,
}

impl Said<'_> {
    pub(super) fn host(&self) -> &str {
        &self.words.host
    }

    pub(super) fn token(&self) -> &str {
        &self.words.token
    }

    /// The lines that a request needs behind its first.
    pub(super) fn usual(&self) -> String {
        format!("Host: {}\r\nAuthorization: Bearer {}\r\n", self.host(), self.token())
    }

    pub(super) fn target(&self, kind: &str) -> String {
        format!("/{kind}/{}", self.nonce)
    }

    /// `METHOD /KIND/NONCE`, with these lines more and this body.
    pub(super) fn request(&self, method: &str, kind: &str, lines: &str, body: &str) -> String {
        format!("{method} {} HTTP/1.1\r\n{}{lines}\r\n{body}", self.target(kind), self.usual())
    }

    /// The first request: a `POST` with these lines more and this body.
    pub(super) fn post(&self, lines: &str, body: &str) -> String {
        self.request("POST", "first", lines, body)
    }

    /// The first request: a `GET` with these lines more.
    pub(super) fn get(&self, lines: &str) -> String {
        self.request("GET", "first", lines, "")
    }

    /// A request that only somebody who misread the one before it sees. It would be allowed.
    pub(super) fn smuggled(&self) -> String {
        self.request("GET", "smuggled", "", "")
    }

    pub(super) fn expect(&self, method: &str, kind: &str, body: &str) -> Expected {
        Expected { method: method.to_owned(), target: self.target(kind), body: body.to_owned() }
    }

    /// A case of HTTP/1. Each character is one byte.
    pub(super) fn http1(
        self,
        name: impl Into<String>,
        must: Must,
        requests: Vec<Expected>,
        text: &str,
    ) -> Case {
        let bytes = Bytes::Http1(latin1(text));
        self.case(name.into(), must, requests, bytes)
    }

    /// A case whose second part waits for an answer to the first.
    pub(super) fn in_two(
        self,
        name: impl Into<String>,
        must: Must,
        requests: Vec<Expected>,
        (first, second): (&str, &str),
    ) -> Case {
        let bytes = Bytes::Http1InTwo(latin1(first), latin1(second));
        self.case(name.into(), must, requests, bytes)
    }

    /// A case of HTTP/2.
    pub(super) fn http2(
        self,
        name: impl Into<String>,
        must: Must,
        requests: Vec<Expected>,
        frames: Vec<u8>,
    ) -> Case {
        self.case(name.into(), must, requests, Bytes::Http2(frames))
    }

    fn case(self, name: String, must: Must, requests: Vec<Expected>, bytes: Bytes) -> Case {
        let (host, token) = (self.host().to_owned(), self.token().to_owned());
        Case { name, nonce: self.nonce, host, token, must, requests, bytes }
    }
}

/// Each character as one byte, so that text can have any byte in it.
pub(super) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}
