//! A broker that is killed at any moment loses nothing that it acknowledged (promises D1, D2).
//!
//! Each round lets 32 writers store secrets, ask for capabilities and write policies over the socket, and two more write
//! through the gateway; kills the broker after 0 to 300 ms; starts it again over the same home; and looks for every write
//! that was answered with 200. The home is a new one from time to time, because its evidence is verified whole in each round.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Demand, Doorward, Running, Upstream, canary};

use crate::network_wire::{answer, call, capability, operate};
use crate::{home, rounds, write_integration};

#[test]
fn torture_kill9_no_acknowledged_write_is_lost() {
    // A round takes 0.9 s in the development profile on a quiet machine with two cores, 1.5 s beside a build: the wait for the
    // kill, the next start, and the look at all of the evidence.
    let all = rounds(50);
    let (mut done, mut totals) = (0, Totals::default());
    let began = Instant::now();
    while done < all {
        let share = ROUNDS_OF_A_HOME.min(all - done);
        torture_one_home(share, &mut totals, &|_| {});
        done += share;
    }
    let Totals { writes, calls, slowest } = totals;
    println!(
        "kill9: {done} rounds in {:.1} s, {writes} acknowledged writes and {calls} acknowledged calls, none lost; ready \
         again within {} ms",
        began.elapsed().as_secs_f64(),
        slowest.as_millis()
    );
    // Every other round is killed behind its first answer; a torture that writes nothing shows nothing.
    assert!(writes + calls >= all / 2, "{writes} writes in {all} rounds");
}

/// What was seen in all rounds.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) writes: u64,
    pub(crate) calls: u64,
    slowest: Duration,
}

/// `dress` prepares the home before its first start.
pub(crate) fn torture_one_home(rounds: u64, totals: &mut Totals, dress: &dyn Fn(&Doorward)) {
    let upstream = Upstream::demanding(Demand::Nothing(canary::plant("nothing")));
    let doorward = home();
    dress(&doorward);
    for writer in 0..WRITERS {
        write_integration(&doorward, &integration(writer, &upstream.url()));
    }
    let mut running = doorward.start_up(&[]);
    let ledger = Ledger::new(capability(&running, ""));
    for writer in 0..WRITERS {
        let _ = answer(&running, &format!("secret.put?name=w/{writer}"), bytes(writer, 0).as_bytes());
    }
    for round in 0..rounds {
        write_and_kill(running, &ledger, round);
        let down = Instant::now();
        running = doorward.start_up(&[]);
        totals.slowest = totals.slowest.max(down.elapsed());
        let (writes, calls) = nothing_is_lost(&running, &ledger, &upstream);
        totals.writes += writes;
        totals.calls += calls;
        secrets_are_whole(&running, &ledger, &upstream, round);
    }
    verified_offline(&doorward, running, &ledger);
}

// === the rounds ===

/// What was acknowledged. A writer notes it only when the whole reply is there.
struct Ledger {
    capability: String,
    /// The last version of each writer's secret that was tried, and that was acknowledged.
    tried: Vec<AtomicU64>,
    stored: Vec<AtomicU64>,
    notes: Mutex<Notes>,
    serial: AtomicU64,
    dying: AtomicBool,
}

#[derive(Default)]
struct Notes {
    /// Evidence ids of writes; each must have an outcome.
    writes: Vec<String>,
    calls: Vec<String>,
    names: BTreeSet<String>,
    /// Grants by id, and whether they were revoked. A revocation that was tried and not acknowledged may be either.
    grants: BTreeMap<String, Revoked>,
    policy: u64,
    failures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Revoked {
    No,
    Perhaps,
    Yes,
}

impl Ledger {
    fn new(capability: String) -> Self {
        let zeroes = || (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
        let (notes, serial, dying) = Default::default();
        Self { capability, tried: zeroes(), stored: zeroes(), notes, serial, dying }
    }

    fn has_answers(&self) -> bool {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        !notes.writes.is_empty() || !notes.failures.is_empty()
    }

    fn grant(&self, grant: &str, revoked: Revoked) {
        self.note(|notes| {
            notes.grants.insert(grant.to_owned(), revoked);
        });
    }

    fn note(&self, what: impl FnOnce(&mut Notes)) {
        what(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write_and_kill(running: Running, ledger: &Ledger, round: u64) {
    ledger.dying.store(false, Ordering::SeqCst);
    let socket = running.socket.clone();
    let pause = Duration::from_micros(RandomState::new().hash_one(round) % 300_000);
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let socket = &socket;
            threads.spawn(move || while write(ledger, socket, writer).is_some() {});
        }
        for _ in 0..2 {
            let gateway = &running.gateway_url;
            threads.spawn(move || while call_through(ledger, gateway).is_some() {});
        }
        // Every other round only counts from the first answer, so that a busy machine has something to lose as well.
        let until = Instant::now() + PATIENCE;
        while round % 2 == 1 && !ledger.has_answers() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The moment of the kill is what is random here; nothing waits for this pause.
        std::thread::sleep(pause);
        ledger.dying.store(true, Ordering::SeqCst);
        running.kill_now();
    });
    let _ = running.kill9();
    let failures = ledger.notes.lock().unwrap().failures.clone();
    assert!(failures.is_empty(), "{failures:?}");
}

/// One write over the socket; `None` when the broker is gone.
fn write(ledger: &Ledger, socket: &Path, writer: usize) -> Option<()> {
    let serial = ledger.serial.fetch_add(1, Ordering::SeqCst);
    match serial % 16 {
        3 => {
            let name = format!("n/{serial}");
            let _ = told(ledger, socket, &format!("secret.put?name={name}"), b"xoxb-CANARY-named")?;
            ledger.note(|notes| {
                notes.names.insert(name);
            });
        }
        7 => {
            let value = told(ledger, socket, "capability.request?for=agent&expires=1d", b"")?;
            let grant = value["grant"].as_str().unwrap().to_owned();
            ledger.grant(&grant, Revoked::No);
            if serial.is_multiple_of(3) {
                ledger.grant(&grant, Revoked::Perhaps);
                let _ = told(ledger, socket, &format!("capability.revoke?id={grant}"), b"")?;
                ledger.grant(&grant, Revoked::Yes);
            }
        }
        11 if writer == 0 => {
            let text = format!("// serial {serial}\n{POLICY}");
            let _ = told(ledger, socket, "policy.put?name=torture", text.as_bytes())?;
            ledger.note(|notes| notes.policy = serial);
        }
        _ => {
            let next = ledger.tried[writer].fetch_add(1, Ordering::SeqCst) + 1;
            let _ = told(
                ledger,
                socket,
                &format!("secret.rotate?name=w/{writer}"),
                bytes(writer, next).as_bytes(),
            )?;
            ledger.stored[writer].store(next, Ordering::SeqCst);
        }
    }
    Some(())
}

fn told(ledger: &Ledger, socket: &Path, operation: &str, payload: &[u8]) -> Option<Value> {
    match operate(socket, operation, payload) {
        Ok(reply) if reply.status == 200 => {
            let mut told = reply.json();
            let evidence = told["evidence"].as_str().unwrap().to_owned();
            ledger.note(|notes| notes.writes.push(evidence));
            Some(told["answer"].take())
        }
        other => failed(ledger, operation, other),
    }
}

/// One write through the gateway.
fn call_through(ledger: &Ledger, gateway: &str) -> Option<()> {
    let writer = usize::try_from(ledger.serial.fetch_add(1, Ordering::SeqCst)).unwrap() % WRITERS;
    match call(gateway, "POST", &format!("/w{writer}/echo"), &ledger.capability) {
        Ok(reply) if reply.status == 200 => {
            let evidence = reply.evidence().unwrap();
            ledger.note(|notes| notes.calls.push(evidence));
            Some(())
        }
        other => failed(ledger, "echo.add", other),
    }
}

/// Only a broker that is being killed may leave a call without an answer; none may refuse.
fn failed<T>(ledger: &Ledger, what: &str, reply: std::io::Result<crate::network_wire::Reply>) -> Option<T> {
    match reply {
        Ok(reply) => ledger.note(|notes| notes.failures.push(format!("{what}: {}", reply.text()))),
        Err(error) if !ledger.dying.load(Ordering::SeqCst) => {
            ledger.note(|notes| notes.failures.push(format!("{what}: {error}")));
        }
        Err(_) => {}
    }
    None
}

// === what is looked for ===

/// Looks for everything that was acknowledged since the last look; gives how many writes and calls there were.
fn nothing_is_lost(running: &Running, ledger: &Ledger, upstream: &Upstream) -> (u64, u64) {
    let mut notes = ledger.notes.lock().unwrap();
    let verified = answer(running, "evidence.verify", b"");
    assert_eq!(verified["verified"], true, "{verified}");
    // This very call; what the kill left open was settled before a door was open.
    assert_eq!(verified["open"], 1, "{verified}");
    let exported = answer(running, "evidence.export", b"");
    let lines = exported["text"].as_str().unwrap();
    let done: BTreeSet<&str> = lines
        .lines()
        .filter(|line| line.contains(r#""kind":"outcome""#) && line.contains(r#""result":"done""#))
        .filter_map(id)
        .collect();
    for id in notes.writes.iter().chain(&notes.calls) {
        assert!(done.contains(id.as_str()), "the evidence of {id} was acknowledged and has no outcome");
    }
    let intents = lines
        .lines()
        .filter(|line| line.contains(r#""kind":"intent""#) && line.contains(r#""door":"gateway""#));
    let (intents, used) = (intents.count(), upstream.requests().len());
    assert!(used <= intents, "{used} uses of a credential, {intents} intents");
    let listed = answer(running, "secret.list", b"");
    let listed: BTreeMap<&str, &Value> = objects(&listed["secrets"], "name");
    for name in &notes.names {
        assert!(listed.contains_key(name.as_str()), "{name} was acknowledged and is not there");
    }
    let granted = answer(running, "capability.list", b"");
    let granted: BTreeMap<&str, &Value> = objects(&granted["grants"], "grant");
    for (grant, revoked) in &notes.grants {
        let state = granted.get(grant.as_str()).and_then(|grant| grant["state"].as_str());
        match revoked {
            Revoked::No => assert_eq!(state, Some("active"), "{grant}"),
            Revoked::Yes => assert_eq!(state, Some("revoked"), "{grant}"),
            Revoked::Perhaps => assert!(state.is_some(), "{grant} was acknowledged and is not there"),
        }
    }
    if notes.policy > 0 {
        let policies = answer(running, "policy.list", b"");
        let text = policies["policies"][0]["text"].as_str().unwrap();
        let serial: u64 =
            text.lines().next().and_then(|line| line.strip_prefix("// serial ")).unwrap().parse().unwrap();
        assert!(serial >= notes.policy, "policy {serial} is there, {} was acknowledged", notes.policy);
    }
    let counted = (notes.writes.len() as u64, notes.calls.len() as u64);
    if let Some(id) = notes.writes.last() {
        let shown = answer(running, &format!("evidence.show?id={id}"), b"");
        assert!(shown["records"].as_array().unwrap().len() >= 2, "{shown}");
    }
    (notes.writes, notes.calls) = Default::default();
    counted
}

fn id(line: &str) -> Option<&str> {
    line.split_once(r#""evidence":""#)?.1.split('"').next()
}

fn objects<'a>(list: &'a Value, key: &str) -> BTreeMap<&'a str, &'a Value> {
    list.as_array().unwrap().iter().map(|one| (one[key].as_str().unwrap(), one)).collect()
}

/// Uses some of the secrets: each is one that was written, whole, and not older than the last that was acknowledged.
fn secrets_are_whole(running: &Running, ledger: &Ledger, upstream: &Upstream, round: u64) {
    for nth in 0..SAMPLE {
        let writer = (usize::try_from(round).unwrap() * SAMPLE + nth) % WRITERS;
        let reply =
            call(&running.gateway_url, "GET", &format!("/w{writer}/echo"), &ledger.capability).unwrap();
        assert_eq!(reply.status, 200, "the secret of writer {writer}: {}", reply.text());
        let request = upstream.last();
        let shown = request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let version: u64 = shown.split('-').nth(3).unwrap().parse().unwrap();
        assert_eq!(shown, bytes(writer, version), "half a secret");
        let (stored, tried) =
            (ledger.stored[writer].load(Ordering::SeqCst), ledger.tried[writer].load(Ordering::SeqCst));
        assert!(
            (stored..=tried).contains(&version),
            "writer {writer}: {version} is there, {stored} was acknowledged"
        );
        // What was not acknowledged, and is there all the same, counts as stored from now on.
        ledger.stored[writer].store(version, Ordering::SeqCst);
    }
}

/// An auditor with nothing but the file and the public key finds nothing wrong either.
fn verified_offline(doorward: &Doorward, running: Running, ledger: &Ledger) {
    let last = answer(&running, "evidence.list?limit=1", b"");
    let id = last["evidence"][0]["id"].as_str().unwrap();
    let _ = doorward.run(&["evidence", "show", id], "").succeeded();
    let key = doorward.run(&["evidence", "key"], "").succeeded();
    let _ = doorward.run(&["evidence", "export", "--out", "export.jsonl"], "").succeeded();
    assert!(running.stop().success());
    let verified =
        doorward.run(&["evidence", "verify", "export.jsonl", "--key", key.trim(), "--json"], "").json();
    assert_eq!(verified["verified"], true, "{verified}");
    let serial = ledger.serial.load(Ordering::SeqCst);
    assert!(verified["records"].as_u64().unwrap() > serial / 2, "{verified} after {serial} writes");
}

/// The bytes of a version; they say whose and which, and are long enough to be torn.
fn bytes(writer: usize, version: u64) -> String {
    format!("xoxb-CANARY-w{writer}-{version}-{}", "0123456789abcdef".repeat(32))
}

fn integration(writer: usize, url: &str) -> String {
    format!(
        "name: w{writer}\ntitle: Writer {writer}\ndocs: https://example.com/\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token, default: 'store:w/{writer}'}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
         \x20 echo.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: /echo}}}}\n\
         \x20 echo.add: {{title: Add, access: write, risk: low, match: {{method: POST, path: /echo}}, body: any}}\n"
    )
}

const WRITERS: usize = 32;
/// Secrets that are used after each kill.
const SAMPLE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(120);
const ROUNDS_OF_A_HOME: u64 = 25;
const POLICY: &str = "@id(\"torture\") permit (principal in Doorward::Role::\"torture\", action, resource);";
