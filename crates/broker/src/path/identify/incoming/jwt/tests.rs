//! Reading tokens: what never breaks the reader, and what it refuses before any key is asked.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn times_have_to_be_numbers_and_true() {
    let timely = |claims: Value| timely(claims.as_object().unwrap(), 1_000, 30);
    assert!(timely(json!({ "exp": 1_001 })).is_ok());
    assert!(timely(json!({ "exp": 971.5, "nbf": 1_030, "iat": 1_030 })).is_ok());
    for wrong in [
        json!({}),
        json!({ "exp": 970 }),
        json!({ "exp": "2000" }),
        json!({ "exp": null }),
        json!({ "exp": -1 }),
        json!({ "exp": 2_000, "nbf": 1_031 }),
        json!({ "exp": 2_000, "iat": 1_031 }),
        json!({ "exp": 2_000, "nbf": "now" }),
    ] {
        assert!(timely(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn what_a_token_says_twice_is_not_read() {
    let token = |header: &str, claims: &str| {
        format!(
            "{}.{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims),
            URL_SAFE_NO_PAD.encode("s")
        )
    };
    let (header, claims) = (r#"{"alg":"HS256"}"#, r#"{"exp":1}"#);
    assert!(read(token(header, claims).as_bytes()).is_ok());
    assert!(read(token(header, r#"{"exp":1,"exp":9999999999}"#).as_bytes()).is_err());
    assert!(read(token(header, r#"{"exp":1,"realm":{"a":1,"a":2}}"#).as_bytes()).is_err());
    assert!(read(token(r#"{"alg":"none","alg":"HS256"}"#, claims).as_bytes()).is_err());
}

#[test]
fn google_is_asked_for_its_own_issuer() {
    let google =
        Wanted::OneOf(vec!["https://accounts.google.com".to_owned(), "accounts.google.com".to_owned()]);
    assert!(wanted(&google, Some(&json!("accounts.google.com")), "").is_ok());
    assert!(wanted(&google, Some(&json!("https://accounts.google.com.evil.example")), "").is_err());
    assert!(wanted(&google, None, "").is_err());
    assert!(wanted(&Wanted::Any, None, "").is_ok());
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[A-Za-z0-9_.=-]{0,120}") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn no_header_breaks_the_reader(header in "\\PC{0,60}", claims in "\\PC{0,60}") {
        let encode = |text: &str| crypto::to_base64url(text.as_bytes());
        let token = format!("{}.{}.", encode(&header), encode(&claims));
        let _ = read(token.as_bytes());
    }
}
