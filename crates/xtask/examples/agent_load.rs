//! The two ends that `cargo xtask bench agent` needs beside the agent: an echo, and a load.
//!
//! `echo SOCKET` answers each line with itself. `load SOCKET LINE MARK CONNECTIONS MILLISECONDS COUNT` sends the line on each
//! connection as soon as its former answer is there, for so long or so often, and prints what it saw as JSON. An answer
//! without MARK in it is an error.
//!
//! It uses nothing but the standard library, so that the bench can compile it with optimisation in a moment.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["echo", socket] => echo(socket),
        ["load", socket, line, mark, connections, millis, count] => {
            let until = Duration::from_millis(millis.parse()?);
            let load = Load { line: format!("{line}\n"), mark, until, count: count.parse()? };
            Ok(writeln!(std::io::stdout(), "{}", load.run(socket, connections.parse()?)?)?)
        }
        _ => Err("say `echo SOCKET` or `load SOCKET LINE MARK CONNECTIONS MILLISECONDS COUNT`".into()),
    }
}

/// One thread for each connection, blocking: nothing answers a line with less work.
fn echo(socket: &str) -> Outcome {
    for stream in UnixListener::bind(socket)?.incoming() {
        let stream = stream?;
        std::thread::spawn(move || answer(&stream));
    }
    Ok(())
}

fn answer(stream: &UnixStream) -> std::io::Result<()> {
    let (mut reader, mut writer, mut line) = (BufReader::new(stream), stream, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        writer.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

struct Load<'a> {
    line: String,
    mark: &'a str,
    until: Duration,
    count: u64,
}

impl Load<'_> {
    /// Each connection has one request under way. They are looked at in turn, so that the other end never waits for us.
    fn run(&self, socket: &str, connections: usize) -> Outcome<String> {
        let mut streams = Vec::new();
        for _ in 0..connections {
            streams.push((UnixStream::connect(socket)?, Instant::now()));
        }
        let started = Instant::now();
        let (mut sent, mut took, mut errors, mut odd) = (0_u64, Vec::new(), 0_u64, String::new());
        let mut answer = vec![0; 1 << 16];
        for (stream, at) in &mut streams {
            *at = Instant::now();
            stream.write_all(self.line.as_bytes())?;
            sent += 1;
        }
        let mut under_way = connections;
        while under_way > 0 {
            for (stream, at) in &mut streams {
                if took.len() as u64 == sent {
                    break;
                }
                let length = line(stream, &mut answer)?;
                took.push(u64::try_from(at.elapsed().as_nanos())?);
                let text = answer.get(..length).unwrap_or_default();
                if !text.windows(self.mark.len()).any(|part| part == self.mark.as_bytes()) {
                    errors += 1;
                    odd = String::from_utf8_lossy(text).into_owned();
                }
                if sent < self.count && started.elapsed() < self.until {
                    *at = Instant::now();
                    stream.write_all(self.line.as_bytes())?;
                    sent += 1;
                } else {
                    under_way -= 1;
                }
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        took.sort_unstable();
        let micros = |part: usize| took.get(took.len() * part / 1000).copied().unwrap_or(0) as f64 / 1e3;
        if errors > 0 {
            writeln!(std::io::stderr(), "an answer was: {odd}")?;
        }
        let (count, p50, p99) = (took.len(), micros(500), micros(990));
        Ok(format!(
            "{{\"requests\": {count}, \"seconds\": {seconds}, \"p50_us\": {p50}, \"p99_us\": {p99}, \"errors\": {errors}}}"
        ))
    }
}

/// Reads one line; there is never more than one under way.
fn line(stream: &mut UnixStream, into: &mut [u8]) -> Outcome<usize> {
    let mut length = 0;
    loop {
        let free = into.get_mut(length..).filter(|free| !free.is_empty()).ok_or("an answer is too long")?;
        match stream.read(free)? {
            0 => return Err("the other end hung up".into()),
            read => length += read,
        }
        if into.get(length - 1) == Some(&b'\n') {
            return Ok(length);
        }
    }
}
