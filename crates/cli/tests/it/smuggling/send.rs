//! Sends a case, and reads what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::HANG;
use super::frames::{self, Frame};
use super::words::{Bytes, Case, Must};

/// One answer, as far as it tells anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// 0 where it was not read.
    pub(super) status: u16,
    /// `METHOD TARGET` as the server behind saw it; `None` where no server says that it saw anything.
    pub(super) seen: Option<String>,
    /// Where it comes from the gateway itself: why.
    pub(super) refusal: Option<String>,
    /// The stream was reset: whether it was served is not said.
    pub(super) reset: bool,
    /// The server behind refused what the gateway passed on.
    pub(super) passed: bool,
    /// No answer: the connection stayed open and nothing came.
    pub(super) hangs: bool,
}

/// Sends a case over a connection of its own and gives the answers in order.
pub(super) fn case(address: &str, case: &Case, pass: u64) -> Vec<Reply> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    stream.set_write_timeout(Some(HANG)).unwrap();
    match &case.bytes {
        Bytes::Http1(bytes) => http1(&mut stream, case, bytes, None, pass),
        Bytes::Http1InTwo(first, second) => http1(&mut stream, case, first, Some(second), pass),
        Bytes::Http2(bytes) => http2(&mut stream, case, bytes),
    }
}

// === HTTP/1 ===

fn http1(stream: &mut TcpStream, case: &Case, first: &[u8], second: Option<&[u8]>, pass: u64) -> Vec<Reply> {
    let mut got = Vec::new();
    if let Some(second) = second {
        in_pieces(stream, first, 0);
        read_while(stream, &mut got, Duration::from_millis(400), |got| got.is_empty());
        in_pieces(stream, &[second, &canary(case)].concat(), pass);
    } else if case.must == Must::Break {
        in_pieces(stream, first, pass);
        read_while(stream, &mut got, Duration::from_millis(150), |_| true);
        let _ = stream.shutdown(Shutdown::Write);
        read_while(stream, &mut got, HANG, |_| true);
        return answers(&got, case);
    } else {
        in_pieces(stream, &[first, &canary(case)].concat(), pass);
    }
    read_while(stream, &mut got, HANG, |_| true);
    answers(&got, case)
}

/// The request behind a case, on the same connection.
fn canary(case: &Case) -> Vec<u8> {
    let Case { nonce, host, token, .. } = case;
    format!(
        "GET /canary/{nonce} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// The first pass writes all at once, the others in pieces of their own size.
fn in_pieces(stream: &mut TcpStream, bytes: &[u8], pass: u64) {
    let size = match pass {
        0 => bytes.len().max(1),
        pass => usize::try_from(pass * 7 % 61 + 1).unwrap(),
    };
    for piece in bytes.chunks(size) {
        // Whoever has closed is not written to; what it answered is still read.
        if stream.write_all(piece).is_err() {
            return;
        }
    }
}

/// Reads until the end, for so long, and as long as more is wanted; a mark of that where the end is expected and does not come.
fn read_while(stream: &mut TcpStream, got: &mut Vec<u8>, most: Duration, wanted: impl Fn(&[u8]) -> bool) {
    let until = Instant::now() + most;
    let mut buffer = vec![0; 65536];
    while wanted(got) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => got.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
        if Instant::now() > until {
            if most >= HANG {
                got.extend_from_slice(HANGS);
            }
            return;
        }
    }
}

/// The answers in a stream, by what was asked: the reply to a `HEAD` has no body whatever its length says.
fn answers(mut stream: &[u8], case: &Case) -> Vec<Reply> {
    let mut replies = Vec::new();
    while !stream.is_empty() {
        if stream == HANGS {
            replies.push(Reply { hangs: true, ..Reply::default() });
            return replies;
        }
        let head_only = case.requests.get(replies.len()).is_some_and(|request| request.method == "HEAD");
        let Some((reply, rest)) = answer(stream, head_only) else {
            replies.push(Reply { refusal: Some("an answer that is none".to_owned()), ..Reply::default() });
            return replies;
        };
        if !(100..200).contains(&reply.status) || reply.status == 101 {
            replies.push(reply);
        }
        stream = rest;
    }
    replies
}

/// Takes one answer off the front.
pub(super) fn answer(stream: &[u8], head_only: bool) -> Option<(Reply, &[u8])> {
    let end = stream.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&stream[..end]).into_owned();
    let field = |name: &str| {
        let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let mut reply =
        Reply { status, seen: field("x-seen"), refusal: field("x-doorward-refusal"), ..Reply::default() };
    if status >= 400 && reply.refusal.is_none() {
        // Without a record of evidence the library or the door itself refused.
        reply.passed = field("x-doorward-evidence").is_some() && !matches!(status, 413 | 414 | 431);
        reply.refusal = Some(status.to_string());
    }
    let behind = &stream[end..];
    let bodiless = head_only || matches!(status, 100..=199 | 204 | 304);
    let body = if bodiless {
        0
    } else if field("transfer-encoding").is_some() {
        chunks(behind)?
    } else if let Some(length) = field("content-length") {
        length.parse::<usize>().ok()?.min(behind.len())
    } else {
        behind.len()
    };
    Some((reply, &behind[body..]))
}

/// The length of a body in chunks, with its framing.
fn chunks(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).ok()?, 16).ok()?;
        at += line + 2;
        if size == 0 {
            return bytes[at..].starts_with(b"\r\n").then_some(at + 2);
        }
        at += size + 2;
        bytes.get(at..)?;
    }
}

// === HTTP/2 ===

fn http2(stream: &mut TcpStream, case: &Case, bytes: &[u8]) -> Vec<Reply> {
    in_pieces(stream, &[frames::PREFACE, bytes].concat(), 0);
    if case.must == Must::Break {
        read_while(stream, &mut Vec::new(), Duration::from_millis(150), |_| true);
        return Vec::new();
    }
    let mut unread = Vec::new();
    let (reply, alive) = stream_ends(stream, &mut unread, 1);
    let mut replies: Vec<Reply> = reply.into_iter().collect();
    if !alive {
        return replies;
    }
    let token = format!("Bearer {}", case.token);
    let path = format!("/canary/{}", case.nonce);
    let canary = frames::block(&[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", &case.host),
        (":path", &path),
        ("authorization", &token),
    ]);
    in_pieces(
        stream,
        &frames::frame(frames::HEADERS, frames::END_HEADERS | frames::END_STREAM, 3, &canary),
        0,
    );
    replies.extend(stream_ends(stream, &mut unread, 3).0);
    replies
}

/// Reads until this stream has ended, and says whether the connection goes on.
fn stream_ends(stream: &mut TcpStream, unread: &mut Vec<u8>, number: u32) -> (Option<Reply>, bool) {
    let until = Instant::now() + HANG;
    let mut reply: Option<Reply> = None;
    let mut body = Vec::new();
    let mut buffer = vec![0; 65536];
    loop {
        while let Some(Frame { kind, flags, stream: of, payload }) = frames::take(unread) {
            match kind {
                frames::SETTINGS if flags & 1 == 0 => in_pieces(stream, frames::SETTINGS_TAKEN, 0),
                frames::GO_AWAY => {
                    let refused =
                        Reply { refusal: Some("the connection was ended".to_owned()), ..Reply::default() };
                    return (Some(reply.unwrap_or(refused)), false);
                }
                frames::RESET if of == number => {
                    let refusal = Some("the stream was reset".to_owned());
                    let refused = Reply { refusal, reset: true, ..Reply::default() };
                    return (Some(reply.unwrap_or(refused)), true);
                }
                frames::HEADERS if of == number && reply.is_none() => {
                    let status = frames::status(&payload);
                    let refusal = (status != 200).then(|| status.to_string());
                    reply = Some(Reply { status, refusal, ..Reply::default() });
                }
                frames::DATA if of == number => body.extend_from_slice(&payload),
                _ => {}
            }
            let ends = matches!(kind, frames::HEADERS | frames::DATA) && flags & frames::END_STREAM != 0;
            if ends && of == number {
                if let Some(reply) = reply.as_mut().filter(|reply| reply.status == 200) {
                    reply.seen = Some(String::from_utf8_lossy(&body).into_owned());
                }
                return (reply, true);
            }
        }
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => unread.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(_) | Err(_) => return (reply, false),
        }
        if Instant::now() > until {
            return (Some(Reply { hangs: true, ..Reply::default() }), false);
        }
    }
}

/// Stands behind what came where the end did not.
const HANGS: &[u8] = b"(hangs)";
