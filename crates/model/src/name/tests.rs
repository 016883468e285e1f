//! Tests of the module `name`.

use super::*;

#[test]
fn names_have_one_spelling() {
    for good in ["slack", "slack-prod", "s3", "0x"] {
        assert!(good.parse::<IntegrationName>().is_ok(), "{good}");
    }
    for bad in [
        "Slack",
        "slack ",
        " slack",
        "slack.",
        "sl\u{200b}ack",
        "ſlack",
        "",
        "-x",
        "x-",
        "a/b",
        "a_b",
        "слак",
    ] {
        assert!(bad.parse::<IntegrationName>().is_err(), "{bad}");
    }
}

#[test]
fn operation_and_secret_names_are_words_with_separators() {
    assert!("chat.post".parse::<OperationName>().is_ok());
    assert!("chat..post".parse::<OperationName>().is_err());
    assert!("slack/token".parse::<SecretName>().is_ok());
    for bad in ["slack//token", "/slack", "slack/", "../x", "slack/..", "a/./b", "a%2fb"] {
        assert!(bad.parse::<SecretName>().is_err(), "{bad}");
    }
}

#[test]
fn a_tenant_may_begin_with_an_underscore_and_not_with_a_dash() {
    for good in ["acme_inc", "_acme", "___", "a-b", "0x"] {
        assert!(good.parse::<TenantName>().is_ok(), "{good}");
    }
    for bad in ["-a", "", "_A", "_a.b", "_/..", &format!("_{}", "a".repeat(63))] {
        assert!(bad.parse::<TenantName>().is_err(), "{bad}");
    }
}
