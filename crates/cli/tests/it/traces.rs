//! Traces for OpenTelemetry: what a collector gets, what the service gets, and what happens where there is no collector.

use std::collections::BTreeMap;
use std::time::Instant;

use testkit::{Doorward, Running, Upstream};

use crate::network_wire::{Reply, call, capability, gateway};
use crate::{HANG, home, write_integration};

/// A span as a collector understands it, read from protocol buffers without any of our own code.
#[derive(Debug, Default)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    kind: u64,
    start: u64,
    end: u64,
    attributes: BTreeMap<String, String>,
    status: u64,
}

/// Field numbers with what stands there, of one message.
fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>, u64)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = message[0];
            *message = &message[1..];
            value |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let length = match key & 7 {
            0 => {
                let number = varint(&mut message);
                found.push((key >> 3, Vec::new(), number));
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)).unwrap(),
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (bytes, rest) = message.split_at(length);
        let mut number = [0; 8];
        if key & 7 != 2 {
            number[..length].copy_from_slice(bytes);
        }
        found.push((key >> 3, bytes.to_vec(), u64::from_le_bytes(number)));
        message = rest;
    }
    found
}

fn part(message: &[u8], field: u64) -> Vec<Vec<u8>> {
    fields(message).into_iter().filter(|(known, ..)| *known == field).map(|(_, bytes, _)| bytes).collect()
}

fn attribute(message: &[u8]) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let value = fields(&part(message, 2)[0]).remove(0);
    let value = if value.0 == 1 { text(&value.1) } else { value.2.to_string() };
    (text(&part(message, 1)[0]), value)
}

fn spans(body: &[u8]) -> (BTreeMap<String, String>, Vec<Span>) {
    let resource_spans = part(body, 1).remove(0);
    let resource = part(&part(&resource_spans, 1)[0], 1).iter().map(|bytes| attribute(bytes)).collect();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let read = |bytes: Vec<u8>| {
        let mut span = Span::default();
        for (field, bytes, number) in fields(&bytes) {
            match field {
                1 => span.trace = hex(&bytes),
                2 => span.id = hex(&bytes),
                4 => span.parent = hex(&bytes),
                5 => span.name = String::from_utf8(bytes).unwrap(),
                6 => span.kind = number,
                7 => span.start = number,
                8 => span.end = number,
                9 => span.attributes.extend([attribute(&bytes)]),
                15 => span.status = fields(&bytes)[0].2,
                _ => {}
            }
        }
        span
    };
    (resource, part(&part(&resource_spans, 2)[0], 2).into_iter().map(read).collect())
}

/// So many spans of one kind.
type Kind<'a> = (usize, &'a dyn Fn(&Span) -> bool);

/// All spans that a collector has got, as soon as there are so many of each kind among them. Each comes in its own time.
fn collected(collector: &Upstream, kinds: &[Kind<'_>]) -> Vec<Span> {
    let until = Instant::now() + HANG;
    loop {
        let got: Vec<Span> = collector.requests().iter().flat_map(|request| spans(&request.body).1).collect();
        if kinds.iter().all(|(count, kind)| got.iter().filter(|span| kind(span)).count() >= *count) {
            return got;
        }
        assert!(Instant::now() < until, "spans are missing: {got:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// A gateway with an integration `house` before this upstream, and these variables.
fn started(doorward: &Doorward, upstream: &Upstream, variables: &[(&str, &str)]) -> Running {
    doorward.watch(upstream.canary());
    write_integration(
        doorward,
        &format!(
            "name: house\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}}}\n\
             auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 60s, head: 60s, total: 2m, idle: 60s}}\n\
             operations:\n  look: {{title: L, access: read, risk: low, match: {{method: GET, path: \"/{{rest...}}\"}}}}\n",
            upstream.url()
        ),
    );
    let mut command = doorward.command();
    command.args(["up", "--json", "--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.envs(variables.iter().copied());
    let running = doorward.start(command);
    let _ = doorward.run(&["secret", "put", "house/token"], upstream.canary()).succeeded();
    running
}

fn ask(running: &Running, path: &str, more: &str) -> Reply {
    let host = running.gateway_url.trim_start_matches("http://");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
    gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap()
}

#[track_caller]
fn assert_not_exported(collector: &Upstream, secrets: &[&str]) {
    let all: Vec<u8> = collector.requests().iter().flat_map(|request| request.body.to_vec()).collect();
    for secret in secrets {
        assert!(
            !all.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "{secret} was exported"
        );
    }
}

#[test]
fn a_collector_gets_a_span_for_the_call_and_one_for_the_service_and_the_trace_goes_on_there() {
    let (upstream, collector, doorward) = (Upstream::start(), Upstream::start(), home());
    doorward.watch(collector.canary());
    let endpoint = format!("{}/status/200", collector.url());
    let headers = format!("authorization=Bearer%20{}", collector.canary());
    let running = started(
        &doorward,
        &upstream,
        &[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
            ("OTEL_SERVICE_NAME", "front"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging%20eu"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ],
    );
    let token = capability(&running, "&integrations=house");
    let query = doorward.plant("query");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let named = format!(
        "Authorization: Bearer {token}\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\ntracestate: shop=7\r\n"
    );
    let reply = ask(&running, &format!("/house/echo?q={query}"), &named);
    assert_eq!(reply.status, 200);
    let all = collected(&collector, &[(2, &|span| span.trace == trace)]);
    let of_trace = |kind| all.iter().find(|span| span.trace == trace && span.kind == kind).unwrap();
    let (server, client) = (of_trace(2), of_trace(3));
    assert_eq!((server.parent.as_str(), client.parent.as_str()), ("00f067aa0ba902b7", server.id.as_str()));
    assert_eq!((server.name.as_str(), client.name.as_str()), ("GET house/unknown", "GET house/unknown"));
    assert!(server.start <= server.end && client.start <= client.end && server.start <= client.end);
    let evidence = reply.evidence().unwrap();
    for (name, value) in [
        ("doorward.door", "gateway"),
        ("doorward.evidence", evidence.as_str()),
        ("doorward.integration", "house"),
        ("doorward.access", "write"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("url.path", "/echo"),
    ] {
        assert_eq!(server.attributes.get(name).map(String::as_str), Some(value), "{name} in {server:?}");
    }
    let full = format!("{}/echo", upstream.url());
    assert_eq!(client.attributes["url.full"], full);
    assert_eq!(client.attributes["server.port"], upstream.address().port().to_string());
    let sent = upstream.last();
    let expected = format!("00-{trace}-{}-01", client.id);
    assert_eq!(
        (sent.header("traceparent"), sent.header("tracestate")),
        (Some(expected.as_str()), Some("shop=7"))
    );
    let (resource, _) = spans(&collector.last().body);
    assert_eq!(
        (resource["service.name"].as_str(), resource["deployment.environment.name"].as_str()),
        ("front", "staging eu")
    );
    assert_not_exported(&collector, &[&query, upstream.canary(), collector.canary(), &token]);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn refusals_are_spans_too_and_what_a_caller_does_not_keep_is_not_exported() {
    let (upstream, collector, doorward) = (Upstream::start(), Upstream::start(), home());
    let endpoint = format!("{}/open/status/200", collector.url());
    let running = started(
        &doorward,
        &upstream,
        &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "20")],
    );
    let token = capability(&running, "&integrations=house");
    let unkept = "11111111111111111111111111111111";
    let head = format!("Authorization: Bearer {token}\r\ntraceparent: 00-{unkept}-00f067aa0ba902b7-00\r\n");
    assert_eq!(ask(&running, "/house/echo", &head).status, 200);
    let passed = upstream.last().header("traceparent").unwrap().to_owned();
    assert!(passed.starts_with(&format!("00-{unkept}-")) && passed.ends_with("-00"), "{passed}");
    // One that is malformed begins a new trace, and what was said of the old one is not for it.
    let broken =
        format!("Authorization: Bearer {token}\r\ntraceparent: 00-{unkept}-x-01\r\ntracestate: a=b\r\n");
    assert_eq!(ask(&running, "/house/status/503", &broken).status, 503);
    let sent = upstream.last();
    assert!(sent.header("tracestate").is_none() && !sent.header("traceparent").unwrap().contains(unkept));
    assert_eq!(ask(&running, "/house/echo", "Authorization: Bearer cap1_wrong\r\n").status, 401);
    let says = |name: &'static str, value: &'static str| {
        move |span: &Span| span.attributes.get(name).is_some_and(|said| said == value)
    };
    let (refused, failed) = (says("error.type", "unauthenticated"), says("http.response.status_code", "503"));
    let all = collected(&collector, &[(1, &refused), (2, &failed)]);
    assert!(all.iter().all(|span| span.trace != unkept), "{all:?}");
    let refused = all.iter().find(|span| refused(span)).unwrap();
    assert_eq!((refused.status, refused.attributes["http.response.status_code"].as_str()), (0, "401"));
    let failed = all.iter().filter(|span| failed(span)).map(|span| span.status);
    assert_eq!(failed.collect::<Vec<_>>(), [2, 2]);
    assert!(running.stop().success());
}

#[test]
fn a_collector_that_refuses_costs_no_call_and_is_said_once_and_counted() {
    let (upstream, collector, doorward) = (Upstream::start(), Upstream::start(), home());
    doorward.watch(collector.canary());
    // Without the header that it wants, this one answers 401.
    let endpoint = collector.url();
    let running = started(
        &doorward,
        &upstream,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ],
    );
    let token = capability(&running, "&integrations=house");
    let head = format!("Authorization: Bearer {token}\r\n");
    let admin = running.ready["admin"].as_str().unwrap().to_owned();
    let lost = || {
        let numbers = call(&admin, "GET", "/metrics", "").unwrap().text();
        let line = numbers.lines().find(|line| line.contains("trace_spans_total{result=\"undelivered\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap()
    };
    // One behind the other, so that the log could say it several times.
    for calls in 1..4 {
        assert_eq!(ask(&running, "/house/echo", &head).status, 200);
        let until = Instant::now() + HANG;
        while lost() < 2 * calls {
            assert!(Instant::now() < until, "nothing was counted");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    let request = collector.last();
    assert_eq!(
        (request.target.as_str(), request.header("content-type")),
        ("/v1/traces", Some("application/json"))
    );
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert!(body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"].as_str().unwrap().len() == 32);
    assert!(running.stop().success());
    let printed = String::from_utf8_lossy(&doorward.printed()).into_owned();
    assert_eq!(printed.matches("traces do not arrive").count(), 1, "{printed}");
    doorward.assert_no_canary();
}

#[test]
fn without_the_variables_there_are_no_traces_and_with_wrong_ones_there_is_no_start() {
    let (upstream, doorward) = (Upstream::start(), home());
    let running = started(&doorward, &upstream, &[("OTEL_SERVICE_NAME", "front")]);
    let token = capability(&running, "&integrations=house");
    assert_eq!(ask(&running, "/house/echo", &format!("Authorization: Bearer {token}\r\n")).status, 200);
    assert_eq!(upstream.last().header("traceparent"), None);
    let admin = running.ready["admin"].as_str().unwrap();
    assert!(!call(admin, "GET", "/metrics", "").unwrap().text().contains("trace_spans"));
    assert!(running.stop().success());
    let mut command = doorward.command();
    command.args(["up", "--gateway", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", upstream.url()).env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let said = doorward.run_command(command, "").failed_with(2);
    assert!(
        said.contains("`OTEL_EXPORTER_OTLP_PROTOCOL` has to be `http/protobuf` or `http/json`"),
        "{said}"
    );
}
