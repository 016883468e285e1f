//! HTTP/1.1 as it stands on the wire, over sockets of the system: what is sent is exactly what was written, and what comes
//! back is kept whole, so that a test can look for canaries in all of it.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::Running;

/// A reply, whole.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// Its status.
    pub(crate) status: u16,
    /// Head and body as they came, with the frames of chunks and their trailers.
    pub(crate) raw: Vec<u8>,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
    head: usize,
    /// Whether the connection can carry another request.
    pub(crate) open: bool,
}

impl Reply {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.raw[..self.head]).into_owned();
        let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    /// The id of the call's record.
    pub(crate) fn evidence(&self) -> Option<String> {
        self.header("x-doorward-evidence")
    }

    /// The word by which it was refused, where it was.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.header("x-doorward-refusal")
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; fails the test where it is none.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

/// A connection that may carry several requests.
pub(crate) struct Wire<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Wire<S> {
    /// Over this stream, whose time-outs are set.
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends these bytes and reads one reply.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<Reply> {
        self.0.get_mut().write_all(request)?;
        self.0.get_mut().flush()?;
        self.reply(request.starts_with(b"HEAD "))
    }

    fn reply(&mut self, head_only: bool) -> Result<Reply> {
        let mut reply = Reply::default();
        while !reply.raw.ends_with(b"\r\n\r\n") {
            self.line(&mut reply.raw)?;
        }
        reply.head = reply.raw.len();
        let text = String::from_utf8_lossy(&reply.raw).into_owned();
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        reply.status = status.ok_or_else(|| Error::other(format!("no status in {text}")))?;
        reply.open = !reply.header("connection").is_some_and(|value| value.contains("close"));
        if head_only || matches!(reply.status, 204 | 304) {
            return Ok(reply);
        }
        if reply.header("transfer-encoding").is_some() {
            self.chunks(&mut reply)?;
        } else if let Some(length) = reply.header("content-length") {
            let length = length.parse().map_err(Error::other)?;
            let mut body = vec![0; length];
            self.0.read_exact(&mut body)?;
            reply.raw.extend_from_slice(&body);
            reply.body = body;
        } else {
            reply.open = false;
            self.0.read_to_end(&mut reply.body)?;
            let body = reply.body.clone();
            reply.raw.extend(body);
        }
        Ok(reply)
    }

    fn chunks(&mut self, reply: &mut Reply) -> Result<()> {
        loop {
            let line = self.line(&mut reply.raw)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(Error::other)?;
            if size == 0 {
                // Trailers up to an empty line.
                while self.line(&mut reply.raw)? != "\r\n" {}
                return Ok(());
            }
            let mut piece = vec![0; size + 2];
            self.0.read_exact(&mut piece)?;
            reply.raw.extend_from_slice(&piece);
            reply.body.extend_from_slice(&piece[..size]);
        }
    }

    fn line(&mut self, raw: &mut Vec<u8>) -> Result<String> {
        let begin = raw.len();
        if self.0.read_until(b'\n', raw)? == 0 || !raw.ends_with(b"\n") {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&raw[begin..]).into_owned())
    }
}

/// A connection to a gateway.
pub(crate) fn gateway(url: &str) -> Result<Wire<TcpStream>> {
    let stream = TcpStream::connect(url.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(HANG))?;
    stream.set_write_timeout(Some(HANG))?;
    stream.set_nodelay(true)?;
    Ok(Wire::over(stream))
}

/// One call through the gateway, with a capability where one is given.
pub(crate) fn call(url: &str, method: &str, target: &str, capability: &str) -> Result<Reply> {
    let host = url.trim_start_matches("http://");
    let shown =
        if capability.is_empty() { String::new() } else { format!("Authorization: Bearer {capability}\r\n") };
    let body = if method == "POST" { "Content-Length: 4\r\n\r\nbody" } else { "\r\n" };
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{shown}{body}");
    gateway(url)?.ask(request.as_bytes())
}

/// One operation of Doorward itself over its socket; `operation` may have a query.
pub(crate) fn operate(socket: &Path, operation: &str, payload: &[u8]) -> Result<Reply> {
    let target = format!("/v1/operations/doorward/{operation}");
    over_socket(socket, "POST", &target, payload)
}

/// One request over the socket.
pub(crate) fn over_socket(socket: &Path, method: &str, target: &str, payload: &[u8]) -> Result<Reply> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(HANG))?;
    stream.set_write_timeout(Some(HANG))?;
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: doorward\r\nContent-Length: {}\r\n\r\n", payload.len());
    Wire::over(stream).ask(&[head.as_bytes(), payload].concat())
}

/// What an operation answers; fails the test where it is refused.
#[track_caller]
pub(crate) fn answer(running: &Running, operation: &str, payload: &[u8]) -> Value {
    let reply = operate(&running.socket, operation, payload).unwrap();
    assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
    reply.json()["answer"].take()
}

/// A capability for everything that the integrations do, for an hour.
#[track_caller]
pub(crate) fn capability(running: &Running, narrowed: &str) -> String {
    let answer = answer(running, &format!("capability.request?for=tester{narrowed}"), b"");
    answer["token"].as_str().unwrap().to_owned()
}

/// How long an answer may take: longer than a busy machine, shorter than patience.
const HANG: Duration = crate::HANG;
