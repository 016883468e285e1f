//! What goes to the gateway and what comes back.

use super::*;

#[test]
fn the_capability_is_read_and_anything_else_is_refused() {
    assert_eq!(capability(r#"{"status": "granted", "token": "cap1_abc"}"#).unwrap(), "cap1_abc");
    for answer in [r#"{"status": "denied"}"#, r#"{"token": ""}"#, r#"{"token": "x"}"#, "", "cap1_abc"] {
        assert!(capability(answer).is_err(), "{answer}");
    }
}

#[test]
fn the_secret_of_the_bench_is_only_named_in_its_integration() {
    let text = integration(8099);
    assert!(text.contains("base_url: http://127.0.0.1:8099\n"));
    assert!(!text.contains(SECRET));
}
