//! Signatures that the library itself finds good, the example of RFC 7515, and keys that are refused.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};

use super::*;
use crate::{from_base64url, to_base64, to_base64url};

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", to_base64(der))
}

fn ecdsa() -> (EcdsaKeyPair, String) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let text = pem(pair.to_pkcs8v1().unwrap().as_ref());
    (pair, text)
}

fn ed25519() -> (Ed25519KeyPair, String) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let text = pem(pair.to_pkcs8().unwrap().as_ref());
    (pair, text)
}

#[test]
fn a_signature_of_each_kind_is_good() {
    let (pair, text) = ecdsa();
    let signature = TokenKey::read(TokenSignature::Es256, text.as_bytes()).unwrap().sign(b"message").unwrap();
    assert_eq!(signature.len(), 64);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
    key.verify(b"message", &signature).unwrap();
    let (pair, text) = ed25519();
    let signature = TokenKey::read(TokenSignature::EdDsa, text.as_bytes()).unwrap().sign(b"message").unwrap();
    UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref()).verify(b"message", &signature).unwrap();
}

/// RFC 7515, appendix A.1.
#[test]
fn the_example_of_the_rfc_holds() {
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = TokenKey::read(TokenSignature::Hs256, &from_base64url(key).unwrap()).unwrap();
    let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l\
                   eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = key.sign(message.as_bytes()).unwrap();
    assert_eq!(to_base64url(&signature), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

#[test]
fn keys_of_another_kind_and_short_ones_are_refused() {
    let (ec, ed) = (ecdsa().1, ed25519().1);
    let refused = |signature, key: &str| TokenKey::read(signature, key.as_bytes()).is_err();
    assert!(refused(TokenSignature::Rs256, &ec));
    assert!(refused(TokenSignature::Es256, &ed));
    assert!(refused(TokenSignature::EdDsa, &ec));
    assert!(refused(TokenSignature::Hs256, "short"));
    assert!(refused(TokenSignature::Rs256, "no PEM at all"));
}
