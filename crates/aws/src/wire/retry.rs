//! Which failures pass, and how long to wait before the next attempt.

use std::time::Duration;

use http::{HeaderMap, header};
use model::Timestamp;
use net::Sent;

use super::{Error, Fault, Repeat};

/// Whether the same request may be answered a moment later.
pub(super) fn fault_is_passing(fault: &Fault, repeat: Repeat) -> bool {
    // Whoever is told to slow down was not served, whatever it asked for.
    let throttled = fault.status() == 429 || THROTTLED.contains(&fault.code());
    throttled || (fault.status() >= 500 && fault.status() != 501 && repeat == Repeat::Harmless)
}

/// Whether the same request may be answered when it is sent again.
pub(super) fn failure_is_passing(error: &Error, repeat: Repeat) -> bool {
    let Error::Net { source, .. } = error else { return false };
    match source {
        net::Error::Unreachable { .. } => true,
        net::Error::Timeout { sent, .. } | net::Error::Closed { sent, .. } => {
            *sent == Sent::Nothing || repeat == Repeat::Harmless
        }
        _ => false,
    }
}

/// The wait that an answer asks for, in seconds, where it is one that a person would wait for.
pub(super) fn asked_for(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    (seconds <= 20).then(|| Duration::from_secs(seconds))
}

/// A random wait of at most 0.4 seconds behind the first attempt, 0.8 behind the second.
pub(super) fn backoff(attempt: u32) -> Duration {
    let most = 200_u64 << attempt.min(6);
    let random: [u8; 8] = crypto::array().unwrap_or_default();
    Duration::from_millis(u64::from_le_bytes(random) % (most + 1))
}

/// The time at which an answer was given.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
}

/// Codes by which the services of AWS say that they were asked too often.
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "PriorRequestNotComplete",
    "TransactionInProgressException",
    "SlowDown",
];
