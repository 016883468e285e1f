//! Tests of the module `pattern`.

use super::*;

fn pattern(text: &str) -> OperationPattern {
    text.parse().unwrap()
}

fn matches(text: &str, integration: &str, operation: &str) -> bool {
    pattern(text).matches(&integration.parse().unwrap(), &operation.parse().unwrap())
}

#[test]
fn a_star_stands_for_whole_words_behind_a_dot() {
    assert!(matches("slack/chat.*", "slack", "chat.post"));
    assert!(matches("slack/chat.*", "slack", "chat.post.thread"));
    assert!(!matches("slack/chat.*", "slack", "chat"));
    assert!(!matches("slack/chat.*", "slack", "chats.list"));
    assert!(!matches("slack/chat.*", "slack-prod", "chat.post"));
    assert!(matches("slack/*", "slack", "unknown"));
    assert!(!matches("slack/*", "slack-prod", "chat.post"));
}

#[test]
fn patterns_with_stars_elsewhere_are_refused() {
    for bad in [
        "*",
        "*/x",
        "slack",
        "slack/",
        "slack/chat*",
        "slack/*.post",
        "slack/**",
        "slack/.*",
        "Slack/*",
        "s/a/b",
    ] {
        assert!(bad.parse::<OperationPattern>().is_err(), "{bad}");
    }
    for bad in ["", "a*b", "**", "*a", "a b*"] {
        assert!(bad.parse::<ResourcePattern>().is_err(), "{bad}");
    }
}

#[test]
fn a_path_covers_whole_segments_only() {
    let api: PathPrefix = "/api".parse().unwrap();
    assert!(api.matches("/api"));
    assert!(api.matches("/api/x"));
    assert!(!api.matches("/apis"));
    assert!(!api.matches("/API"));
    assert!("/".parse::<PathPrefix>().unwrap().matches("/anything"));
    for bad in ["api", "/api/", "/a/../b", "/a?x", "/a%2e", ""] {
        assert!(bad.parse::<PathPrefix>().is_err(), "{bad}");
    }
}

#[test]
fn hosts_have_one_spelling_and_no_port() {
    for bad in ["Slack.com", "slack.com:443", "slack.com.", "", "user@slack.com", "slack.com/x"] {
        assert!(bad.parse::<Host>().is_err(), "{bad}");
    }
    assert!("slack.com".parse::<Host>().unwrap().matches("slack.com"));
    assert!("::1".parse::<Host>().is_ok());
}

#[test]
fn a_network_has_no_bits_behind_its_prefix() {
    for bad in ["10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "::ffff:10.0.0.0/104", "x"] {
        assert!(bad.parse::<Cidr>().is_err(), "{bad}");
    }
    let ten: Cidr = "10.0.0.0/8".parse().unwrap();
    assert!(ten.matches("::ffff:10.1.2.3".parse().unwrap()));
    assert!(!ten.matches("11.0.0.1".parse().unwrap()));
}
