//! The counters of another gateway under its names, so that dashboards and alarms that were made for it go on.
//!
//! Labels are names of integrations that are configured (`unknown` for whatever else a request names), statuses, and reasons of a
//! closed list. What a caller writes has no way in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use model::{Code, Refusal};

/// The counters, shared by all threads of a gateway.
#[derive(Debug, Clone, Default)]
pub struct Numbers(Arc<RwLock<BTreeMap<Box<str>, Arc<Counts>>>>);

/// Those of one integration.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    limited: AtomicU64,
    unproven: AtomicU64,
    upstream: Mutex<BTreeMap<u16, u64>>,
    internal: Mutex<BTreeMap<(u16, &'static str), u64>>,
    took: Mutex<Took>,
}

/// How long requests took, from the head of the request to the head of the reply.
#[derive(Debug, Default)]
struct Took {
    within: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Numbers {
    /// Counts a reply of the service.
    pub(crate) fn replied(&self, integration: Option<&str>, status: StatusCode, took: Duration) {
        let counts = self.of(integration);
        counts.answered(took);
        *locked(&counts.upstream).entry(status.as_u16()).or_default() += 1;
    }

    /// Counts what the gateway refused by itself.
    pub(crate) fn refused(
        &self,
        integration: Option<&str>,
        (status, refusal): (StatusCode, &Refusal),
        took: Duration,
    ) {
        let counts = self.of(integration);
        counts.answered(took);
        let reason = reason(refusal);
        let of_its_kind = match reason {
            "caller_rate_limited" | "integration_rate_limited" => Some(&counts.limited),
            "incoming_auth_failure" | "outgoing_auth_failure" => Some(&counts.unproven),
            _ => None,
        };
        if let Some(counter) = of_its_kind {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        *locked(&counts.internal).entry((status.as_u16(), reason)).or_default() += 1;
    }

    /// All of them as lines of text, without its end.
    #[must_use]
    pub fn text(&self) -> String {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        let mut each = |name: &str, kind: &str, lines: &dyn Fn(&str, &Counts, &mut String)| {
            let before = out.len();
            let _ = writeln!(out, "# TYPE authtranslator_{name} {kind}");
            let head = out.len();
            all.iter().for_each(|(integration, counts)| lines(integration, counts, &mut out));
            // A kind without a line is not named.
            if out.len() == head {
                out.truncate(before);
            }
        };
        for (name, of) in SINGLE {
            each(name, "counter", &|integration, counts, out| {
                let count = of(counts).load(Ordering::Relaxed);
                let _ = writeln!(out, "authtranslator_{name}_total{{integration=\"{integration}\"}} {count}");
            });
        }
        each("upstream_responses", "counter", &|integration, counts, out| {
            for (code, count) in locked(&counts.upstream).iter() {
                let labels = format!("integration=\"{integration}\",code=\"{code}\"");
                let _ = writeln!(out, "authtranslator_upstream_responses_total{{{labels}}} {count}");
            }
        });
        each("internal_responses", "counter", &|integration, counts, out| {
            for ((code, reason), count) in locked(&counts.internal).iter() {
                let labels = format!("integration=\"{integration}\",code=\"{code}\",reason=\"{reason}\"");
                let _ = writeln!(out, "authtranslator_internal_responses_total{{{labels}}} {count}");
            }
        });
        each("end_to_end_duration_seconds", "histogram", &|integration, counts, out| {
            locked(&counts.took).write(integration, out);
        });
        out
    }

    fn of(&self, integration: Option<&str>) -> Arc<Counts> {
        let name = integration.unwrap_or(UNKNOWN);
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(known);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(name.into()).or_default())
    }
}

/// The same counters, not equal ones.
impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Numbers {}

impl Counts {
    fn answered(&self, took: Duration) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        locked(&self.took).add(took.as_secs_f64());
    }
}

impl Took {
    fn add(&mut self, seconds: f64) {
        self.count += 1;
        self.seconds += seconds;
        for (end, within) in BUCKETS.iter().zip(&mut self.within) {
            *within += u64::from(seconds <= *end);
        }
    }

    fn write(&self, integration: &str, out: &mut String) {
        let name = "authtranslator_end_to_end_duration_seconds";
        let labels = format!("integration=\"{integration}\"");
        for (end, within) in BUCKETS.iter().zip(self.within) {
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{end:?}\"}} {within}");
        }
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", self.seconds);
        let _ = writeln!(out, "{name}_count{{{labels}}} {}", self.count);
    }
}

/// The other gateway's word for why it refused; for what it never refuses, ours.
fn reason(refusal: &Refusal) -> &'static str {
    match (refusal.code, refusal.reason.as_deref()) {
        (Code::NotFound, _) => "integration_not_found",
        (Code::Unauthenticated | Code::Expired | Code::Revoked, _) => "incoming_auth_failure",
        (Code::SecretMissing | Code::SourceUnavailable, _) => "outgoing_auth_failure",
        (Code::RateLimited, _) if super::is_of_all(refusal) => "integration_rate_limited",
        (Code::RateLimited, _) => "caller_rate_limited",
        (Code::Denied, Some(reason)) if reason.starts_with("denylist matched") => "denylist_match",
        (Code::Denied, None | Some("no allowlist match")) => "no_allowlist_match",
        (Code::Denied, Some(_)) => "constraint_failure",
        (Code::BadRequest, _) if refusal.message.starts_with("invalid destination") => "invalid_destination",
        (code, _) => code.as_str(),
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

type Single = (&'static str, fn(&Counts) -> &AtomicU64);
/// Those with nothing but the integration.
const SINGLE: [Single; 3] = [
    ("requests", |counts| &counts.requests),
    ("rate_limit_events", |counts| &counts.limited),
    ("auth_failures", |counts| &counts.unproven),
];
/// Upper ends in seconds: theirs, and finer ones below.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Whatever names no integration that is configured.
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests;
