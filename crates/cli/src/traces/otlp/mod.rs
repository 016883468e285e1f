//! Spans in the words of OpenTelemetry, as protocol buffers or JSON (OTLP 1.0).
//!
//! Names of attributes are those of the semantic conventions for HTTP; what they have no word for begins with `doorward.`.

mod json;
mod protobuf;

use std::time::Duration;

use broker::spans::{Side, Span};
use model::{Door, Scheme};

use super::queue::Over;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Who exports: names and values.
pub(super) type Resource = Vec<(String, String)>;

/// One request for the collector.
pub(super) fn encode(encoding: Encoding, resource: &Resource, spans: &[Over]) -> Vec<u8> {
    let spans = spans.iter().map(Entry::of).collect::<Vec<_>>();
    match encoding {
        Encoding::Protobuf => protobuf::request(resource, &spans),
        Encoding::Json => json::request(resource, &spans),
    }
}

/// How many spans an answer of 200 says were not taken (`partial_success`).
pub(super) fn rejected(encoding: Encoding, answer: &[u8]) -> usize {
    match encoding {
        Encoding::Protobuf => protobuf::rejected(answer),
        Encoding::Json => json::rejected(answer),
    }
}

/// A span as it is exported.
struct Entry {
    trace: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: String,
    kind: Kind,
    start: u64,
    end: u64,
    attributes: Vec<(&'static str, Value)>,
    failed: bool,
    flags: u32,
}

/// `SpanKind`, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server = 2,
    Client = 3,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Entry {
    fn of(over: &Over) -> Self {
        let Over { span, end } = over;
        let kind = match span.side {
            Side::Served(_) => Kind::Server,
            Side::Sent => Kind::Client,
        };
        let attributes = attributes(span);
        let remote = kind == Kind::Server && span.parent.is_some();
        Self {
            trace: span.trace,
            id: span.id,
            parent: span.parent,
            name: name(span),
            kind,
            start: nanos(end.saturating_sub(span.took)),
            end: nanos(*end),
            failed: has_failed(span),
            attributes,
            flags: if remote { SAMPLED | KNOWN_ORIGIN | REMOTE } else { SAMPLED | KNOWN_ORIGIN },
        }
    }
}

/// A name that few spans differ in: the operation, never the path.
fn name(span: &Span) -> String {
    match (&span.request, &span.operation) {
        (Some((method, ..)), Some((integration, operation, _))) => {
            format!("{} {integration}/{operation}", method.as_str())
        }
        (_, Some((integration, operation, _))) => format!("{integration}/{operation}"),
        (_, None) => "call".to_owned(),
    }
}

/// What a refusal of the caller's own fault is for a server, is a failure for whoever asked.
fn has_failed(span: &Span) -> bool {
    match (span.side, span.status) {
        (Side::Served(_), Some(status)) => status >= 500,
        (Side::Sent, Some(status)) => status >= 400,
        (_, None) => span.code.is_some(),
    }
}

fn attributes(span: &Span) -> Vec<(&'static str, Value)> {
    let mut list = Vec::with_capacity(12);
    let mut text = |name, value: &dyn std::fmt::Display| list.push((name, Value::Text(value.to_string())));
    if let Side::Served(door) = span.side {
        text("doorward.door", &door.as_str());
        text("doorward.evidence", &span.evidence);
        if let Some((tenant, principal)) = &span.caller {
            text("doorward.tenant", tenant);
            text("doorward.principal", principal);
        }
    }
    if let Some((integration, operation, access)) = &span.operation {
        text("doorward.integration", integration);
        text("doorward.operation", operation);
        text("doorward.access", &access.as_str());
    }
    if let Some((method, authority, path)) = &span.request {
        match span.side {
            Side::Served(Door::Gateway) => {
                text("http.request.method", &method.as_str());
                text("url.path", path);
            }
            Side::Served(_) => {}
            Side::Sent => {
                text("http.request.method", &method.as_str());
                text("server.address", &authority.host());
                text("url.full", &format!("{authority}{path}"));
                text("url.scheme", &if authority.scheme() == Scheme::Https { "https" } else { "http" });
            }
        }
    }
    if let Some(code) = span.code {
        text("error.type", &code.as_str());
    } else if let Some(status) = span.status.filter(|_| has_failed(span)) {
        text("error.type", &status);
    }
    if let (Side::Sent, Some((_, authority, _))) = (span.side, &span.request) {
        list.push(("server.port", Value::Number(authority.port().into())));
    }
    list.extend(span.status.map(|status| ("http.response.status_code", Value::Number(status.into()))));
    list
}

fn nanos(since_1970: Duration) -> u64 {
    u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX)
}

const SAMPLED: u32 = 1;
/// Whether the parent was somebody else's is known.
const KNOWN_ORIGIN: u32 = 1 << 8;
const REMOTE: u32 = 1 << 9;
const SCOPE: &str = "doorward";
const VERSION: &str = env!("CARGO_PKG_VERSION");
