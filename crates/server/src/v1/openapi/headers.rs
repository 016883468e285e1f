//! The headers of answers, as the document says them.

use serde_json::{Map, Value, json};

use super::takes_key;
use crate::v1::route::{Does, Gives, Route};

/// Whether whoever asks again may be told that nothing has changed.
pub(super) fn is_tagged(route: &Route) -> bool {
    let given =
        matches!(route.does, Does::Operation(_)) && !matches!(route.gives, Gives::Nothing | Gives::Text(..));
    route.method == "GET" && (given || matches!(route.does, Does::Document))
}

/// Those of an answer of this route that says yes.
pub(super) fn of_success(route: &Route) -> Vec<&'static str> {
    let mut all = Vec::new();
    if is_tagged(route) {
        all.push("ETag");
    }
    if matches!(route.does, Does::Operation(_)) {
        all.extend(["RateLimit", "RateLimit-Policy", "X-Doorward-Evidence"]);
    }
    if takes_key(route) {
        all.push("Idempotency-Replayed");
    }
    all
}

/// References to these.
pub(super) fn of(names: &[&str]) -> Value {
    let named = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().map(named).collect())
}

/// Each with what it says.
pub(super) fn described() -> Value {
    let each = |(name, about): &(&str, &str)| {
        ((*name).to_owned(), json!({ "description": about, "schema": { "type": "string" } }))
    };
    Value::Object(HEADERS.iter().map(each).collect::<Map<_, _>>())
}

const HEADERS: [(&str, &str); 6] = [
    ("ETag", "The tag of these bytes (RFC 9110, section 8.8.3), for `If-Match` and `If-None-Match`"),
    (
        "Idempotency-Replayed",
        "`true` where the answer is that of an earlier request with this `Idempotency-Key`",
    ),
    ("RateLimit", "How much of the caller's rate is left, where it has one"),
    ("RateLimit-Policy", "What that rate is"),
    ("Retry-After", "After how many seconds coming back helps, where it does"),
    ("X-Doorward-Evidence", "The record of the call, where there is one"),
];
