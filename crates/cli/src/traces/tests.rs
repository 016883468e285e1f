//! What the variables say, which traces are kept, and what becomes of spans that wait.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use broker::spans::{Remote, Side, Span, Watcher as _};
use model::{Door, EvidenceId, Timestamp};

use super::otlp::{Encoding, encode, rejected};
use super::queue::{Bounds, Over, Queue};
use super::sampler::{Parents, Sampler, Share};
use super::settings;
use crate::failure::Failure;

fn plan(variables: &[(&str, &str)]) -> Result<Option<settings::Plan>, Failure> {
    let variables: BTreeMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    settings::read(&|name| variables.get(name).cloned())
}

const COMMON: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/");

fn span(number: u8) -> Span {
    Span {
        trace: [number; 16],
        id: [number; 8],
        parent: None,
        side: Side::Served(Door::Gateway),
        took: Duration::from_millis(3),
        evidence: EvidenceId::new(Timestamp::from_millis(1), [0; 10]),
        caller: None,
        operation: None,
        request: None,
        status: Some(200),
        code: None,
    }
}

#[test]
fn without_a_collector_there_are_no_traces_and_switches_win() {
    for variables in [
        &[][..],
        &[("OTEL_SERVICE_NAME", "shop")],
        &[("OTEL_RESOURCE_ATTRIBUTES", "a=b")],
        &[COMMON, ("OTEL_SDK_DISABLED", "TRUE")],
        &[COMMON, ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        assert!(plan(variables).unwrap().is_none(), "{variables:?}");
    }
    assert!(plan(&[("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().is_some());
}

#[test]
fn the_address_for_everything_gets_the_usual_path_and_that_for_traces_none() {
    let path = |variables: &[_]| plan(variables).unwrap().unwrap().target.path;
    assert_eq!(path(&[COMMON]), "/v1/traces");
    assert_eq!(path(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://in.example/otlp")]), "/otlp/v1/traces");
    let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    assert_eq!(path(&[COMMON, (own, "http://localhost:4318")]), "/");
    assert_eq!(path(&[COMMON, (own, "http://localhost:4318/a/b")]), "/a/b");
}

#[test]
fn what_is_not_here_or_misspelt_stops_the_start_and_no_value_is_shown() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "localhost:4317"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://user:canary@localhost"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost/?canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "host=canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=canary%0A"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "always"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_RESOURCE_ATTRIBUTES", "canary"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
    ] {
        let failure = plan(&[COMMON, (name, value)]).map(|_| ()).unwrap_err();
        assert!(failure.message.contains(name) && !failure.message.contains("canary"), "{failure}");
        assert_eq!(failure.exit_status(), 2);
    }
    let part = [COMMON, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "1.5")];
    assert!(plan(&part).is_err());
}

#[test]
fn a_callers_decision_counts_where_the_sampler_says_so() {
    let keeps = |parents, share, sampled: Option<bool>| {
        let parent = sampled.map(|sampled| Remote { trace: [9; 16], span: [9; 8], sampled });
        Sampler { parents, share }.keeps(&[0x7F; 16], parent.as_ref())
    };
    assert!(!keeps(Parents::Count, Share::All, Some(false)));
    assert!(keeps(Parents::Count, Share::None, Some(true)));
    assert!(keeps(Parents::DoNot, Share::All, Some(false)));
    // 0x7F7F.. is 49.8 % of all.
    assert!(keeps(Parents::Count, Share::Part(0.5), None) && !keeps(Parents::Count, Share::Part(0.49), None));
    assert!(keeps(Parents::DoNot, Share::Part(1.0), None) && !keeps(Parents::DoNot, Share::Part(0.0), None));
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let bounds = Bounds { most: 3, batch: 2, delay: Duration::from_secs(600) };
    let queue = Queue::new(Sampler { parents: Parents::Count, share: Share::All }, bounds);
    for number in 1..=5 {
        queue.ended(span(number));
    }
    assert!(queue.numbers().contains("{result=\"dropped\"} 2"), "{}", queue.numbers());
    let batch = |queue: &Queue| {
        queue.next().map(|spans| spans.iter().map(|over| over.span.id[0]).collect::<Vec<_>>())
    };
    assert_eq!(batch(&queue), Some(vec![1, 2]));
    queue.end(Duration::ZERO);
    assert_eq!((batch(&queue), batch(&queue)), (Some(vec![3]), None));
}

#[test]
fn an_answer_that_says_what_was_not_taken_is_understood() {
    assert_eq!(rejected(Encoding::Json, br#"{"partialSuccess":{"rejectedSpans":"3"}}"#), 3);
    assert_eq!(rejected(Encoding::Json, b"{}"), 0);
    assert_eq!(rejected(Encoding::Json, b"\xff"), 0);
    // Field 1 of two bytes, in it field 1 with 300 as two bytes.
    assert_eq!(rejected(Encoding::Protobuf, &[0x0A, 0x03, 0x08, 0xAC, 0x02]), 300);
    for broken in [&[][..], &[0x0A], &[0x0A, 0x7F, 1], &[0xFF; 12], &[0x0B]] {
        assert_eq!(rejected(Encoding::Protobuf, broken), 0, "{broken:?}");
    }
}

#[test]
fn a_span_begins_as_long_before_its_end_as_it_took() {
    let over = Over { span: span(1), end: Duration::from_secs(100) };
    let text = encode(Encoding::Json, &Vec::new(), &[over]);
    let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let span = &text["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(
        (span["startTimeUnixNano"].as_str(), span["endTimeUnixNano"].as_str()),
        (Some("99997000000"), Some("100000000000"))
    );
    assert_eq!((span["kind"].as_u64(), span["traceId"].as_str()), (Some(2), Some(&*"01".repeat(16))));
}
