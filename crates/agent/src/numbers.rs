//! The agent's numbers in Prometheus' text format: the names of the seed, beside those of the broker.
//!
//! What passed this door is counted here, from the answers; what the broker keeps is asked of it, in the owner's name, and not
//! more often than each fifteen seconds, because it is an operation like any other and leaves evidence.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broker::{Asked, Inbound, Operate, Outbound, Payload, Worker};
use model::{Door, Fact, Holder, Inputs};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Gauges;
use crate::lines::resources::Numbers as Process;

/// What was answered, by kind.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    requests: AtomicU64,
    grants: AtomicU64,
    denials: AtomicU64,
    validations: AtomicU64,
    valid: AtomicU64,
    invalid: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Counted {
    /// Decisions that were remembered, and that were made.
    pub(crate) fn cache(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Counts one answer of an operation.
    pub(crate) fn note(&self, operation: &str, told: Option<&Value>) {
        let one = |counter: &AtomicU64| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let at = |path: &str| told.and_then(|told| told.pointer(path));
        match operation {
            "agent.request" | "agent.narrow" => {
                one(&self.requests);
                match at("/status").and_then(Value::as_str) {
                    Some("granted") => one(&self.grants),
                    _ => one(&self.denials),
                }
                match at("/policy_result/cache_hit").and_then(Value::as_bool) {
                    Some(true) => one(&self.hits),
                    Some(false) => one(&self.misses),
                    None => {}
                }
            }
            "agent.validate" => {
                one(&self.validations);
                let valid = at("/valid").and_then(Value::as_bool) == Some(true);
                one(if valid { &self.valid } else { &self.invalid });
            }
            _ => {}
        }
    }
}

/// Whoever shows the numbers.
pub struct Numbers {
    worker: Arc<Worker>,
    gauges: Arc<Gauges>,
    /// When it was asked, and what was said.
    kept: Mutex<Option<(Instant, Option<u64>)>>,
}

impl Numbers {
    /// The numbers of one agent.
    #[must_use]
    pub fn new(worker: Arc<Worker>, gauges: Arc<Gauges>) -> Self {
        Self { worker, gauges, kept: Mutex::default() }
    }

    /// Lines of Prometheus' text format, without its end.
    pub async fn text(&self) -> String {
        let active = self.active().await;
        let counted = &self.gauges.counted;
        let now = |counter: &AtomicU64| Some(counter.load(Ordering::Relaxed));
        let process = Process::read();
        let cpu = process.cpu.map(|cpu| format!("{:.2}", self.gauges.share(cpu)));
        let (hits, misses) = (now(&counted.hits), now(&counted.misses));
        let evaluations = hits.zip(misses).map(|(hits, misses)| hits + misses);
        let events = events(&self.worker.broker().metrics_text());
        let rows = [
            ("capabilities_total", COUNTER, "Capabilities that were given", now(&counted.grants).map(text)),
            ("capabilities_active", GAUGE, "Capabilities that hold now", active.map(text)),
            ("policy_evaluations_total", COUNTER, "Requests that policies decided", evaluations.map(text)),
            ("audit_events_total", COUNTER, "Calls and refusals on record", Some(events.to_string())),
            ("ipc_connections_active", GAUGE, "Connections", Some(self.gauges.connections().to_string())),
            ("memory_usage_bytes", GAUGE, "Memory that is resident", process.memory.map(text)),
            ("cpu_usage_percent", GAUGE, "Time on the processors since the start", cpu),
            ("capability_requests_total", COUNTER, "Requests", now(&counted.requests).map(text)),
            (
                "capability_grants_total",
                COUNTER,
                "Requests that were granted",
                now(&counted.grants).map(text),
            ),
            (
                "capability_denials_total",
                COUNTER,
                "Requests that were denied",
                now(&counted.denials).map(text),
            ),
            ("validation_requests_total", COUNTER, "Validations", now(&counted.validations).map(text)),
            ("validation_success_total", COUNTER, "Validations of what holds", now(&counted.valid).map(text)),
            (
                "validation_failures_total",
                COUNTER,
                "Validations of what does not",
                now(&counted.invalid).map(text),
            ),
            ("cache_hits_total", COUNTER, "Decisions that were remembered", hits.map(text)),
            ("cache_misses_total", COUNTER, "Decisions that were made", misses.map(text)),
        ];
        let mut out = String::new();
        for (name, kind, help, value) in rows {
            let Some(value) = value else { continue };
            // The name of a counter's family has no ending (OpenMetrics 1.0, section 5.1).
            let family = name.strip_suffix("_total").unwrap_or(name);
            let _ = write!(
                out,
                "# HELP {PREFIX}{family} {help}.\n# TYPE {PREFIX}{family} {kind}\n{PREFIX}{name} {value}\n"
            );
        }
        out
    }

    /// How many hold now, at most fifteen seconds old; nothing where the broker does not say.
    async fn active(&self) -> Option<u64> {
        let mut kept = self.kept.lock().await;
        if let Some((at, active)) = *kept
            && at.elapsed() < FRESH
        {
            return active;
        }
        let holder = Holder { uid: Some(rustix::process::geteuid().as_raw()), ..Holder::default() };
        let active = total(&self.worker, Fact { holder, ..Fact::default() }, "active").await;
        *kept = Some((Instant::now(), active));
        active
    }
}

/// How many capabilities are in this state, or in any for an empty word, as this caller may know.
pub(crate) async fn total(worker: &Arc<Worker>, facts: Fact, status: &str) -> Option<u64> {
    let payload = serde_json::json!({ "filter": { "status": status, "limit": 1 } });
    let operate = Operate::new("doorward".parse().ok()?, "agent.list".parse().ok()?, Inputs::new())
        .with(Some(Payload::new(payload.to_string().into_bytes()).ok()?));
    let inbound = Inbound { door: Door::Socket, facts, capability: None, asked: Asked::Operate(operate) };
    match worker.call(inbound).await.ok()? {
        Outbound::Answer(answer) => answer.value.get("total")?.as_u64(),
        Outbound::Reply(..) | Outbound::Lease(..) => None,
    }
}

/// Calls and refusals since the start, each of which is on record, from the broker's own numbers.
pub(crate) fn events(numbers: &str) -> u64 {
    let counted = numbers.lines().filter(|line| {
        ["doorward_calls_total{", "doorward_refusals_total{"].iter().any(|name| line.starts_with(name))
    });
    counted.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Numbers").field("gauges", &self.gauges).finish_non_exhaustive()
    }
}

fn text(number: u64) -> String {
    number.to_string()
}

const PREFIX: &str = "vault_agent_";
const COUNTER: &str = "counter";
const GAUGE: &str = "gauge";
const FRESH: Duration = Duration::from_secs(15);
