//! What the report says of figures that are there, bad or missing.

use super::*;

fn report(loads: &[(&'static str, f64, f64)], figures: &[(&'static str, f64)]) -> Report {
    let mut report = Report {
        commit: "abc".to_owned(),
        cores: 2,
        rounds: 1,
        seconds: 1,
        home: "disk",
        loads: Vec::new(),
        figures: BTreeMap::new(),
    };
    for (name, per_second, p50_us) in loads {
        let requests = *per_second as u64;
        report.add(name, Seen { requests, seconds: 1.0, p50_us: *p50_us, p99_us: 1.0, errors: 0 });
    }
    for (name, value) in figures {
        report.figure(name, *value);
    }
    report
}

#[test]
fn promises_are_met_missed_and_never_met_by_a_figure_that_is_missing() {
    let good = report(
        &[
            ("echo, 1 connection", 1e5, 10.0),
            ("validate, 1 connection", 1e5, 25.0),
            ("validate, 32 connections", 6e4, 500.0),
            ("request, 96 connections", 9e3, 5e3),
        ],
        &[("idle_mib", 14.0), ("ready_ms", 60.0)],
    );
    let text = good.markdown();
    for line in [
        "beside the echo's, 1 connection: 2.50, at most 3: met",
        "32 connections: 60000, at least 50000: met",
        "durable evidence: 9000, at least 10000: MISSED",
        "idle agent, MiB: 14.00, at most 15: met",
        "ready, ms: 60.00, at most 50: MISSED",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert_eq!(report(&[], &[]).markdown().matches("MISSED").count(), 3);
}

#[test]
fn medians_are_in_the_middle() {
    assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
    assert!((median([4.0, 1.0].into_iter()) - 2.5).abs() < 1e-9);
    assert!(median(std::iter::empty()).is_nan());
}
