//! The table of routes: header, host, path, and what is ambiguous between them.

use super::*;
use crate::browser;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn guarded() -> Guarded {
    browser::guard(&HeaderMap::new(), &[]).unwrap()
}

fn host(name: &str) -> Addressed {
    Addressed::Integration(name.parse().unwrap())
}

fn chosen(pairs: &[(&'static str, &'static str)], addressed: Addressed, target: &str) -> String {
    let naming = Naming { compatible: true, aliased: &|_| None };
    let named = named(&headers(pairs), naming);
    match named.and_then(|named| choose(guarded(), named, addressed, target.parse().unwrap())) {
        Ok(Route { integration, target }) => format!("{integration} {target}"),
        Err(refused) => refused.refusal().code.to_string(),
    }
}

#[test]
fn the_first_segment_names_the_integration_where_nothing_else_does() {
    for (target, expected) in [
        ("/slack/api/chat.postMessage?x=%2F", "slack /api/chat.postMessage?x=%2F"),
        ("/slack", "slack /"),
        ("/slack/", "slack /"),
        ("/slack?x=1", "slack /?x=1"),
        ("/%73lack/api", "slack /api"),
        ("/slack//api", "slack //api"),
        ("/slack/slack/api", "slack /slack/api"),
        ("/", "not_found"),
        ("/?x=1", "not_found"),
        ("//slack/api", "not_found"),
        ("/Slack/api", "bad_request"),
        ("/favicon.ico", "bad_request"),
        ("/slack%2Fapi", "bad_request"),
        ("/slack;a=b/api", "bad_request"),
    ] {
        assert_eq!(chosen(&[], Addressed::Gateway, target), expected, "{target}");
    }
}

#[test]
fn a_host_names_it_and_the_target_stays_whole() {
    assert_eq!(chosen(&[], host("slack"), "/slack/api"), "slack /slack/api");
    assert_eq!(chosen(&[], host("slack"), "/"), "slack /");
}

#[test]
fn a_header_names_it_and_the_target_stays_whole() {
    for name in ["x-doorward-integration", "x-at-int"] {
        assert_eq!(chosen(&[(name, "slack")], Addressed::Gateway, "/github/api"), "slack /github/api");
        assert_eq!(chosen(&[(name, "slack")], host("slack"), "/api"), "slack /api");
    }
}

#[test]
fn two_names_are_refused_unless_they_are_the_same() {
    let both = |one, two| [("x-doorward-integration", one), ("x-at-int", two)];
    assert_eq!(chosen(&both("slack", "slack"), Addressed::Gateway, "/"), "slack /");
    assert_eq!(chosen(&both("slack", "github"), Addressed::Gateway, "/"), "bad_request");
    assert_eq!(chosen(&[("x-at-int", "slack")], host("github"), "/"), "bad_request");
    let twice = [("x-doorward-integration", "slack"), ("x-doorward-integration", "slack")];
    assert_eq!(chosen(&twice, Addressed::Gateway, "/"), "bad_request");
}

#[test]
fn a_name_in_a_header_has_one_spelling() {
    for name in ["", "Slack", "slack ", "slack,github", "slack.localhost", "sla/ck", "sl\u{7f}"] {
        let Ok(value) = HeaderValue::from_str(name) else { continue };
        let mut headers = HeaderMap::new();
        headers.insert(&INTEGRATION, value);
        let refused = named(&headers, Naming { compatible: true, aliased: &|_| None }).unwrap_err();
        assert_eq!(refused.refusal().code.as_str(), "bad_request", "{name}");
    }
}

#[test]
fn the_header_of_other_gateways_counts_where_it_should_and_without_regard_to_case() {
    let read = |pairs: &[(&'static str, &'static str)], compatible| {
        let aliased = |name: &str| (name == "my_service").then(|| "my-service".parse().unwrap());
        let named = named(&headers(pairs), Naming { compatible, aliased: &aliased });
        named
            .map(|named| named.map(|name| name.to_string()))
            .map_err(|refused| refused.refusal().code.to_string())
    };
    assert_eq!(read(&[("x-at-int", "Slack")], true), Ok(Some("slack".to_owned())));
    assert_eq!(read(&[("x-at-int", "My_Service")], true), Ok(Some("my-service".to_owned())));
    assert_eq!(read(&[("x-at-int", "slack")], false), Ok(None));
    assert_eq!(read(&[("x-doorward-integration", "my_service")], false), Ok(Some("my-service".to_owned())));
    assert_eq!(read(&[("x-at-int", "slack"), ("x-at-int", "github")], true), Err("bad_request".to_owned()));
}

#[test]
fn what_a_caller_signs_is_the_target_as_it_was_written() {
    for (text, addressed, expected) in [
        ("/v?a=%2Fx", host("slack"), None),
        ("/v?a=%2fx", host("slack"), Some("/v?a=%2fx")),
        ("/slack/v%7e?a=%2fx", Addressed::Gateway, Some("/v%7e?a=%2fx")),
        ("/%73lack/v", Addressed::Gateway, Some("/v")),
        ("/slack?a=%2fx", Addressed::Gateway, Some("/?a=%2fx")),
        ("/slack/v?a=%2Fx", Addressed::Gateway, None),
    ] {
        let whole: Target = text.parse().unwrap();
        let Route { target, .. } = choose(guarded(), None, addressed, whole.clone()).unwrap();
        let uri = text.parse().unwrap();
        assert_eq!(written(&uri, &whole, &target).as_deref(), expected, "{text}");
    }
}
