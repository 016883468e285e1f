//! No message that two programs read differently gets past the gateway (promise GL1).
//!
//! Each case is bytes that a caller writes to the gateway, over HTTP/1 or HTTP/2, with what the only honest reading of them
//! is. Behind the gateway are real servers, each of which writes down every request that it parsed. A case is good when the
//! servers saw the honest reading or nothing, with the credential of the integration on all of it and that of the caller on
//! none, and when every answer belongs to its request. A last request, the canary, goes over the same connection.
//!
//! That the judge can tell is shown with forwarders that are careless on purpose, see [`naive`].

mod back_ends;
mod cases;
mod frames;
mod judge;
mod naive;
mod send;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use testkit::canary;

use crate::network_wire::{answer, capability};
use crate::{home, rounds, write_integration};
use back_ends::BackEnd;
use judge::{Fault, Trial};
use naive::Habit;
use words::{Case, Words};

#[test]
fn torture_smuggling_nothing_is_read_in_two_ways() {
    let back_ends = BackEnd::all();
    let secret = canary::plant("smuggling");
    let doorward = home();
    for back_end in &back_ends {
        write_integration(&doorward, &integration(back_end));
    }
    let running = doorward.start_up(&["--threads", "2"]);
    let _ = answer(&running, "secret.put?name=lab/token", secret.as_bytes());
    let token = capability(&running, "&expires=1d");
    let passes = rounds(1);
    let mut sent = 0;
    let mut faults = Vec::new();
    for pass in 0..passes {
        let address = running.gateway_url.trim_start_matches("http://").to_owned();
        let found = each_back_end(&back_ends, THREADS, |back_end| {
            (address.clone(), Words::new(&back_end.host(), &token, pass))
        });
        sent += found.sent;
        faults.extend(found.judged(&back_ends, &format!("Bearer {secret}"), &token));
        // A pass that found something is enough to look at.
        if !faults.is_empty() {
            break;
        }
    }
    let cases = cases::all(&Words::new("x.localhost", "", 0)).len();
    println!("smuggling: {cases} cases, {} back ends, {sent} sent", back_ends.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), shown(&faults));
    assert!(cases >= 300, "{cases} cases are too few");
    assert!(running.stop().success());
    canary::assert_absent(doorward.printed(), "what was printed");
}

#[test]
fn torture_smuggling_judge_sees_what_careless_forwarders_do() {
    let back_ends = BackEnd::all();
    let secret = "naive-CANARY-0123456789";
    let token = "cap1_naive";
    let mut caught: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let cases = cases::all(&Words::new("x.localhost", "", 0));
    let of_kind = |caught: &BTreeMap<String, BTreeSet<String>>, kind: &str| {
        caught.values().filter(|kinds| kinds.contains(kind)).count()
    };
    // A case that no forwarder fails shows nothing.
    let few = cases.len() / 50;
    let mut number = 0;
    // Forwarders wait for bytes that never come, so they wait briefly; where the machine is too slow for that, again and longer.
    for patience in [300, 2_000, 10_000].map(Duration::from_millis) {
        for habit in Habit::ALL {
            number += 1;
            let pass = each_back_end(&back_ends, PATIENT_THREADS, |back_end| {
                let address = habit.start(back_end.port, secret, patience).to_string();
                (address, Words::new(&back_end.host(), token, number))
            });
            for fault in pass.judged(&back_ends, &format!("Bearer {secret}"), token) {
                caught.entry(fault.case).or_default().insert(fault.what.kind().to_owned());
            }
        }
        let seen = cases.iter().filter(|case| caught.contains_key(&case.name)).count();
        if of_kind(&caught, "smuggled") >= 60 && seen + few >= cases.len() {
            break;
        }
    }
    println!(
        "smuggling: of {} cases the careless forwarders fail {}: a smuggled request {}, a wrong answer {}, not refused {}",
        cases.len(),
        caught.len(),
        of_kind(&caught, "smuggled"),
        of_kind(&caught, "answer"),
        of_kind(&caught, "not refused"),
    );
    let blind: Vec<&str> =
        cases.iter().map(|case| case.name.as_str()).filter(|name| !caught.contains_key(*name)).collect();
    assert!(of_kind(&caught, "smuggled") >= 60, "{caught:#?}");
    assert!(blind.len() <= few, "{} cases can't fail: {blind:?}", blind.len());
}

/// All trials of one pass, by back end.
#[derive(Default)]
struct Pass {
    trials: BTreeMap<&'static str, Vec<Trial>>,
    sent: usize,
}

impl Pass {
    fn judged(&self, back_ends: &[BackEnd], credential: &str, token: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        for back_end in back_ends {
            let trials = &self.trials[back_end.name];
            let records = back_end.records_after(&back_end.barrier());
            faults.extend(judge::all(back_end.name, trials, &records, (credential, token)));
        }
        faults
    }
}

/// Every case against every back end over so many connections at a time, at the address and with the words that are told for it.
fn each_back_end(back_ends: &[BackEnd], threads: usize, told: impl Fn(&BackEnd) -> (String, Words)) -> Pass {
    let mut workers = Vec::new();
    for back_end in back_ends {
        let (address, words) = told(back_end);
        let cases = cases::all(&words);
        let share = cases.len().div_ceil(threads);
        for some in cases.chunks(share) {
            let (some, address) = (some.to_vec(), address.clone());
            let send = move |case: Case| Trial { replies: send::case(&address, &case, words.pass), case };
            let worker = std::thread::spawn(move || some.into_iter().map(send).collect::<Vec<_>>());
            workers.push((back_end.name, worker));
        }
    }
    let mut pass = Pass::default();
    for (name, worker) in workers {
        let trials = worker.join().unwrap();
        pass.sent += trials.len();
        pass.trials.entry(name).or_default().extend(trials);
    }
    pass
}

fn shown(faults: &[Fault]) -> String {
    faults.iter().take(60).map(|fault| format!("{fault}\n")).collect()
}

fn integration(back_end: &BackEnd) -> String {
    let mut text = format!(
        "name: {}\ntitle: A server\ndocs: https://example.com/\nbase_url: http://127.0.0.1:{}\n\
         dangerous_allow_private: true\nsecrets:\n  token: {{title: Token, default: store:lab/token}}\n\
         auth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n",
        back_end.name, back_end.port
    );
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let name = method.to_lowercase();
        text.push_str(&format!(
            "  any.{name}: {{title: Anything, access: read, risk: low, match: {{method: {method}, path: '/{{kind}}/{{nonce}}'}}}}\n"
        ));
    }
    text
}

/// How long anything may take that is expected to happen.
const HANG: Duration = Duration::from_secs(120);
/// Connections at a time to each back end.
const THREADS: usize = 8;
/// The same where most of the time somebody waits for bytes that never come.
const PATIENT_THREADS: usize = 24;
