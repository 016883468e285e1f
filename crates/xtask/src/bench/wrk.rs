//! The load: wrk, and what it says when it is done.

use crate::failure::{Failure, Outcome};

/// What wrk measured.
#[derive(Debug, PartialEq)]
pub(super) struct Load {
    pub(super) requests: u64,
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Answers other than 2xx and 3xx, and broken connections.
    pub(super) errors: u64,
}

impl Load {
    /// Reads the text of `wrk --latency`. A figure that is missing is a failure, never a zero.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let missing = |what: &str| Failure::new(format!("wrk did not say {what}"));
        let after = |word: &str| text.lines().find_map(|line| line.trim().strip_prefix(word)).map(str::trim);
        let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "));
        let requests = requests
            .and_then(|(number, _)| number.parse().ok())
            .ok_or_else(|| missing("how many requests"))?;
        let per_second = after("Requests/sec:").and_then(|number| number.parse().ok());
        let non_2xx = after("Non-2xx or 3xx responses:").map_or(Some(0), |number| number.parse().ok());
        let broken = after("Socket errors:").map_or(Some(0), sum);
        Ok(Self {
            requests,
            per_second: per_second.ok_or_else(|| missing("the rate"))?,
            p50_ms: after("50%").and_then(milliseconds).ok_or_else(|| missing("the median"))?,
            p99_ms: after("99%").and_then(milliseconds).ok_or_else(|| missing("the 99th percentile"))?,
            errors: non_2xx
                .zip(broken)
                .map(|(left, right): (u64, u64)| left + right)
                .ok_or_else(|| missing("the errors"))?,
        })
    }
}

/// `730.00us`, `2.30ms`, `1.05s` or `1.20m` in milliseconds.
fn milliseconds(text: &str) -> Option<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)] {
        if let Some(Ok(number)) = text.strip_suffix(unit).map(str::parse::<f64>) {
            return Some(number * factor);
        }
    }
    None
}

/// `connect 0, read 3, write 0, timeout 1` as one number.
fn sum(text: &str) -> Option<u64> {
    text.split(", ").map(|part| part.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests;
