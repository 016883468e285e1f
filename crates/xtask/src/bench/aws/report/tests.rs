//! What the report says of promises.

use super::*;

fn report() -> Report {
    let cost = |wall: f64, peak: f64| Cost { wall_ms: [1.0, wall, 9.0], cpu_ms: 1.0, peak_mib: Some(peak) };
    Report {
        commit: "abc".to_owned(),
        cores: 2,
        rounds: 1,
        commands: vec![(
            "list".to_owned(),
            BTreeMap::from([(OURS.to_owned(), cost(2.0, 9.0)), (PEER.to_owned(), cost(8.0, 16.0))]),
        )],
        served: BTreeMap::from([(OURS.to_owned(), [25_000.0, 1.0])]),
        bursts: BTreeMap::new(),
    }
}

#[test]
fn promises_are_met_or_missed_and_never_left_open() {
    let text = report().markdown();
    assert!(text.contains("- list: wall beside the peer: 0.25, at most 0.33: met"), "{text}");
    assert!(text.contains("- list: memory beside the peer: 0.56, at most 0.50: MISSED"), "{text}");
    assert!(text.contains("at least 20000: met"), "{text}");
}

#[test]
fn without_the_peer_nothing_is_said_beside_it() {
    let mut report = report();
    for (_, costs) in &mut report.commands {
        costs.remove(PEER);
    }
    assert!(!report.markdown().contains("beside the peer"));
}

#[test]
fn a_burst_that_failed_in_part_fails_the_bench() {
    let mut report = report();
    assert!(report.whole().is_ok());
    let burst = Burst { processes: 200, calls: 1, codes: 1, failed: 3, wall_ms: 1.0 };
    report.burst(OURS, burst);
    assert!(report.whole().is_err());
}
