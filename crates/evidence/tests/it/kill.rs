//! The process is killed at any moment: nothing that was acknowledged is lost.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use evidence::{Ending, Filter, Lane, Reader, Wait, What};
use model::{EvidenceId, TenantName};
use store::Journal;

use crate::fixture::{Dice, HOME, Hand, check, child, done, folder, intent, key, open, rounds, run, told};

/// What a child acknowledged before it was killed.
#[derive(Default)]
struct Acknowledged {
    intents: HashSet<EvidenceId>,
    /// Outcomes that were said to be durable.
    outcomes: HashSet<EvidenceId>,
}

#[test]
fn torture_kill9_log() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ u64::from(std::process::id()));
    for round in 0..rounds(20) {
        let home = folder();
        let acknowledged = killed_after(1 + dice.roll(600), home.path());
        assert!(!acknowledged.intents.is_empty(), "round {round}");
        let journal = Arc::new(Journal::with_segments_of(home.path(), SMALL).unwrap());
        let log = open(&journal, &Hand::new());
        assert_eq!(log.open_intents(), 0);
        log.close().unwrap();
        let report = check(&*journal).unwrap();
        assert!(report.open.is_empty() && report.unsigned == 0);
        let filter = Filter { limit: usize::MAX, ..Filter::of(TenantName::local()) };
        let mut endings = std::collections::HashMap::new();
        for entry in Reader::new(journal.clone(), key().public()).list(&filter).unwrap() {
            if let What::Call(intent) = &entry.what {
                endings.insert(intent.id, entry.ending().unwrap());
            }
        }
        for id in &acknowledged.intents {
            // Those that nobody settled before the end are unknown now; an outcome may be durable before it was acknowledged.
            assert!(matches!(endings[id], Ending::Done | Ending::Unknown), "round {round}, {id}");
        }
        for id in &acknowledged.outcomes {
            assert_eq!(endings[id], Ending::Done, "round {round}, {id}");
        }
    }
}

/// Starts a child and kills it when it has acknowledged so much.
fn killed_after(most: usize, home: &Path) -> Acknowledged {
    let mut child =
        child("kill::a_child_that_writes_until_it_is_killed", home).stdout(Stdio::piped()).spawn().unwrap();
    let mut acknowledged = Acknowledged::default();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (mut line, mut seen) = (String::new(), 0);
    // Reads on behind the kill: what is in the pipe was acknowledged before.
    while lines.read_line(&mut line).unwrap() > 0 {
        let told = match line.trim_end().split_once(' ') {
            // Without its end the line was cut off.
            _ if !line.ends_with('\n') => false,
            Some(("intent", id)) => acknowledged.intents.insert(id.parse().unwrap()),
            Some(("outcome", id)) => acknowledged.outcomes.insert(id.parse().unwrap()),
            // The child's harness says something too, before anything is written.
            _ => false,
        };
        line.clear();
        seen += usize::from(told);
        if told && seen == most {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    acknowledged
}

#[test]
fn a_child_that_writes_until_it_is_killed() {
    let Some(home) = told(HOME) else { return };
    let journal = Arc::new(Journal::with_segments_of(Path::new(&home), SMALL).unwrap());
    let clock = Hand::new();
    let log = open(&journal, &clock);
    run(async {
        let tasks: Vec<_> =
            (0..32_u64).map(|task| tokio::spawn(forever(log.lane(), clock.clone(), task))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn forever(lane: Lane, clock: Arc<Hand>, task: u64) {
    // No test is better served by writing for ever when nobody kills it.
    for n in 0..100_000 {
        let receipt = lane.intend(intent(&TenantName::local(), task * 1_000_000 + n)).await.unwrap();
        let id = receipt.id();
        say("intent", id);
        clock.forward(7);
        let wait = if n % 2 == 0 { Wait::Durable } else { Wait::Appended };
        lane.settle(receipt, done(), wait).await.unwrap();
        if wait == Wait::Durable {
            say("outcome", id);
        }
    }
}

/// In one write: the pipe is all that is left of a process that was killed.
fn say(what: &str, id: EvidenceId) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what} {id}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// So that segments end often.
const SMALL: u64 = 20_000;
