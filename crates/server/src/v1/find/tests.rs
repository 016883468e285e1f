//! One path, one meaning.

use super::*;

fn named(method: &str, path: &str) -> Option<(&'static str, Vec<String>)> {
    match find(method, path) {
        Found::Route(route, places) => Some((route.id, places.into_values().collect())),
        _ => None,
    }
}

#[test]
fn a_path_is_split_before_it_is_decoded() {
    let one = |text: &str| vec![text.to_owned()];
    assert_eq!(named("GET", "/v1/tenants/acme"), Some(("getTenant", one("acme"))));
    assert_eq!(named("GET", "/v1/policies/team%2Fops"), Some(("getPolicy", one("team/ops"))));
    for path in [
        "/v1/tenants/",
        "/v1/tenants//",
        "/v1/tenants/%00",
        "/v1/tenants/a/",
        "/v1/tenants/%ff",
        "//v1/tenants",
    ] {
        assert_eq!(named("GET", path), None, "{path}");
    }
}

#[test]
fn a_verb_is_a_part_of_the_path() {
    let one = |text: &str| vec![text.to_owned()];
    assert_eq!(named("POST", "/v1/policies:check"), Some(("checkPolicy", Vec::new())));
    assert_eq!(named("POST", "/v1/approvals/apr_1:approve"), Some(("approve", one("apr_1"))));
    assert_eq!(named("POST", "/v1/approvals/apr_1:steal"), None);
    assert_eq!(named("GET", "/v1/tenants/acme:x"), None);
    assert_eq!(named("GET", "/v1/evidence:export"), Some(("exportEvidence", Vec::new())));
}

#[test]
fn a_method_that_is_not_there_says_which_are() {
    let Found::Methods(methods) = find("PATCH", "/v1/tenants") else { panic!("it is there") };
    assert_eq!(methods, ["GET", "HEAD", "POST", "OPTIONS"]);
    assert!(matches!(find("GET", "/v1/nothing"), Found::Nothing));
    assert!(matches!(find("HEAD", "/v1/tenants"), Found::Route(..)));
}

#[test]
fn no_two_routes_have_one_meaning() {
    let all: Vec<_> = table::routes().collect();
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            assert_ne!(one.id, other.id);
            assert!(one.method != other.method || one.path != other.path, "{} {}", one.method, one.path);
        }
    }
}
