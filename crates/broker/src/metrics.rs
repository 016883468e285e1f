//! Counters and histograms for Prometheus. Labels are words of closed lists and names of integrations; a secret has no way in.

use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use model::{Access, Call, Code, Door, IntegrationName, QuickMap, Refusal};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::State;
use crate::path::record::Trace;

/// The counters of a broker.
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    seconds: Family<DoorLabels, Histogram, fn() -> Histogram>,
    masked: Counter,
    retries: Counter,
    broken_glass: Counter,
    tunnels: Gauge,
    left_alone: Family<IntegrationLabels, Gauge>,
    sealed: Gauge,
    open: Gauge,
    /// The counters of `calls` and the histograms of `seconds` that were asked for: finding one by its labels hashes all of
    /// their text.
    known_calls: RwLock<QuickMap<CallKey, Counter>>,
    known_seconds: [OnceLock<Histogram>; Door::ALL.len()],
}

/// What [`CallLabels`] are made of.
type CallKey = (IntegrationName, Access, Door, &'static str);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    integration: Named,
    access: &'static str,
    door: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
    door: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DoorLabels {
    door: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IntegrationLabels {
    integration: Named,
}

/// A name as a label; cloning it copies no text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Named(IntegrationName);

impl EncodeLabelValue for Named {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.as_str().encode(encoder)
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("doorward");
        let (calls, refusals) = (Family::default(), Family::default());
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let (masked, sealed, open) = (Counter::default(), Gauge::default(), Gauge::default());
        let (retries, broken_glass) = (Counter::default(), Counter::default());
        let (tunnels, left_alone) = (Gauge::default(), Family::default());
        registry.register("calls", "Calls that were performed", calls.clone());
        registry.register("refusals", "Calls that were refused", refusals.clone());
        registry.register("call_seconds", "Time from request to outcome", seconds.clone());
        registry.register("masked", "Times a credential was masked in a reply", masked.clone());
        registry.register("retries", "Requests that were sent once more", retries.clone());
        let broken = "Calls for which somebody broke the glass";
        registry.register("break_glass", broken, broken_glass.clone());
        registry.register("tunnels", "WebSockets that are open", tunnels.clone());
        registry.register("breaker_open", "1 while a service is left alone", left_alone.clone());
        registry.register("sealed", "1 while the broker is sealed", sealed.clone());
        registry.register("open_intents", "Intents without an outcome", open.clone());
        let (known_calls, known_seconds) = (RwLock::default(), Default::default());
        Self {
            registry,
            calls,
            refusals,
            seconds,
            masked,
            retries,
            broken_glass,
            tunnels,
            left_alone,
            sealed,
            open,
            known_calls,
            known_seconds,
        }
    }

    fn call(&self, call: &Call, door: Door, result: &'static str) -> Counter {
        let key = (call.integration().clone(), call.access(), door, result);
        if let Some(counter) = self.known_calls.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return counter.clone();
        }
        let labels = CallLabels {
            integration: Named(call.integration().clone()),
            access: call.access().as_str(),
            door: door.as_str(),
            result,
        };
        let counter = self.calls.get_or_create(&labels).clone();
        let mut known = self.known_calls.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(key).or_insert(counter).clone()
    }

    fn observe(&self, door: Door, took: Duration) {
        let made = || self.seconds.get_or_create(&DoorLabels { door: door.as_str() }).clone();
        match self.known_seconds.get(door as usize) {
            Some(known) => known.get_or_init(made).observe(took.as_secs_f64()),
            None => made().observe(took.as_secs_f64()),
        }
    }

    /// All of them in Prometheus' text format.
    pub(crate) fn text(&self, state: State, open: usize, left_alone: &[IntegrationName]) -> String {
        self.left_alone.clear();
        for name in left_alone {
            self.left_alone.get_or_create(&IntegrationLabels { integration: Named(name.clone()) }).set(1);
        }
        self.sealed.set(i64::from(state == State::Sealed));
        self.open.set(i64::try_from(open).unwrap_or(i64::MAX));
        let mut out = String::new();
        // Writing to a String does not fail; an empty answer would be seen by whoever scrapes.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

/// Counts a refusal.
pub(crate) fn refused(metrics: &Metrics, trace: &Trace, refusal: &Refusal) {
    let labels = RefusalLabels { code: refusal.code.as_str(), door: trace.door().as_str() };
    metrics.refusals.get_or_create(&labels).inc();
}

/// Counts a call that had an intent, how it ended, and how long that took.
pub(crate) fn performed(
    metrics: &Metrics,
    (call, door): (&Call, Door),
    took: Duration,
    refusal: Option<&Refusal>,
) {
    let result = match refusal {
        None => "done",
        Some(refusal) if refusal.code == Code::OutcomeUnknown => "unknown",
        Some(_) => "failed",
    };
    metrics.call(call, door, result).inc();
    metrics.observe(door, took);
}

/// WebSockets that are open.
pub(crate) const fn tunnels(metrics: &Metrics) -> &Gauge {
    &metrics.tunnels
}

/// Counts requests that were sent once more.
pub(crate) fn repeated(metrics: &Metrics, times: u32) {
    metrics.retries.inc_by(times.into());
}

/// Counts a call for which somebody broke the glass.
pub(crate) fn broken_glass(metrics: &Metrics) {
    metrics.broken_glass.inc();
}

/// Counts how often a credential was found in a reply.
pub(crate) fn masked(metrics: &Metrics, hits: u64) {
    if hits > 0 {
        metrics.masked.inc_by(hits);
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// Upper ends in seconds: fine where a gateway's own share is seen, and up to the longest calls of a model.
const BUCKETS: [f64; 22] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1,
    0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
