//! Sends batches to the collector, on a thread of its own.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{Request, Response, StatusCode};
use model::Authority;
use net::egress::{Egress, EgressConfig, EgressLimits, Roots};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use super::otlp::{self, Encoding, Resource};
use super::queue::{Fate, Over, Queue};
use crate::wire;

/// Where spans go, and how.
pub(super) struct Target {
    pub(super) authority: Authority,
    pub(super) path: String,
    /// What the collector wants to see; credentials among it.
    pub(super) headers: HeaderMap,
    pub(super) encoding: Encoding,
    pub(super) within: Duration,
    pub(super) roots: Roots,
    pub(super) resource: Resource,
}

/// Exports until the end is called for. Blocks.
pub(super) fn run(queue: &Queue, target: &Target) {
    let runtime = match wire::runtime() {
        Ok(runtime) => runtime,
        Err(failure) => return tracing::error!(%failure, "traces are not exported"),
    };
    let limits = EgressLimits { connect: target.within, reply: target.within, bytes: LARGEST };
    let egress = Egress::new(EgressConfig { limits, roots: target.roots.clone(), ..EgressConfig::default() });
    let mut sender = Sender { queue, target, runtime, egress, trouble: Trouble::None, last: None };
    while let Some(spans) = queue.next() {
        if !spans.is_empty() {
            sender.deliver(&spans);
        }
    }
}

struct Sender<'a> {
    queue: &'a Queue,
    target: &'a Target,
    runtime: Runtime,
    egress: Egress,
    trouble: Trouble,
    /// Until when the rest is sent, once the end was called for.
    last: Option<Instant>,
}

/// Whether the log has said that nothing arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Said,
}

/// What became of one request.
enum Sent {
    /// It arrived; so many spans were not wanted.
    Taken { rejected: usize },
    /// It may be sent again, not before this.
    Again(String, Option<Duration>),
    /// It would be refused again.
    Refused(String),
}

impl Sender<'_> {
    fn deliver(&mut self, spans: &[Over]) {
        let body = Bytes::from(otlp::encode(self.target.encoding, &self.target.resource, spans));
        let mut pause = FIRST_PAUSE;
        for attempt in 1_u32.. {
            if self.is_over() {
                return self.lost(spans.len(), "the end came first");
            }
            match self.send(body.clone()) {
                Sent::Taken { rejected } => {
                    let rejected = rejected.min(spans.len());
                    self.queue.count(Fate::Exported, spans.len() - rejected);
                    self.queue.count(Fate::Rejected, rejected);
                    if self.trouble == Trouble::Said {
                        tracing::warn!(collector = %self.target.authority, "traces arrive again");
                        self.trouble = Trouble::None;
                    }
                    return;
                }
                Sent::Refused(why) => return self.lost(spans.len(), &why),
                Sent::Again(why, _) if attempt >= ATTEMPTS => return self.lost(spans.len(), &why),
                Sent::Again(why, wanted) => {
                    self.said(&why);
                    self.queue.pause(wanted.unwrap_or(pause).clamp(pause, LONGEST_PAUSE));
                    pause *= 2;
                }
            }
        }
    }

    fn send(&self, body: Bytes) -> Sent {
        let target = self.target;
        let request = Request::post(&target.path)
            .header(CONTENT_TYPE, target.encoding.media_type())
            .header(USER_AGENT, concat!("doorward/", env!("CARGO_PKG_VERSION")))
            .body(body);
        let Ok(mut request) = request else {
            return Sent::Refused("the endpoint's path can't be asked".to_owned());
        };
        request.headers_mut().extend(target.headers.clone());
        match self.runtime.block_on(self.egress.send(&target.authority, request)) {
            Ok(reply) => judged(target.encoding, &reply),
            Err(error @ net::Error::Address { .. }) => Sent::Refused(error.to_string()),
            Err(error) => Sent::Again(error.to_string(), None),
        }
    }

    /// Whether there is no time left.
    fn is_over(&mut self) -> bool {
        if !self.queue.is_ending() {
            return false;
        }
        let now = Instant::now();
        now >= *self.last.get_or_insert(now + super::LAST)
    }

    fn lost(&mut self, spans: usize, why: &str) {
        self.queue.count(Fate::Undelivered, spans);
        self.said(why);
    }

    /// Said once, until it works again.
    fn said(&mut self, why: &str) {
        if self.trouble == Trouble::None {
            tracing::warn!(collector = %self.target.authority, why, "traces do not arrive; `doorward_trace_spans_total` counts what is lost");
            self.trouble = Trouble::Said;
        }
    }
}

fn judged(encoding: Encoding, reply: &Response<Zeroizing<Vec<u8>>>) -> Sent {
    let status = reply.status();
    let why = || format!("the collector answered {}", status.as_u16());
    match status {
        status if status.is_success() => Sent::Taken { rejected: otlp::rejected(encoding, reply.body()) },
        // What the protocol calls retryable.
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let wanted = reply.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Sent::Again(why(), wanted.map(Duration::from_secs))
        }
        _ => Sent::Refused(why()),
    }
}

/// How often a batch is sent at most.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Largest answer of a collector that is read.
const LARGEST: usize = 64 * 1024;
