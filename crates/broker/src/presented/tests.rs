//! Tests of where capabilities are found.

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

#[test]
fn a_capability_is_found_where_programs_write_their_keys() {
    let basic = format!("Basic {}", crypto::to_base64(b"x-access-token:cap1_abc"));
    for pair in [
        ("authorization", "Bearer cap1_abc"),
        ("authorization", "token cap1_abc"),
        ("authorization", basic.as_str()),
        ("x-api-key", "cap1_abc"),
        ("private-token", "cap1_abc"),
        ("x-doorward-capability", "cap1_abc"),
    ] {
        assert_eq!(capability(&headers(&[pair])).unwrap().unwrap(), "cap1_abc", "{pair:?}");
    }
}

#[test]
fn other_credentials_are_no_capability() {
    for pair in [("authorization", "Bearer sk-CANARY"), ("authorization", "cap1"), ("x-api-key", "CANARY")] {
        assert!(capability(&headers(&[pair])).unwrap().is_none(), "{pair:?}");
    }
}

#[test]
fn two_different_capabilities_are_refused_and_the_same_twice_is_not() {
    let two = headers(&[("authorization", "Bearer cap1_a"), ("x-api-key", "cap1_b")]);
    assert_eq!(capability(&two).unwrap_err().code, Code::BadRequest);
    let same = headers(&[("authorization", "Bearer cap1_a"), ("x-api-key", "cap1_a")]);
    assert!(capability(&same).unwrap().is_some());
}

#[test]
fn a_capability_is_not_shown() {
    let found = capability(&headers(&[("authorization", "Bearer cap1_abc")])).unwrap().unwrap();
    assert!(!format!("{found:?}").contains("cap1_"));
}
