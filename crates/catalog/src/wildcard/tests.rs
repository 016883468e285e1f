//! Hosts that calls name themselves.

use super::*;

fn wildcard() -> Wildcard {
    Wildcard::parse("https://*.example.com").unwrap()
}

#[test]
fn a_call_names_a_host_below_the_domain() {
    for (written, authority) in [
        ("https://one.example.com", "https://one.example.com"),
        ("https://one.example.com/path?query", "https://one.example.com"),
        ("HTTPS://One.Example.com", "https://one.example.com"),
        ("a.b.example.com", "https://a.b.example.com"),
    ] {
        assert_eq!(wildcard().destination(Some(written)).unwrap().to_string(), authority, "{written}");
    }
    let ported = Wildcard::parse("https://api-*.example.com:8443").unwrap();
    for written in ["https://api-1.example.com", "https://api-1.example.com:8443"] {
        assert_eq!(ported.destination(Some(written)).unwrap().to_string(), "https://api-1.example.com:8443");
    }
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    for (written, why) in [
        (None, "missing"),
        (Some(""), "missing"),
        (Some("https://"), "missing host"),
        (Some("https://user:pass@one.example.com"), "user info not allowed"),
        (Some("https://one.example.com@evil.test"), "user info not allowed"),
        (Some("https://*.example.com"), "wildcard not allowed"),
        (Some("http://one.example.com"), "unexpected scheme"),
        (Some("ftp://one.example.com"), "unexpected scheme"),
        (Some("https://one.example.com:444"), "unexpected port"),
        (Some("https://one.example.com:443"), "unexpected port"),
        (Some("https://.example.com"), "host not permitted"),
        (Some("https://example.com"), "host not permitted"),
        (Some("https://evilexample.com"), "host not permitted"),
        (Some("https://one.example.com.evil.test"), "host not permitted"),
        (Some("https://one.example.com."), "host not permitted"),
        (Some("https://a..example.com"), "host not permitted"),
        (Some("https://evil.test\\.example.com"), "host not permitted"),
        (Some("https://evil.test%2f.example.com"), "host not permitted"),
        (Some("https://[::1].example.com"), "unexpected port"),
        (Some("https://evil.test#.example.com"), "host not permitted"),
        (Some("https://evil.test/.example.com"), "host not permitted"),
    ] {
        let refusal = wildcard().destination(written).unwrap_err();
        assert_eq!(refusal.message, format!("invalid destination: {why}"), "{written:?}");
    }
}

#[test]
fn a_pattern_leaves_a_domain_that_somebody_owns() {
    for text in [
        "https://*",
        "https://*.com",
        "https://example.*",
        "https://*example",
        "https://user@*.example.com",
        "ftp://*.example.com",
        "https://*.example.com:x",
        "https://*..com",
        "https://*.Example.com",
    ] {
        assert!(Wildcard::parse(text).is_err(), "{text}");
    }
    for text in ["https://*.internal", "https://*.local", "http://*.localhost:8080", "https://api-*.corp"] {
        assert!(Wildcard::parse(text).is_ok(), "{text}");
    }
    assert!(Wildcard::parse("https://*internal").is_err());
    let private = Wildcard::parse("https://*.internal").unwrap();
    assert!(
        private.matches("git.internal") && !private.matches("internal") && !private.matches("a.example.com")
    );
    assert!(
        matches("a*b*c", "axbyc") && !matches("a*b*c", "abc") && !matches("a*", "a") && matches("a", "a")
    );
}
