//! Reports on made-up rounds.

use super::*;

fn sample(cpu_us: f64, p99_ms: f64, errors: u64) -> Sample {
    Sample { per_second: 40_000.0, p50_ms: 0.7, p99_ms, cpu_us, rss_mib: 12.0, other_cpu: 3.0, errors }
}

fn series(bytes: usize) -> Series {
    let mut series = Series::new(bytes);
    for cpu in [20.0, 30.0, 22.0] {
        series.add("nginx", sample(cpu, 2.0, 0));
        series.add("doorward (shm)", sample(cpu * 1.2, 3.5, 0));
    }
    series.ready("doorward (shm)", Duration::from_millis(40));
    series
}

fn report(series: Series) -> Report {
    let append_300_bytes = Appends { p50_us: 150.0, p99_us: 280.0, per_second: 6_000.0 };
    Report {
        commit: "abc".to_owned(),
        cores: 2,
        rounds: 3,
        seconds: 8,
        connections: 32,
        append_300_bytes,
        series: vec![series],
    }
}

#[test]
fn figures_are_medians_beside_nginx() {
    let series = series(1024);
    assert!((series.median_of("nginx", |sample| sample.cpu_us) - 22.0).abs() < 1e-9);
    let text = report(series).markdown();
    assert!(text.contains("| nginx | 40000 | 22.0 | 1.00 |"), "{text}");
    assert!(text.contains("| doorward (shm) | 40000 | 26.4 | 1.20 |"), "{text}");
}

#[test]
fn each_promise_is_met_or_missed() {
    let text = report(series(1024)).markdown();
    assert!(text.contains("CPU per request beside nginx: 1.20, at most 1.4: met"), "{text}");
    assert!(text.contains("p99 beside nginx: 1.75, at most 1.5: MISSED"), "{text}");
    assert!(text.contains("ready, ms: 40.00, at most 100: met"), "{text}");
    let large = report(series(65536)).markdown();
    assert!(large.contains("CPU per request beside nginx: 1.20, at most 1: MISSED"), "{large}");
}

#[test]
fn a_figure_that_is_missing_meets_no_promise() {
    assert!(promise("a", "b", f64::NAN, 1.0).ends_with("MISSED"));
}

#[test]
fn an_even_number_of_rounds_has_a_median_too() {
    let mut series = Series::new(1024);
    series.add("nginx", sample(10.0, 1.0, 0));
    series.add("nginx", sample(20.0, 1.0, 0));
    assert!((series.median_of("nginx", |sample| sample.cpu_us) - 15.0).abs() < 1e-9);
}

#[test]
fn errors_are_seen_in_the_whole_report() {
    let mut series = series(1024);
    assert!(!report(Series::new(1024)).has_errors());
    series.add("nginx", sample(10.0, 1.0, 1));
    assert!(report(series).has_errors());
}
