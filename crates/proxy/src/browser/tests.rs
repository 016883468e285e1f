//! What a browser sends, and what it must not reach.

use super::*;

fn guarded(pairs: &[(&'static str, &'static str)]) -> Result<Guarded, Refused> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    guard(&headers, &["https://console.example".to_owned()])
}

#[test]
fn programs_and_addresses_typed_by_hand_pass() {
    for pairs in [&[][..], &[("sec-fetch-site", "none")], &[("sec-fetch-site", "same-origin")]] {
        assert!(guarded(pairs).is_ok(), "{pairs:?}");
    }
}

#[test]
fn a_page_that_was_named_passes_from_wherever_it_is() {
    assert!(guarded(&[("origin", "https://console.example")]).is_ok());
    assert!(guarded(&[("origin", "https://console.example"), ("sec-fetch-site", "cross-site")]).is_ok());
}

#[test]
fn every_other_page_is_refused() {
    for pairs in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "http://console.example")],
        &[("origin", "https://console.example:444")],
        &[("origin", "https://console.example.evil.example")],
        &[("origin", "HTTPS://console.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", "http://localhost:8080")],
        &[("origin", "https://console.example"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "new-word")],
        &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
    ] {
        let refused = guarded(pairs).unwrap_err();
        assert_eq!(refused.refusal().code.as_str(), "denied", "{pairs:?}");
        assert!(refused.refusal().hint.as_deref().unwrap().contains("origins"));
    }
}
