//! What an error repeats, and what it does not.

use super::ParseError;

#[test]
fn a_mistyped_word_is_repeated() {
    let error = ParseError::new("integration name", "Slack", "lower-case letters");
    assert_eq!(error.to_string(), "`Slack` is not a valid integration name: expected lower-case letters");
}

#[test]
fn what_may_be_a_secret_is_not_repeated() {
    for secret in ["xoxb-CANARY-1", "sk_live_CANARY", "CANARY-0123456789abcdef0123456789"] {
        let error = ParseError::new("integration name", secret, "lower-case letters").to_string();
        assert!(error.contains("(not shown)") && !error.contains("CANARY"), "{error}");
    }
}
