//! The headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).

use http::header::{HeaderMap, HeaderName, HeaderValue};
use model::Quota;

/// How a rate stands.
pub const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What the rate is.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Tells how a rate of ours stands. Where a service tells how its own stands, that stays: it is the one which a program that
/// knows the service waits for.
pub fn mark(headers: &mut HeaderMap, quota: &Quota) {
    if headers.contains_key(LIMIT) || headers.contains_key(POLICY) {
        return;
    }
    let Quota { policy, calls, per, left, reset } = quota;
    let texts = [
        (LIMIT, format!("\"{policy}\";r={left};t={}", seconds(*reset))),
        (POLICY, format!("\"{policy}\";q={calls};w={}", seconds(*per))),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(time: std::time::Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests;
