//! The errors of providers, in their documents' own shapes.

use super::*;

#[test]
fn an_error_of_each_provider_is_read_and_others_are_not() {
    for (body, wanted) in [
        (
            r#"{"error": {"message": "API key not valid.", "code": 400, "status": "INVALID_ARGUMENT"}}"#,
            "API key not valid.",
        ),
        (r#"{"error": {"code": "SubscriptionNotFound", "message": "gone"}}"#, "SubscriptionNotFound: gone"),
        (
            r#"{"Error": {"Code": "InvalidClientTokenId", "Message": "no", "Type": "Sender"}}"#,
            "InvalidClientTokenId: no",
        ),
        (
            r#"{"code": "NotAuthenticated", "message": "The required information\nis missing"}"#,
            "NotAuthenticated: The required informationis missing",
        ),
        (
            r#"{"error": {"type": "authentication_error", "message": "invalid x-api-key"}}"#,
            "invalid x-api-key",
        ),
    ] {
        assert_eq!(said(body.as_bytes()).as_deref(), Some(wanted));
    }
    for nothing in ["", "<html>", "[]", r#"{"error": "no"}"#, r#"{"error": {"message": 1}}"#] {
        assert_eq!(said(nothing.as_bytes()), None, "{nothing}");
    }
}

#[test]
fn a_clock_that_is_wrong_says_nothing_of_a_credential() {
    assert!(clocks_differ("SignatureDoesNotMatch: Signature expired: 20261129T192700Z is now earlier than"));
    assert!(clocks_differ(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe"
    ));
    assert!(!clocks_differ("InvalidClientTokenId: The security token included in the request is invalid."));
}

#[test]
fn a_header_that_is_repeated_is_told_without_its_signature() {
    let sent = r#"Signature version=\"1\",keyId=\"ocid1\",signature=\"QUJD+/0123456789abcdef==\" is wrong"#;
    let told = said(format!(r#"{{"code": "NotAuthenticated", "message": "{sent}"}}"#).as_bytes()).unwrap();
    assert_eq!(
        told,
        "NotAuthenticated: Signature version=\"1\",keyId=\"ocid1\",signature=\"[masked]\" is wrong"
    );
    let aws = "Credential=AKIA/x, Signature=0123456789abcdef0123456789abcdef, Signature=short";
    assert_eq!(without_signatures(aws), "Credential=AKIA/x, Signature=[masked], Signature=short");
}
