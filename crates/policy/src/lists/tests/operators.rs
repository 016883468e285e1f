//! Operators in the place of a text: `prefix`, `regex`, `one_of`, `absent`, `number`, `fields`. And named calls in bodies.

use super::*;

#[test]
fn operators_stand_where_a_text_does() {
    let rules = allow(
        "{path: /a, methods: {GET: {query: {p: {prefix: ab}, r: [{regex: '[0-9]+'}], o: {one_of: [x, y]}, n: {absent: true}}, headers: {X-T: {prefix: v}}}}}",
    );
    let good = asks("GET /a?p=abc&r=12&o=y").header("x-t", "v1");
    assert_eq!(good.said(&rules), "allowed");
    for (query, reason) in [
        ("p=b&r=12&o=y", "missing query param p"),
        ("p=ab&r=12x&o=y", "missing query param r"),
        ("p=ab&r=1&o=z", "missing query param o"),
        ("p=ab&r=1&o=x&n=", "missing query param n"),
    ] {
        assert_eq!(asks(&format!("GET /a?{query}")).header("x-t", "v1").said(&rules), reason, "{query}");
    }
}

#[test]
fn operators_stand_in_a_body_too() {
    let rules = allow(
        "{path: /a, methods: {POST: {body: {to: {regex: '.*@example\\.com'}, kind: {one_of: [1, two]}, cc: {absent: true}, big: {number: '12345678901234567890.5'}}}}}",
    );
    let body = |to: &str, kind: &str, more: &str| {
        format!(r#"{{"to":"{to}","kind":{kind},"big":12345678901234567890.50{more}}}"#)
    };
    assert_eq!(asks("POST /a").json(&body("a@example.com", "1", "")).said(&rules), "allowed");
    assert_eq!(asks("POST /a").json(&body("a@example.com", "\"two\"", "")).said(&rules), "allowed");
    assert_eq!(
        asks("POST /a").json(&body("a@example.com.evil", "1", "")).said(&rules),
        "body field to value mismatch"
    );
    assert_eq!(
        asks("POST /a").json(&body("a@example.com", "3", "")).said(&rules),
        "body field kind value mismatch"
    );
    assert_eq!(
        asks("POST /a").json(&body("a@example.com", "1", ",\"cc\":null")).said(&rules),
        "body field cc value mismatch"
    );
    assert_eq!(
        asks("POST /a").json(&body("a@example.com", "1", ",\"CC\":1")).said(&rules),
        "body field cc is ambiguous"
    );
}

#[test]
fn a_rule_that_denies_by_an_operator_is_not_escaped_by_another_kind_of_value() {
    let rules = deny("{path: /a, methods: {POST: {body: {to: {prefix: evil}}}}}");
    for body in
        [r#"{"to":"evil1"}"#, r#"{"to":["evil1"]}"#, r#"{"to":["x","evil1"]}"#, r#"{"to":{"prefix":"evil"}}"#]
    {
        assert_eq!(asks("POST /a").json(body).said(&rules), "denied", "{body}");
    }
    assert_eq!(asks("POST /a").json(r#"{"to":"good"}"#).said(&rules), "no allowlist match");
    assert_eq!(asks("POST /a").json(r#"{"to":["good"]}"#).said(&rules), "no allowlist match");
}

#[test]
fn a_field_that_is_called_like_an_operator_is_written_out() {
    let rules = allow("{path: /a, methods: {POST: {body: {filter: {fields: {prefix: x}}}}}}");
    assert_eq!(asks("POST /a").json(r#"{"filter":{"prefix":"x"}}"#).said(&rules), "allowed");
    assert_eq!(asks("POST /a").json(r#"{"filter":"xy"}"#).said(&rules), "body field filter not object");
}

#[test]
fn every_call_of_a_json_rpc_batch_has_to_be_allowed() {
    let rule = "{path: /rpc, methods: {POST: {jsonrpc: {methods: [eth_call, {prefix: net_}]}}}}";
    let call = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
    let (one, batch) = (call("eth_call"), format!("[{},{}]", call("eth_call"), call("net_version")));
    assert_eq!(asks("POST /rpc").json(&one).said(&allow(rule)), "allowed");
    assert_eq!(asks("POST /rpc").json(&batch).said(&allow(rule)), "allowed");
    let mixed = format!("[{},{}]", call("eth_call"), call("eth_sendTransaction"));
    assert_eq!(asks("POST /rpc").json(&mixed).said(&allow(rule)), "jsonrpc method mismatch");
    assert_eq!(asks("POST /rpc").json(&mixed).said(&deny(rule)), "denied");
    assert_eq!(asks("POST /rpc").json(&call("eth_sign")).said(&deny(rule)), "no allowlist match");
    for body in [
        "[]",
        "{}",
        "[[]]",
        r#"{"jsonrpc":"2.0","method":"eth_call","Method":"eth_sign"}"#,
        r#"{"method":"eth_call"}"#,
    ] {
        assert_ne!(asks("POST /rpc").json(body).said(&allow(rule)), "allowed", "{body}");
    }
    assert_eq!(
        asks("POST /rpc").json(r#"{"jsonrpc":"2.0","Method":"eth_call"}"#).said(&deny(rule)),
        "denied"
    );
}

#[test]
fn a_json_rpc_method_in_the_query_is_in_doubt() {
    let rule = "{path: /rpc, methods: {POST: {jsonrpc: {methods: [eth_send]}}}}";
    let call = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
    let (wanted, other) = (call("eth_send"), call("eth_call"));
    assert_eq!(asks("POST /rpc?a=b").json(&wanted).said(&allow(rule)), "allowed");
    for query in ["method=eth_call", "method=eth_send", "Method=x", "%6dethod=x"] {
        let asked = format!("POST /rpc?{query}");
        assert_ne!(asks(&asked).json(&wanted).said(&allow(rule)), "allowed", "{query}");
        assert_eq!(asks(&asked).json(&wanted).said(&deny(rule)), "denied", "{query}");
        let said = if query.contains("eth_send") { "denied" } else { "no allowlist match" };
        assert_eq!(asks(&asked).json(&other).said(&deny(rule)), said, "{query}");
    }
}

#[test]
fn the_action_of_aws_is_found_in_form_and_query_and_once_only() {
    let rule = "{path: /, methods: {POST: {aws_action: [GetCallerIdentity, {prefix: Describe}]}, GET: {aws_action: [GetCallerIdentity]}}}";
    assert_eq!(asks("POST /").form("Action=DescribeInstances&Version=1").said(&allow(rule)), "allowed");
    assert_eq!(asks("GET /?Action=GetCallerIdentity").said(&allow(rule)), "allowed");
    assert_eq!(asks("POST /").form("Action=CreateUser").said(&allow(rule)), "aws action mismatch");
    assert_eq!(
        asks("POST /?Action=CreateUser").form("Action=DescribeInstances").said(&allow(rule)),
        "aws action mismatch"
    );
    assert_eq!(asks("POST /").form("Version=1").said(&allow(rule)), "missing form field Action");
    assert_eq!(asks("POST /").form("action=DescribeX").said(&allow(rule)), "form field Action is ambiguous");
    assert_eq!(
        asks("POST /").json(r#"{"Action":"DescribeX"}"#).said(&allow(rule)),
        "unsupported content type"
    );
    assert_eq!(asks("POST /?Action=Other").form("Action=DescribeX").said(&deny(rule)), "denied");
}
