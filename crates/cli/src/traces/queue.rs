//! What waits to be sent, and the counters of it.

use std::fmt::Write as _;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use broker::SystemClock;
use broker::spans::{Begun, Remote, Span, Watcher};
use model::Clock as _;

use super::sampler::Sampler;

/// How much waits, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Most spans that wait.
    pub(super) most: usize,
    /// Most spans in one request.
    pub(super) batch: usize,
    /// How long a span waits for others.
    pub(super) delay: Duration,
}

/// Spans that are over, until they are sent.
pub(super) struct Queue {
    sampler: Sampler,
    bounds: Bounds,
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// What the clock said when the queue was made; from there on it is counted, so that spans never run backwards.
    origin: (Instant, Duration),
    counters: [AtomicU64; Fate::ALL.len()],
}

#[derive(Default)]
struct Waiting {
    spans: Vec<Over>,
    ending: bool,
    /// The thread that sends has ended.
    sent: bool,
}

/// A span and when it ended.
pub(super) struct Over {
    pub(super) span: Span,
    /// Since 1970.
    pub(super) end: Duration,
}

/// What became of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A collector took it.
    Exported,
    /// The collector answered, and did not want it.
    Rejected,
    /// It could not be delivered.
    Undelivered,
    /// The queue was full.
    Dropped,
}

impl Fate {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Exported, "exported"),
        (Self::Rejected, "rejected"),
        (Self::Undelivered, "undelivered"),
        (Self::Dropped, "dropped"),
    ];
}

impl Queue {
    pub(super) fn new(sampler: Sampler, bounds: Bounds) -> Self {
        let since_1970 = Duration::from_millis(SystemClock::default().now().millis());
        Self {
            sampler,
            bounds,
            waiting: Mutex::default(),
            wake: Condvar::new(),
            origin: (Instant::now(), since_1970),
            counters: Default::default(),
        }
    }

    /// Nothing more will come: waits until the rest was sent, but no longer than this.
    pub(super) fn end(&self, longest: Duration) {
        let mut waiting = self.waiting();
        waiting.ending = true;
        self.wake.notify_all();
        drop(self.wake.wait_timeout_while(waiting, longest, |waiting| !waiting.sent));
    }

    /// The rest was sent.
    pub(super) fn sent(&self) {
        self.waiting().sent = true;
        self.wake.notify_all();
    }

    pub(super) fn is_ending(&self) -> bool {
        self.waiting().ending
    }

    /// Waits until the end is called for, but no longer than this.
    pub(super) fn pause(&self, longest: Duration) {
        let waiting = self.waiting();
        drop(self.wake.wait_timeout_while(waiting, longest, |waiting| !waiting.ending));
    }

    /// The next batch; `None` when the end was called for and nothing is left. Blocks.
    pub(super) fn next(&self) -> Option<Vec<Over>> {
        let batch = self.bounds.batch;
        let waiting = self.waiting();
        let early = |waiting: &mut Waiting| !waiting.ending && waiting.spans.len() < batch;
        let waited = self.wake.wait_timeout_while(waiting, self.bounds.delay, early);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if waiting.spans.len() <= batch {
            let spans = mem::take(&mut waiting.spans);
            return if spans.is_empty() && waiting.ending { None } else { Some(spans) };
        }
        let rest = waiting.spans.split_off(batch);
        Some(mem::replace(&mut waiting.spans, rest))
    }

    /// Counts what became of some.
    pub(super) fn count(&self, fate: Fate, spans: usize) {
        if let Some(counter) = self.counters.get(fate as usize) {
            counter.fetch_add(u64::try_from(spans).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Queue {
    fn begins(&self, parent: Option<&Remote>) -> Option<Begun> {
        let random: [u8; 24] = crypto::array().ok()?;
        let (fresh, id) = (random.first_chunk::<16>().copied()?, random.last_chunk::<8>().copied()?);
        let trace = parent.map_or(fresh, |parent| parent.trace);
        Some(Begun { trace, id, sampled: self.sampler.keeps(&trace, parent) })
    }

    fn id(&self) -> Option<[u8; 8]> {
        crypto::array().ok()
    }

    fn ended(&self, span: Span) {
        let (began, since_1970) = self.origin;
        let over = Over { span, end: since_1970 + began.elapsed() };
        let mut waiting = self.waiting();
        if waiting.spans.len() >= self.bounds.most {
            drop(waiting);
            return self.count(Fate::Dropped, 1);
        }
        waiting.spans.push(over);
        // Once for each batch: waking somebody costs more than all the rest.
        let full = waiting.spans.len() == self.bounds.batch;
        drop(waiting);
        if full {
            self.wake.notify_one();
        }
    }

    fn numbers(&self) -> String {
        let mut text = String::from(
            "# HELP doorward_trace_spans Spans of traces, by what became of them.\n# TYPE doorward_trace_spans counter\n",
        );
        for ((_, fate), counter) in Fate::ALL.iter().zip(&self.counters) {
            let count = counter.load(Ordering::Relaxed);
            let _ = writeln!(text, "doorward_trace_spans_total{{result=\"{fate}\"}} {count}");
        }
        text
    }
}
