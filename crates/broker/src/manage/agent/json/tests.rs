//! Tests of the module `json`.

use super::super::ask::{Narrow, Request, Use};
use super::*;

#[test]
fn an_error_tells_what_was_expected_and_no_value() {
    let canary = "sk_live_CANARY";
    let wrong = [
        read::<Request>(r#"{"ttl": "sk_live_CANARY"}"#).unwrap_err(),
        read::<Request>(r#"{"ttl": "sk_live_CANARY, expected sk_live_CANARY at line 3"}"#).unwrap_err(),
        read::<Request>(r#"{"holder": "sk_live_CANARY"}"#).unwrap_err(),
        read::<Request>(r#"{"sk_live_CANARY!": 1}"#).unwrap_err(),
        read::<Request>(r#"{"actions": "sk_live_CANARY"}"#).unwrap_err(),
        read::<Use>(r#"{"capability_id": "cap_x", "request": "sk_live_CANARY"}"#).unwrap_err(),
        read::<Narrow>(r#"{"capability_id": {"sk_live_CANARY": 1}}"#).unwrap_err(),
        read::<Request>(r#""sk_live_CANARY""#).unwrap_err(),
    ];
    for refusal in wrong {
        let told = format!("{} {:?}", refusal.message, refusal.hint);
        assert!(told.starts_with("invalid payload format: ") && told.contains("expected"), "{told}");
        assert!(!told.contains(canary), "{told}");
    }
}

#[test]
fn a_plain_key_and_the_one_that_was_meant_are_told() {
    let refusal = read::<Request>(r#"{"maxuse": 1}"#).unwrap_err();
    assert!(refusal.message.contains("unknown field `maxuse`"), "{refusal}");
    let near = refusal.hint.unwrap();
    assert!(near == "did you mean `maxUses`?" || near == "did you mean `max_uses`?", "{near}");
    let refusal = read::<Request>(r#"{"holder": "sesion"}"#).unwrap_err();
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `session`?"));
}
