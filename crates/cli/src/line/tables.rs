//! The tables of the seed, letter by letter.
//!
//! What an answer does not have is left out with its line. Text from elsewhere is cleaned, so that it steers no terminal.

use model::Timestamp;
use serde_json::Value;

use crate::print::problem::clean;
use crate::print::table::at;

/// `capability request` and `capability narrow`.
pub(crate) fn request(told: &Value) -> String {
    // A grant speaks for itself.
    let rows = if at(told, "status").as_str() == Some("granted") { GRANTED } else { REQUEST };
    let mut text = section("Capability Request Result:", told, rows);
    let capability = at(told, "capability");
    if capability.is_object() {
        text.push_str(&format!("\n{}", section("Capability Details:", capability, DETAILS)));
    }
    let policy = at(told, "policy_result");
    if policy.is_object() {
        text.push_str(&format!("\n{}", section("Policy Evaluation:", policy, POLICY)));
    }
    let issues = at(told, "issues").as_array().filter(|issues| !issues.is_empty());
    if let Some(issues) = issues {
        text.push_str("\nIssues:\n");
        for issue in issues {
            text.push_str(&format!("  {}: {}\n", word(issue, "severity"), word(issue, "message")));
        }
    }
    text
}

/// `capability validate`.
pub(crate) fn validation(told: &Value) -> String {
    let mut text = section("Capability Validation Result:", told, VALIDATION);
    for (title, key) in [("Errors", "errors"), ("Warnings", "warnings")] {
        let Some(entries) = at(told, key).as_array().filter(|entries| !entries.is_empty()) else { continue };
        text.push_str(&format!("\n{title}:\n"));
        for entry in entries {
            text.push_str(&format!("  {}: {}\n", word(entry, "code"), word(entry, "message")));
            if let Some(field) = shown(at(entry, "field")) {
                text.push_str(&format!("    Field: {field}\n"));
            }
        }
    }
    if let Some(context) = at(told, "context").as_object().filter(|context| !context.is_empty()) {
        text.push_str("\nContext:\n");
        for (name, value) in context {
            text.push_str(&format!("  {}: {}\n", clean(name), shown(value).unwrap_or_default()));
        }
    }
    text
}

/// `capability list`. Ids are never cut: a cut one can't be revoked.
pub(crate) fn list(told: &Value) -> String {
    let rows = at(told, "capabilities").as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return "No capabilities found\n".to_owned();
    }
    let line = |cells: [&str; 5]| {
        let [id, kind, resource, identity, expires] = cells;
        format!("{id:<20} {kind:<15} {resource:<30} {identity:<15} {expires:<20}\n")
    };
    let mut text = format!("Found {} capabilities:\n\n", rows.len());
    text.push_str(&line(["ID", "Type", "Resource", "Identity", "Expires"]));
    text.push_str(&format!("{}\n", "-".repeat(110)));
    for row in rows {
        let expires = word(row, "expires_at").replace('T', " ");
        text.push_str(&line([
            &word(row, "id"),
            &word(row, "type"),
            &cut(&word(row, "resource"), 28),
            &cut(&word(row, "identity"), 13),
            expires.trim_end_matches('Z'),
        ]));
    }
    text
}

/// `capability revoke`.
pub(crate) fn revoked(id: &str, told: &Value, reason: &str) -> String {
    let id = clean(id);
    match at(told, "before").as_object() {
        // What was said first is what is on record.
        Some(_) => {
            let said = |key: &str| shown(at(told, key)).unwrap_or_default();
            let (by, when, reason) = (said("before.by"), said("before.at"), said("before.reason"));
            format!("Capability {id} was revoked already, by {by} at {when}\nReason: {reason}\n")
        }
        None => format!("Capability {id} revoked successfully\nReason: {}\n", clean(reason)),
    }
}

/// `capability status`.
pub(crate) fn capability_status(told: &Value) -> String {
    let mut text = section("Aether Vault Agent Status:", told, CAPABILITY_STATUS);
    text.push_str("\nCapabilities:\n");
    for name in at(told, "capabilities").as_array().into_iter().flatten() {
        text.push_str(&format!("  - {}\n", shown(name).unwrap_or_default()));
    }
    text
}

/// `agent status`; with `verbose` everything else that is counted as well. `now` is what times are told from.
pub(crate) fn agent_status(told: &Value, verbose: bool, now: Timestamp) -> String {
    let mut text = section("Aether Vault Agent Status:", told, AGENT);
    for (title, key, rows) in AGENT_SECTIONS {
        let part = at(told, key);
        if !part.is_object() {
            continue;
        }
        text.push_str(&format!("\n{}", section(title, &told_shortly(part, now), rows)));
        if let Some(reason) = shown(at(part, "reason")) {
            text.push_str(&format!("  Reason: {reason}\n"));
        }
    }
    if let Some(counters) = at(told, "counters").as_object().filter(|_| verbose) {
        text.push_str("\nCounters:\n");
        for (name, value) in counters {
            text.push_str(&format!("  {}: {}\n", clean(name), shown(value).unwrap_or_default()));
        }
    }
    text
}

/// The same with sizes beside their limits, and with times as people tell them.
fn told_shortly(part: &Value, now: Timestamp) -> Value {
    let mut part = part.clone();
    let Some(fields) = part.as_object_mut() else { return part };
    let limit = fields.get("buffer_limit").filter(|limit| !limit.is_null());
    if let (Some(size), Some(limit)) = (fields.get("buffer_size"), limit) {
        let text = format!("{size}/{limit}");
        fields.insert("buffer_size".to_owned(), text.into());
    }
    for key in ["last_cleanup", "last_policy_reload", "last_flush"] {
        let at = fields.get(key).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        if let Some(at) = at {
            fields.insert(key.to_owned(), ago(now.since(at).as_secs()).into());
        }
    }
    part
}

/// `5m ago`.
fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, 's'),
        60..3_600 => (seconds / 60, 'm'),
        3_600..86_400 => (seconds / 3_600, 'h'),
        _ => (seconds / 86_400, 'd'),
    };
    format!("{count}{unit} ago")
}

type Rows = &'static [(&'static str, &'static str)];

fn section(title: &str, value: &Value, rows: Rows) -> String {
    let mut text = format!("{title}\n");
    for (label, key) in rows {
        if let Some(cell) = cell(key, at(value, key)) {
            text.push_str(&format!("  {label}: {cell}\n"));
        }
    }
    text
}

fn cell(key: &str, value: &Value) -> Option<String> {
    match (key, value) {
        ("ttl", Value::Number(seconds)) => Some(format!("{seconds} seconds")),
        ("total_events", Value::Number(number)) => Some(grouped(&number.to_string())),
        // Present and empty says something as well.
        ("applied_policies", Value::Array(_)) => Some(shown(value).unwrap_or_default()),
        _ => shown(value),
    }
}

/// A value as people read it; `None` where there is nothing.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(clean(text)).filter(|text| !text.is_empty()),
        Value::Array(list) => Some(list.iter().filter_map(shown).collect::<Vec<_>>().join(", ")),
        other => Some(clean(&other.to_string())),
    }
}

fn word(value: &Value, key: &str) -> String {
    shown(at(value, key)).unwrap_or_default()
}

/// The text where it has at most so many characters, else its beginning.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 3).chain("...".chars()).collect()
}

/// `1247` as `1,247`.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const GRANTED: Rows =
    &[("Status", "status"), ("Request ID", "request_id"), ("Processing Time", "processing_time")];
const REQUEST: Rows = &[
    ("Status", "status"),
    ("Message", "message"),
    ("Request ID", "request_id"),
    ("Processing Time", "processing_time"),
];
const DETAILS: Rows = &[
    ("ID", "id"),
    ("Type", "type"),
    ("Resource", "resource"),
    ("Actions", "actions"),
    ("Identity", "identity"),
    ("Issuer", "issuer"),
    ("TTL", "ttl"),
    ("Max Uses", "max_uses"),
    ("Issued At", "issued_at"),
    ("Expires At", "expires_at"),
    ("Parent", "parent"),
    ("Token", "token"),
];
const POLICY: Rows =
    &[("Decision", "decision"), ("Applied Policies", "applied_policies"), ("Reasoning", "reasoning")];
const VALIDATION: Rows = &[("Valid", "valid"), ("Validation Time", "validation_time")];
const CAPABILITY_STATUS: Rows =
    &[("Version", "version"), ("Uptime", "uptime"), ("Connections", "connections")];
const AGENT: Rows = &[("Running", "running"), ("PID", "pid"), ("Uptime", "uptime"), ("Version", "version")];
const AGENT_SECTIONS: &[(&str, &str, Rows)] = &[
    (
        "IPC Server:",
        "ipc_server",
        &[
            ("Socket Path", "socket_path"),
            ("Active Connections", "active_connections"),
            ("Max Connections", "max_connections"),
            ("Server Uptime", "uptime"),
        ],
    ),
    (
        "Capability Engine:",
        "capability_engine",
        &[
            ("Status", "status"),
            ("Total Capabilities", "total_capabilities"),
            ("Active Capabilities", "active_capabilities"),
            ("Expired Capabilities", "expired_capabilities"),
            ("Revoked Capabilities", "revoked_capabilities"),
            ("Cache Size", "cache_size"),
            ("Last Cleanup", "last_cleanup"),
        ],
    ),
    (
        "Policy Engine:",
        "policy_engine",
        &[
            ("Status", "status"),
            ("Loaded Policies", "loaded_policies"),
            ("Cache Hits", "cache_hits"),
            ("Cache Misses", "cache_misses"),
            ("Cache Hit Rate", "cache_hit_rate"),
            ("Last Policy Reload", "last_policy_reload"),
        ],
    ),
    (
        "Audit System:",
        "audit_system",
        &[
            ("Status", "status"),
            ("Total Events", "total_events"),
            ("Buffer Size", "buffer_size"),
            ("Last Flush", "last_flush"),
            ("Log File", "log_file"),
            ("Log Size", "log_size"),
        ],
    ),
    (
        "System Resources:",
        "system_resources",
        &[
            ("Memory Usage", "memory_usage"),
            ("CPU Usage", "cpu_usage"),
            ("File Descriptors", "file_descriptors"),
            ("Threads", "threads"),
        ],
    ),
];

#[cfg(test)]
mod tests;
