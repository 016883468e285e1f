//! Tests of the module `target`.

use proptest::prelude::*;

use super::*;

fn target(text: &str) -> Result<Target, ParseError> {
    text.parse()
}

#[test]
fn equivalent_spellings_have_one_form() {
    assert_eq!(target("/a/%7euser/%e2%82%ac?x=%41").unwrap().as_str(), "/a/~user/%E2%82%AC?x=A");
    assert_eq!(target("/group%2fname").unwrap().segments().collect::<Vec<_>>(), ["group%2Fname"]);
}

#[test]
fn what_two_servers_read_differently_is_refused() {
    for bad in [
        "",
        "a",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/a%2f..%2fb",
        "/a/..;x=1/b",
        "/a\\b",
        "/a%5cb",
        "/%zz",
        "/%4",
        "/%c0%ae%c0%ae/",
        "/%ff",
        "/a%00b",
        "/a b",
        "/a#b",
        "/%252e%252e/x",
        "/a%252fb",
        "/e%cc%81",
        "/a%e2%80%8bb",
        "/a%ef%bc%8fb",
        "/%ef%bc%8e%ef%bc%8e",
        "/a%ef%bc%85b",
        "/a%25252eb",
        "/a%255cb",
        "/..%25%2535cb",
        "/a/..%20",
        "/a%25ef%25bc%258fb",
        "/a%2525252525b",
        "/ä",
        "/..",
        "/.",
        "/a?x=%zz",
        "/a?x=%c0%80",
    ] {
        assert!(target(bad).is_err(), "{bad}");
    }
}

#[test]
fn ordinary_targets_pass() {
    for good in [
        "/",
        "/a.b/c..d",
        "/v1/models?limit=1&q=a%20b",
        "/x/.well-known/y",
        "/a//b",
        "/100%25",
        "/c%C3%A9",
        "/so%E2%80%A6",
        "/%C2%BD",
    ] {
        assert_eq!(target(good).unwrap().as_str(), good);
    }
}

#[test]
fn a_prefix_is_stripped_at_segment_borders_only() {
    assert_eq!(target("/slack/api/x?y=1").unwrap().strip_prefix("/slack").unwrap().as_str(), "/api/x?y=1");
    assert_eq!(target("/slack?y=1").unwrap().strip_prefix("/slack").unwrap().as_str(), "/?y=1");
    assert!(target("/slackish/api").unwrap().strip_prefix("/slack").is_none());
}

#[test]
fn pairs_keep_duplicates() {
    let found = target("/?a=1&a=2&b=x%26y+z").unwrap();
    let pairs: Vec<_> = found.pairs().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(pairs, ["a=1", "a=2", "b=x&y z"]);
}

#[test]
fn an_upstream_is_scheme_host_and_port() {
    let plain: Authority = "https://api.github.com".parse().unwrap();
    assert_eq!(
        (plain.host(), plain.port(), plain.host_header().as_str()),
        ("api.github.com", 443, "api.github.com")
    );
    let local: Authority = "http://[::1]:8080".parse().unwrap();
    assert_eq!((local.host(), local.host_header().as_str()), ("::1", "[::1]:8080"));
    for bad in [
        "https://",
        "https://A.com",
        "https://a.com.",
        "https://u@a.com",
        "https://a.com/x",
        "https://a.com:",
        "ftp://a",
        "https://a.com:0",
        "https://a.com:99999",
        "https://ä.com",
        "https://[::1",
        "https://a:+8",
    ] {
        assert!(bad.parse::<Authority>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn the_canonical_form_is_a_fixed_point(text in "/[ -~]{0,40}") {
        if let Ok(once) = target(&text) {
            let twice = target(once.as_str()).unwrap();
            prop_assert_eq!(once, twice);
        }
    }
}
