//! Which keys of a set count, and for what.

use serde_json::json;

use super::*;

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ALL: [JwsAlgorithm; 4] =
    [JwsAlgorithm::RS256, JwsAlgorithm::PS256, JwsAlgorithm::ES256, JwsAlgorithm::EdDSA];

fn read(key: &Value, accepted: &[JwsAlgorithm]) -> Option<Algorithm> {
    let set = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes(), accepted).ok()?;
    set.of(None).next().map(VerifyingKey::algorithm)
}

#[test]
fn a_key_is_pinned_to_one_algorithm() {
    assert_eq!(pinned("RSA", None, None, &ALL), Some(Algorithm::RS256));
    assert_eq!(pinned("RSA", None, Some("PS256"), &ALL), Some(Algorithm::PS256));
    assert_eq!(pinned("RSA", None, Some("ES256"), &ALL), None);
    assert_eq!(pinned("RSA", None, Some("RS512"), &ALL), None, "not accepted");
    assert_eq!(pinned("EC", Some("P-256"), None, &ALL), Some(Algorithm::ES256));
    assert_eq!(pinned("EC", Some("P-384"), None, &ALL), None);
    assert_eq!(pinned("EC", Some("P-256"), Some("HS256"), &ALL), None);
    assert_eq!(pinned("OKP", Some("Ed25519"), Some("Ed25519"), &ALL), Some(Algorithm::EdDSA));
    assert_eq!(pinned("OKP", Some("Ed448"), None, &ALL), None);
    assert_eq!(pinned("oct", None, Some("HS256"), &ALL), None);
}

#[test]
fn keys_for_something_else_are_left_out() {
    let good = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y });
    assert_eq!(read(&good, &ALL), Some(Algorithm::ES256));
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("alg", json!("HS256")),
        ("kty", json!("oct")),
        ("x", json!("AAAA")),
        ("y", json!(X)),
    ] {
        let mut key = good.clone();
        key[name] = value;
        assert_eq!(read(&key, &ALL), None, "{name}");
    }
}

#[test]
fn a_set_without_a_key_is_an_error() {
    for set in ["", "[]", "{}", "{\"keys\": []}", "{\"keys\": {}}", "<html>", "{\"error\": \"later\"}"] {
        assert!(KeySet::read(set.as_bytes(), &ALL).is_err(), "{set}");
    }
}
