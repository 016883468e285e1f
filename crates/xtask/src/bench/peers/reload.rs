//! A reload while requests go on.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::super::process::get;
use super::super::rounds::Served;
use super::place::Door;
use crate::failure::{Failure, Outcome};

/// What a reload did.
#[derive(Serialize, Clone, Copy, Debug)]
pub(super) struct Reloaded {
    /// From the signal until something that was not there before is known.
    pub(super) ms: f64,
    /// Requests that were answered with 200 meanwhile, and before and after.
    pub(super) answered: u64,
    /// Requests that were not.
    pub(super) dropped: u64,
    /// The longest that anybody waited for an answer.
    pub(super) longest_ms: f64,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ms, answered, dropped, longest_ms } = self;
        write!(out, "{ms:.0} ms, {answered} requests, {dropped} dropped, the longest {longest_ms:.1} ms")
    }
}

/// Adds an integration, asks the gateway by a signal to read again, and waits until it knows it.
pub(super) fn under_load(door: &Door, upstream: u16) -> Outcome<Reloaded> {
    let stop = AtomicBool::new(false);
    let (answered, dropped, longest) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let name = format!("fresh-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let fresh = door.headers_for(&name);
    let known = || get(door.port(), "/", &fresh).map(|answer| answer.status != NOT_FOUND);
    if known().unwrap_or(true) {
        return Err(Failure::new(format!("the gateway knows `{name}` before it was told of it")));
    }
    let took = std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    calls(door, &stop, (&answered, &dropped, &longest));
                }
            });
        }
        let took = reloaded(door, &name, upstream, &known);
        // What a swap broke shows a moment later.
        std::thread::sleep(AFTER);
        stop.store(true, Ordering::Relaxed);
        took
    })?;
    Ok(Reloaded {
        ms: took.as_secs_f64() * 1000.0,
        answered: answered.load(Ordering::Relaxed),
        dropped: dropped.load(Ordering::Relaxed),
        longest_ms: longest.load(Ordering::Relaxed) as f64 / 1000.0,
    })
}

fn reloaded(
    door: &Door,
    name: &str,
    upstream: u16,
    known: &dyn Fn() -> std::io::Result<bool>,
) -> Outcome<Duration> {
    std::thread::sleep(AFTER);
    door.add(name, upstream)?;
    let asked = Instant::now();
    let sent = Command::new("kill").args(["-HUP", &door.process().to_string()]).status();
    if !sent.is_ok_and(|status| status.success()) {
        return Err(Failure::new("the gateway can't be asked to read its files again"));
    }
    while asked.elapsed() < LONGEST {
        if known().unwrap_or(false) {
            return Ok(asked.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err(Failure::new(format!("the gateway did not know `{name}` within {LONGEST:?} of being told")))
}

/// Calls on one connection until it breaks or enough were made.
fn calls(door: &Door, stop: &AtomicBool, (answered, dropped, longest): (&AtomicU64, &AtomicU64, &AtomicU64)) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", door.port())) else {
        dropped.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let _ = stream.set_read_timeout(Some(LONGEST));
    let mut request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", door.port());
    for header in door.headers() {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let good = stream.write_all(request.as_bytes()).is_ok() && one_answer(&mut stream).unwrap_or(false);
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        longest.fetch_max(took, Ordering::Relaxed);
        if good {
            answered.fetch_add(1, Ordering::Relaxed);
        } else {
            dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

/// Reads one answer whole; whether it says 200.
pub(super) fn one_answer(stream: &mut TcpStream) -> Option<bool> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(read) if read > 0 => read,
            broken => {
                println!("note: broken off after {} bytes: {broken:?}", bytes.len());
                return None;
            }
        };
        bytes.extend_from_slice(buffer.get(..read)?);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(bytes.get(..end)?).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let whole = match length.map(|length| length.trim().parse::<usize>().ok()) {
            Some(length) => bytes.len() >= end + 4 + length?,
            None => bytes.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            let good = head.starts_with("http/1.1 200");
            if !good {
                // What it says is the only trace of why.
                let said: String = String::from_utf8_lossy(&bytes).chars().take(MOST_SAID).collect();
                println!("note: not 200: {}", said.replace("\r\n", " | "));
            }
            return Some(good);
        }
    }
}

/// So that each reload of a run brings something new.
static NEXT: AtomicU64 = AtomicU64::new(0);
const CALLERS: usize = 4;
const MOST_SAID: usize = 600;
const NOT_FOUND: u16 = 404;
const AFTER: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);
