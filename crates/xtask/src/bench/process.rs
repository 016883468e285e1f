//! A server that we start, watch through `/proc`, and end again.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// A running server; ended when dropped.
pub(super) struct Server {
    child: Child,
}

impl Server {
    /// Starts `program` on `core`, its output going to the file `log`.
    pub(super) fn start(
        program: &Path,
        arguments: &[&str],
        core: Option<usize>,
        log: &Path,
    ) -> Outcome<Self> {
        let failed =
            |error: std::io::Error| Failure::doing(&format!("start `{}`", program.display()), &error);
        let output = File::create(log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let mut command = pinned(core, program);
        command.args(arguments).stdin(Stdio::null()).stdout(output).stderr(errors);
        Ok(Self { child: command.spawn().map_err(failed)? })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails where it has ended by itself.
    pub(super) fn still_there(&mut self, port: u16) -> Outcome {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(Failure::new(format!(
                "the server on port {port} ended at once ({status}); see target/bench"
            ))),
            _ => Ok(()),
        }
    }

    /// Waits until `GET /` is answered with 200, and says how long that took.
    pub(super) fn ready(&mut self, port: u16, headers: &[String], since: Instant) -> Outcome<Duration> {
        self.ready_within(port, headers, since, Duration::from_secs(10))
    }

    /// The same with another patience.
    pub(super) fn ready_within(
        &mut self,
        port: u16,
        headers: &[String],
        since: Instant,
        most: Duration,
    ) -> Outcome<Duration> {
        while since.elapsed() < most {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Failure::new(format!(
                    "the server on port {port} ended at once ({status}); see target/bench"
                )));
            }
            if get(port, "/", headers).is_ok_and(|answer| answer.status == 200) {
                return Ok(since.elapsed());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(Failure::new(format!(
            "the server on port {port} did not answer 200 within {most:?}; see target/bench"
        )))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first, so that nginx ends its workers; forced after three seconds.
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        for _ in 0..60 {
            if asked.is_err() || !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if self.child.kill().and_then(|()| self.child.wait().map(|_| ())).is_err() {
            println!("note: process {} could not be ended", self.id());
        }
    }
}

/// `program` on one core, or on any.
pub(super) fn pinned(core: Option<usize>, program: &Path) -> Command {
    match core {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.arg("-c").arg(core.to_string()).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> Outcome<u16> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| Failure::doing("find a free port", &error))
}

/// An answer over HTTP.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// One `GET` on loopback.
pub(super) fn get(port: u16, path: &str, headers: &[String]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(3)))?;
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Answer { status, body: body.to_owned() })
}

/// The process `id` and everything below it.
pub(super) fn tree(id: u32) -> Vec<u32> {
    let mut all = vec![id];
    let mut next = 0;
    while let Some(current) = all.get(next).copied() {
        next += 1;
        let Ok(threads) = std::fs::read_dir(format!("/proc/{current}/task")) else { continue };
        for thread in threads.flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    all
}

/// The CPU time of a process tree so far, in clock ticks.
pub(super) fn ticks(id: u32) -> u64 {
    let stat = |id: u32| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    tree(id).into_iter().map(|id| ticks_in(&stat(id))).sum()
}

/// User and system time in a line of `/proc/PID/stat`. The name of the program may hold anything but ends at the last `)`.
fn ticks_in(stat: &str) -> u64 {
    let Some((_, fields)) = stat.rsplit_once(") ") else { return 0 };
    fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// The resident memory of a process tree, in KiB.
pub(super) fn resident(id: u32) -> u64 {
    let status = |id: u32| std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    tree(id).into_iter().map(|id| resident_in(&status(id))).sum()
}

fn resident_in(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// The CPU time that the whole machine was not idle, in clock ticks.
pub(super) fn busy() -> u64 {
    busy_in(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
}

/// User, nice, system, interrupts and stolen time; not idle, not waiting for the disk.
fn busy_in(stat: &str) -> u64 {
    let Some(line) = stat.lines().find_map(|line| line.strip_prefix("cpu ")) else { return 0 };
    let fields = line.split_whitespace().enumerate().filter(|(index, _)| matches!(index, 0..=2 | 5..=7));
    fields.filter_map(|(_, field)| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests;
