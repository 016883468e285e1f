//! Bytes that are no request, at every door: no panic, no hang, and whoever asks well afterwards is answered (promise GL3).
//!
//! Each round is one connection to the gateway, to the metrics or to the Unix socket, made from a number alone, so that a round
//! that fails can be made again. After each batch every door is asked properly, and the memory is looked at.

mod bytes;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use testkit::{Running, Upstream, canary};

use crate::network_wire::{answer, call, capability, over_socket};
use crate::{home, rounds, write_integration};
use bytes::{Ending, Random, Round};

#[test]
fn torture_malformed_bytes_break_no_door() {
    let all = rounds(3_000);
    let upstream = Upstream::start();
    let doorward = home();
    write_integration(&doorward, &integration(&upstream.url()));
    let running = doorward.start_up(&["--threads", "2", "--metrics", "127.0.0.1:0"]);
    let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let token = capability(&running, "&expires=1d");
    let doors = Doors::of(&running);
    let mut most = 0;
    let mut slow = Duration::ZERO;
    let mut done = 0;
    while done < all {
        let batch = BATCH.min(all - done);
        let took = Mutex::new(Duration::ZERO);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (doors, took, token) = (&doors, &took, &token);
                scope.spawn(move || {
                    for number in (done..done + batch).skip(thread).step_by(THREADS) {
                        let one = doors.torment(number, token);
                        let mut most = took.lock().unwrap();
                        *most = one.max(*most);
                    }
                });
            }
        });
        done += batch;
        slow = slow.max(took.into_inner().unwrap());
        doors.all_answer(&running, &token, done);
        let resident = resident(running.pid());
        if most == 0 {
            most = resident + ROOM_KIB;
        }
        assert!(resident <= most, "{resident} KiB after {done} rounds, at most {most}");
    }
    println!(
        "malformed: {done} connections to 3 doors, the longest took {slow:?}, {} KiB",
        resident(running.pid())
    );
    assert!(running.stop().success());
    let printed = doorward.printed();
    assert!(!String::from_utf8_lossy(&printed).contains("panicked"), "{}", String::from_utf8_lossy(&printed));
    canary::assert_absent(printed, "what was printed");
}

#[test]
fn torture_malformed_rounds_are_made_from_their_number_and_are_not_all_alike() {
    let made = |number| Round::made(number, "cap1_x").pieces.concat();
    let all: std::collections::BTreeSet<Vec<u8>> = (0..500).map(made).collect();
    assert!(all.len() > 450, "{}", all.len());
    for number in [0, 7, 499] {
        assert_eq!(made(number), made(number));
    }
    // Where a good request was damaged it is seldom whole, and where nothing was done to it the doors would answer it.
    assert_ne!(Random(1).next(), Random(2).next());
}

/// Where the doors are.
struct Doors {
    gateway: String,
    metrics: String,
    socket: PathBuf,
}

impl Doors {
    fn of(running: &Running) -> Self {
        let place = |name: &str| {
            let url = running.ready[name].as_str().unwrap_or_default();
            url.trim_start_matches("http://").trim_end_matches("/metrics").to_owned()
        };
        Self { gateway: place("gateway"), metrics: place("metrics"), socket: running.socket.clone() }
    }

    /// One connection; gives how long the door took to end it.
    fn torment(&self, number: u64, token: &str) -> Duration {
        let round = Round::made(number, token);
        match number % 3 {
            0 => {
                let stream = TcpStream::connect(&self.gateway).unwrap();
                stream.set_read_timeout(Some(TURN)).unwrap();
                stream.set_write_timeout(Some(HANG)).unwrap();
                let half = |stream: &TcpStream| stream.shutdown(Shutdown::Write);
                Self::write_and_wait(stream, &round, half, number)
            }
            1 => {
                let stream = TcpStream::connect(&self.metrics).unwrap();
                stream.set_read_timeout(Some(TURN)).unwrap();
                stream.set_write_timeout(Some(HANG)).unwrap();
                let half = |stream: &TcpStream| stream.shutdown(Shutdown::Write);
                Self::write_and_wait(stream, &round, half, number)
            }
            _ => {
                let stream = UnixStream::connect(&self.socket).unwrap();
                stream.set_read_timeout(Some(TURN)).unwrap();
                stream.set_write_timeout(Some(HANG)).unwrap();
                let half = |stream: &UnixStream| stream.shutdown(Shutdown::Write);
                Self::write_and_wait(stream, &round, half, number)
            }
        }
    }

    fn write_and_wait<S: Read + Write>(
        mut stream: S,
        round: &Round,
        half: impl Fn(&S) -> std::io::Result<()>,
        number: u64,
    ) -> Duration {
        for piece in &round.pieces {
            // A door that has seen enough closes while more is written.
            if stream.write_all(piece).is_err() {
                break;
            }
        }
        if round.ending == Ending::Gone || half(&stream).is_err() {
            return Duration::ZERO;
        }
        let begun = Instant::now();
        let mut buffer = vec![0; 65536];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return begun.elapsed(),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return begun.elapsed(),
            }
            assert!(begun.elapsed() < HANG, "round {number} hangs at door {}", number % 3);
        }
    }

    /// Whoever asks well is answered.
    fn all_answer(&self, running: &Running, token: &str, done: u64) {
        let url = &running.gateway_url;
        let reply = call(url, "GET", "/notes/echo", token).unwrap();
        assert_eq!(reply.status, 200, "the gateway after {done} rounds: {}", reply.text());
        let reply = call(&format!("http://{}", self.metrics), "GET", "/metrics", "").unwrap();
        assert_eq!(reply.status, 200, "the metrics after {done} rounds");
        let reply = over_socket(&self.socket, "POST", "/v1/operations/doorward/broker.status", b"").unwrap();
        assert_eq!(reply.status, 200, "the socket after {done} rounds: {}", reply.text());
    }
}

fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn integration(url: &str) -> String {
    format!(
        "name: notes\ntitle: Notes\ndocs: https://example.com/\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
         \x20 echo.show: {{title: Echo, access: read, risk: low, match: {{method: GET, path: /echo}}}}\n\
         \x20 echo.send: {{title: Send, access: write, risk: low, match: {{method: POST, path: /echo}}}}\n"
    )
}

/// Connections between two looks at the doors.
const BATCH: u64 = 300;
const THREADS: usize = 4;
/// How much more memory than after the first batch.
const ROOM_KIB: u64 = 64 * 1024;
const HANG: Duration = Duration::from_secs(120);
const TURN: Duration = Duration::from_millis(500);
