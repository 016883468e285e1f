//! Tests of the module `secret_ref`.

use super::*;

#[test]
fn a_reference_has_scheme_path_and_field() {
    let reference: SecretRef = "file:/run/secrets/all#SLACK".parse().unwrap();
    assert_eq!(
        (reference.scheme(), reference.path(), reference.field()),
        ("file", "/run/secrets/all", Some("SLACK"))
    );
    let plain: SecretRef = "store:slack/token".parse().unwrap();
    assert_eq!((plain.path(), plain.field()), ("slack/token", None));
}

#[test]
fn a_raw_secret_is_refused_and_not_repeated() {
    for raw in [
        "xoxb-1-CANARY",
        "",
        "env:",
        "file:#x",
        "file:/x#",
        "unknown:CANARY",
        "env: X",
        "STORE:x",
        "env:A\nB",
    ] {
        let error = raw.parse::<SecretRef>().unwrap_err().to_string();
        assert!(!error.contains("CANARY"), "{error}");
        assert!(error.contains("`env:VARIABLE`"), "{error}");
    }
}
