//! OTLP as JSON: ids in hexadecimal, numbers of 64 bits as text.

use serde_json::{Value as Json, json};

use super::{Entry, Resource, SCOPE, VERSION, Value};

pub(super) fn request(resource: &Resource, spans: &[Entry]) -> Vec<u8> {
    let told: Vec<Json> = resource
        .iter()
        .map(|(name, value)| json!({ "key": name, "value": { "stringValue": value } }))
        .collect();
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let scope = json!({ "name": SCOPE, "version": VERSION });
    let document = json!({
        "resourceSpans": [{
            "resource": { "attributes": told },
            "scopeSpans": [{ "scope": scope, "spans": spans }],
        }],
    });
    document.to_string().into_bytes()
}

/// How many an answer says were not taken.
pub(super) fn rejected(answer: &[u8]) -> usize {
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    match answer.get("partialSuccess").and_then(|partial| partial.get("rejectedSpans")) {
        Some(Json::String(text)) => text.parse().unwrap_or(0),
        Some(Json::Number(number)) => number.as_u64().and_then(|count| count.try_into().ok()).unwrap_or(0),
        _ => 0,
    }
}

fn span(entry: &Entry) -> Json {
    let Entry { trace, id, parent, name, kind, start, end, attributes, failed, flags } = entry;
    let attributes: Vec<Json> = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let mut span = json!({
        "traceId": crypto::to_hex(trace),
        "spanId": crypto::to_hex(id),
        "name": name,
        "kind": *kind as u8,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
        "status": if *failed { json!({ "code": 2 }) } else { json!({}) },
        "flags": flags,
    });
    if let (Some(parent), Some(members)) = (parent, span.as_object_mut()) {
        members.insert("parentSpanId".to_owned(), crypto::to_hex(parent).into());
    }
    span
}

fn attribute(name: &str, value: &Value) -> Json {
    let value = match value {
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
    };
    json!({ "key": name, "value": value })
}
