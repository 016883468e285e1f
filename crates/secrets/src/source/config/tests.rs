//! What sources are told in `sources.toml`; the form is TOML, read here as JSON of the same shape.

use super::*;

fn read(text: &str) -> Result<Config, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn what_is_not_said_has_the_stated_ages() {
    let ages = read("{}").unwrap().ages();
    assert_eq!((ages.refresh, ages.stale), (Duration::from_secs(300), Duration::from_secs(3600)));
    let ages = read(r#"{"refresh": "2h"}"#).unwrap().ages();
    assert_eq!(ages.stale, Duration::from_secs(7200), "nothing is stale before it is due");
}

#[test]
fn a_key_that_nobody_knows_is_refused() {
    for text in [
        r#"{"refesh": "5m"}"#,
        r#"{"refresh": "5"}"#,
        r#"{"vault": {"adress": "https://x"}}"#,
        r#"{"vault": {"auth": {"method": "token"}}}"#,
        r#"{"vault": {"auth": {"method": "magic"}}}"#,
        r#"{"command": {"x": {"argv": ["/bin/x"], "shell": true}}}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_credential_is_named_by_a_reference_and_never_written_down() {
    let error = read(r#"{"vault": {"auth": {"method": "token", "token": "hvs.CANARY-token"}}}"#).unwrap_err();
    assert!(!error.to_string().contains("CANARY"), "{error}");
    let config = read(r#"{"vault": {"auth": {"method": "token", "token": "store:vault/token"}}}"#).unwrap();
    assert!(matches!(config.vault.auth, Some(VaultAuth::Token { .. })));
}
