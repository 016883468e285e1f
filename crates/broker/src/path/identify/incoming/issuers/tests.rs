//! How long keys are fresh, and which documents are believed.

use http::HeaderName;

use super::*;

fn lives(headers: &[(HeaderName, &'static str)]) -> u64 {
    let map = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    life(&map).as_secs()
}

#[test]
fn keys_live_as_long_as_the_issuer_says_within_bounds() {
    assert_eq!(lives(&[]), 3_600);
    assert_eq!(lives(&[(CACHE_CONTROL, "public, max-age=600, must-revalidate")]), 600);
    assert_eq!(lives(&[(CACHE_CONTROL, "Max-Age=600"), (AGE, "100")]), 500);
    assert_eq!(lives(&[(CACHE_CONTROL, "max-age=600"), (AGE, "10000")]), 60);
    assert_eq!(lives(&[(CACHE_CONTROL, "max-age=99999999")]), 86_400);
    assert_eq!(lives(&[(CACHE_CONTROL, "max-age=0")]), 60);
    assert_eq!(lives(&[(CACHE_CONTROL, "no-store")]), 60);
    assert_eq!(lives(&[(CACHE_CONTROL, "max-age=soon")]), 3_600);
}

#[test]
fn a_discovery_document_is_of_its_issuer_and_names_keys_over_https() {
    let document =
        |issuer: &str, keys: &str| format!("{{\"issuer\": \"{issuer}\", \"jwks_uri\": \"{keys}\"}}");
    let found = |text: String| keys_of(text.as_bytes(), "https://id.example.com", false);
    let keys = found(document("https://id.example.com", "https://keys.example.com/a?b=c")).unwrap();
    assert_eq!((keys.authority.host(), keys.target.as_str()), ("keys.example.com", "/a?b=c"));
    for wrong in [
        document("https://id.example.com/", "https://keys.example.com/"),
        document("https://id.example.com", "http://keys.example.com/"),
        document("https://id.example.com", "https://ann:secret@keys.example.com/"),
        document("https://id.example.com", "file:///etc/passwd"),
        "{}".to_owned(),
        "<html>".to_owned(),
    ] {
        assert!(found(wrong.clone()).is_err(), "{wrong}");
    }
}
