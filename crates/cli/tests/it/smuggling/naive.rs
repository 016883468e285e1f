//! Forwarders that are careless on purpose, so that it is seen whether the judge can tell.
//!
//! All read lines however they end, take a header for what a part of it says, and put the credential on each request that
//! they know of. Over HTTP/2 they write a request of HTTP/1 from whatever the headers say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::frames;
use super::send;

/// What a forwarder is careless about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Passes every byte on as it came, and believes a length before chunks.
    Length,
    /// Passes every byte on as it came, and believes chunks before a length.
    Chunks,
    /// Makes a well-formed request of everything.
    Repairs,
    /// Gives each caller the answer to the request before.
    Behind,
}

impl Habit {
    pub(super) const ALL: [Self; 4] = [Self::Length, Self::Chunks, Self::Repairs, Self::Behind];

    /// Starts a forwarder, for which either side may say nothing for so long, and gives its address. Its thread ends with the process.
    pub(super) fn start(self, back_end: u16, secret: &'static str, patience: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                std::thread::spawn(move || forward(caller, self, (back_end, patience), secret));
            }
        });
        address
    }
}

/// One connection of a caller, and one to the server for it.
fn forward(
    caller: TcpStream,
    habit: Habit,
    (back_end, patience): (u16, Duration),
    secret: &str,
) -> Option<()> {
    caller.set_read_timeout(Some(patience)).ok()?;
    let mut server = TcpStream::connect(("127.0.0.1", back_end)).ok()?;
    server.set_read_timeout(Some(patience)).ok()?;
    let mut back = BufReader::new(server.try_clone().ok()?);
    let mut to_caller = caller.try_clone().ok()?;
    let mut from_caller = BufReader::new(caller);
    if from_caller.fill_buf().ok()?.starts_with(b"PRI ") {
        return downgrade(from_caller, to_caller, (server, back), habit, secret);
    }
    let mut before = STALE.to_vec();
    loop {
        let head = head(&mut from_caller)?;
        let told = Told::by(&head);
        let mut message = armed(&head, secret);
        let mut data = Vec::new();
        body(&mut from_caller, &told, habit, (&mut message, &mut data));
        if habit == Habit::Repairs {
            message = repaired(&head, &data, secret);
        }
        server.write_all(&message).ok()?;
        let mut reply = reply(&mut back, head.first()?.starts_with(b"HEAD"))?;
        if habit == Habit::Behind {
            std::mem::swap(&mut reply, &mut before);
        }
        to_caller.write_all(&reply).ok()?;
        if told.last {
            return Some(());
        }
    }
}

/// The lines up to an empty one, each with its end, however that looks.
fn head(from: &mut impl BufRead) -> Option<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if from.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let empty = line.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if empty && lines.is_empty() {
            continue;
        }
        lines.push(line);
        if empty {
            return Some(lines);
        }
    }
}

/// What a head says about its body, read with good will.
#[derive(Default)]
struct Told {
    length: Option<usize>,
    chunks: bool,
    last: bool,
}

impl Told {
    fn by(head: &[Vec<u8>]) -> Self {
        let mut told = Self::default();
        for line in head.iter().skip(1) {
            let line = String::from_utf8_lossy(line).to_ascii_lowercase();
            if line.contains("content-length") {
                let digits: String = line.chars().filter(char::is_ascii_digit).collect();
                told.length = digits.parse().ok();
            }
            told.chunks |= line.contains("transfer-encoding") && line.contains("chunked");
            told.last |= line.starts_with("connection") && line.contains("close");
        }
        told
    }
}

/// The head with the credential instead of the caller's.
fn armed(head: &[Vec<u8>], secret: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, line) in head.iter().enumerate() {
        if !line.to_ascii_lowercase().starts_with(b"authorization:") {
            out.extend_from_slice(line);
        }
        if at == 0 {
            out.extend(format!("Authorization: Bearer {secret}\r\n").into_bytes());
        }
    }
    out
}

/// What somebody makes of a head who wants to be helpful.
fn repaired(head: &[Vec<u8>], data: &[u8], secret: &str) -> Vec<u8> {
    let line =
        head.iter().map(|line| String::from_utf8_lossy(line).into_owned()).find(|line| line.contains('/'));
    let line = line.unwrap_or_default();
    let mut words = line.split_whitespace();
    let method: String = words.next().unwrap_or("GET").chars().filter(char::is_ascii_uppercase).collect();
    let target = words.find_map(|word| Some(&word[word.find("/first").or_else(|| word.find('/'))?..]));
    let target =
        target.unwrap_or("/").split(|c: char| !c.is_ascii_graphic() || c == '#').next().unwrap_or("/");
    let length = data.len();
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let method = if known.contains(&method.as_str()) { method.as_str() } else { "GET" };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), data].concat()
}

/// Reads a body: as it stands on the wire, and its data.
fn body(from: &mut impl BufRead, told: &Told, habit: Habit, (message, data): (&mut Vec<u8>, &mut Vec<u8>)) {
    let chunks = told.chunks && (habit == Habit::Chunks || told.length.is_none());
    let mut take = |from: &mut dyn BufRead, message: &mut Vec<u8>, length: usize| {
        let before = message.len();
        let _ = from.take(length.min(1 << 20) as u64).read_to_end(message);
        data.extend_from_slice(&message[before..]);
        message.len() - before
    };
    if chunks {
        while let Some(size) = chunk_line(from, message) {
            let read = take(from, message, size);
            let _ = from.read_until(b'\n', message);
            if size == 0 || read < size {
                return;
            }
        }
    } else if let Some(length) = told.length {
        take(from, message, length);
    }
}

/// The size at the front of a line, whatever stands behind it.
fn chunk_line(from: &mut impl BufRead, message: &mut Vec<u8>) -> Option<usize> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line).ok()? == 0 {
        return None;
    }
    message.extend_from_slice(&line);
    let text = String::from_utf8_lossy(&line).into_owned();
    let digits: String = text.trim_start().chars().take_while(char::is_ascii_hexdigit).take(8).collect();
    usize::from_str_radix(&digits, 16).ok()
}

/// One answer of the server, as it came.
fn reply(from: &mut BufReader<TcpStream>, head_only: bool) -> Option<Vec<u8>> {
    let mut got = Vec::new();
    loop {
        if let Some((reply, rest)) = whole(&got, head_only)
            && rest.is_empty()
            && reply.status >= 200
        {
            return Some(got);
        }
        let Ok(piece) = from.fill_buf() else { return if got.is_empty() { None } else { Some(got) } };
        let length = piece.len();
        if length == 0 {
            return if got.is_empty() { None } else { Some(got) };
        }
        got.extend_from_slice(piece);
        from.consume(length);
    }
}

/// The last answer in these bytes, where they end with one.
fn whole(mut got: &[u8], head_only: bool) -> Option<(send::Reply, &[u8])> {
    loop {
        let length = got.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&got[..length]).to_ascii_lowercase();
        let wants =
            head.split("content-length:").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if !head_only && wants.is_some_and(|wants: usize| got.len() < length + wants) {
            return None;
        }
        let (reply, rest) = send::answer(got, head_only)?;
        if rest.is_empty() {
            return Some((reply, rest));
        }
        got = rest;
    }
}

// === from HTTP/2 ===

fn downgrade(
    mut from: BufReader<TcpStream>,
    mut to: TcpStream,
    (mut server, mut back): (TcpStream, BufReader<TcpStream>),
    habit: Habit,
    secret: &str,
) -> Option<()> {
    let mut before = "GET /stale".to_owned();
    let mut skipped = vec![0; frames::PREFACE.len()];
    from.read_exact(&mut skipped).ok()?;
    let mut unread = Vec::new();
    let mut block = Vec::new();
    let mut body = Vec::new();
    loop {
        let Some(frame) = frames::take(&mut unread) else {
            let piece = from.fill_buf().ok()?.to_vec();
            if piece.is_empty() {
                return None;
            }
            from.consume(piece.len());
            unread.extend(piece);
            continue;
        };
        match frame.kind {
            frames::HEADERS | frames::CONTINUATION => block.extend(frame.payload),
            frames::DATA => body.extend(frame.payload),
            _ => continue,
        }
        if frame.flags & frames::END_STREAM == 0 {
            continue;
        }
        let headers = frames::read_block(&block)?;
        let message = match habit {
            Habit::Repairs => {
                let line = |name: &str| {
                    headers.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value)
                };
                let (method, path) = (line(":method"), line(":path"));
                let default = b"/first".to_vec();
                let first =
                    [method.unwrap_or(&default), b" ".as_slice(), path.unwrap_or(&default), b" HTTP/1.1"]
                        .concat();
                repaired(&[first], &body, secret)
            }
            _ => written(&headers, &body, secret),
        };
        server.write_all(&message).ok()?;
        let reply = reply(&mut back, false)?;
        let (reply, _) = send::answer(&reply, false)?;
        let status = if reply.status == 200 { &[0x88] } else { &[0x8c] };
        let mut seen = reply.seen.unwrap_or_default();
        if habit == Habit::Behind {
            std::mem::swap(&mut seen, &mut before);
        }
        let mut answer = frames::frame(frames::HEADERS, frames::END_HEADERS, frame.stream, status);
        answer.extend(frames::frame(frames::DATA, frames::END_STREAM, frame.stream, seen.as_bytes()));
        to.write_all(&answer).ok()?;
        (block, body) = (Vec::new(), Vec::new());
    }
}

/// A request of HTTP/1 from headers of HTTP/2, as they are.
fn written(headers: &[(Vec<u8>, Vec<u8>)], body: &[u8], secret: &str) -> Vec<u8> {
    let find = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name.as_bytes());
        String::from_utf8_lossy(found.map_or(b"", |(_, value)| value)).into_owned()
    };
    let mut out = format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {secret}\r\n",
        find(":method"),
        find(":path"),
        find(":authority")
    )
    .into_bytes();
    for (name, value) in headers {
        if !name.starts_with(b":") && name != b"authorization" {
            out.extend([name, b": ".as_slice(), value, b"\r\n"].concat());
        }
    }
    let framed = headers.iter().any(|(name, _)| name == b"content-length" || name == b"transfer-encoding");
    if !framed && !body.is_empty() {
        out.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
    }
    [out.as_slice(), b"\r\n", body].concat()
}

/// The first answer of whoever is one behind.
const STALE: &[u8] = b"HTTP/1.1 200 OK\r\nX-Seen: GET /stale\r\nContent-Length: 0\r\n\r\n";
