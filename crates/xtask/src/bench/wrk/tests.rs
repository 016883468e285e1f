//! Texts of wrk, good and broken.

use super::*;

const TEXT: &str = "Running 8s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   790.00us  1.2ms  10.00ms   92.11%
    Req/Sec    40.52k     1.10k   42.00k    70.00%
  Latency Distribution
     50%  730.00us
     75%    0.90ms
     90%    1.10ms
     99%    2.30ms
  324009 requests in 8.00s, 380.10MB read
Requests/sec:  40501.12
Transfer/sec:     47.51MB
";

#[test]
fn a_clean_run_is_read() {
    let load = Load::parse(TEXT).unwrap();
    assert_eq!(load, Load { requests: 324_009, per_second: 40_501.12, p50_ms: 0.73, p99_ms: 2.3, errors: 0 });
}

#[test]
fn answers_other_than_2xx_and_broken_connections_are_errors() {
    let text = TEXT.replace(
        "Requests/sec:",
        "  Socket errors: connect 0, read 3, write 0, timeout 1\n  Non-2xx or 3xx responses: 40\nRequests/sec:",
    );
    assert_eq!(Load::parse(&text).unwrap().errors, 44);
}

#[test]
fn a_missing_figure_is_a_failure_and_not_a_zero() {
    for line in ["     99%    2.30ms", "  324009 requests in 8.00s, 380.10MB read", "Requests/sec:  40501.12"]
    {
        assert!(Load::parse(&TEXT.replace(line, "")).is_err(), "{line}");
    }
    assert!(Load::parse(&TEXT.replace("2.30ms", "soon")).is_err());
    assert!(Load::parse("").is_err());
}

#[test]
fn times_are_read_in_every_unit() {
    assert_eq!(milliseconds("1.50s"), Some(1500.0));
    assert_eq!(milliseconds("2.00m"), Some(120_000.0));
    assert_eq!(milliseconds("2.00h"), None);
}
