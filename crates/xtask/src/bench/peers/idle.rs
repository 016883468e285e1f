//! Connections that were used once and then do nothing.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::super::process::resident;
use super::super::rounds::Served;
use super::place::Door;
use super::reload::one_answer;
use crate::failure::{Failure, Outcome};

/// The memory of the gateway in MiB, before and while so many connections wait.
pub(super) fn connections(door: &Door, count: usize) -> Outcome<(f64, f64)> {
    room(std::process::id(), count)?;
    room(door.process(), count)?;
    let mut request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", door.port());
    for header in door.headers() {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let mib = || resident(door.process()) as f64 / 1024.0;
    let before = mib();
    let failed = |error: std::io::Error| Failure::doing("open one more connection", &error);
    let mut open = Vec::with_capacity(count);
    for number in 0..count {
        let mut stream = TcpStream::connect(("127.0.0.1", door.port())).map_err(failed)?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(failed)?;
        stream.write_all(request.as_bytes()).map_err(failed)?;
        if one_answer(&mut stream) != Some(true) {
            return Err(Failure::new(format!("connection {number} of {count} was not answered with 200")));
        }
        open.push(stream);
    }
    let asked = mib();
    // What they needed to ask is given back a while later.
    std::thread::sleep(SETTLING);
    let after = mib();
    // An end, or bytes that nobody asked for: both are there to be read.
    let is_lost = |stream: &&TcpStream| stream.set_nonblocking(true).is_ok() && stream.peek(&mut [0]).is_ok();
    let lost = open.iter().filter(is_lost).count();
    println!(
        "idle: {count} connections, {before:.1} MiB before, {asked:.1} MiB when all had asked, {after:.1} MiB while they wait, {lost} were closed"
    );
    if lost > 0 {
        return Err(Failure::new(format!("{lost} of {count} connections were closed while they waited")));
    }
    Ok((before, after))
}

/// Shorter than a connection may wait for its next request, and longer than it takes to give memory back.
const SETTLING: Duration = Duration::from_secs(12);

/// Lets a process have as many descriptors as that takes.
fn room(process: u32, count: usize) -> Outcome {
    let (process, wanted) = (process.to_string(), format!("--nofile={}:{}", count + 2000, count + 2000));
    let done = Command::new("prlimit").args(["--pid", &process, &wanted]).status();
    if done.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "a process may not have {count} connections here; run as root, or with `--idle 1000`"
    )))
}
