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
