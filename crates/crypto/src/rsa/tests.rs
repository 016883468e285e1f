//! Signatures that the library itself verifies, and keys in all the forms that are read.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};

use super::*;
use crate::to_base64;

fn pem(label: &str, der: &[u8]) -> String {
    let text = to_base64(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

fn fresh(size: KeySize) -> (RsaKeyPair, String) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = pem("PRIVATE KEY", der.as_ref());
    (pair, text)
}

#[test]
fn both_kinds_of_signature_fit_the_public_key() {
    let (pair, text) = fresh(KeySize::Rsa2048);
    let key = RsaKey::from_pem(&secret(&text)).unwrap();
    let public = pair.public_key().as_ref();
    let rs256 = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    let ps256 = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public);
    rs256.verify(b"message", &key.sign_rs256(b"message").unwrap()).unwrap();
    ps256.verify(b"message", &key.sign_ps256(b"message").unwrap()).unwrap();
    assert!(rs256.verify(b"other", &key.sign_rs256(b"message").unwrap()).is_err());
    assert!(rs256.verify(b"message", &key.sign_ps256(b"message").unwrap()).is_err());
}

#[test]
fn a_key_is_found_behind_a_certificate_and_with_any_line_ends() {
    let (_, text) = fresh(KeySize::Rsa2048);
    let both = format!("{}{}", pem("CERTIFICATE", b"a certificate"), text);
    assert!(RsaKey::from_pem(&secret(&both)).is_ok());
    assert!(RsaKey::from_pem(&secret(&text.replace('\n', "\r\n"))).is_ok());
    assert_eq!(certificate_of_pem(&secret(&both)).unwrap(), b"a certificate");
    assert!(certificate_of_pem(&secret(&text)).is_err());
}

#[test]
fn what_is_no_private_key_is_refused_without_being_repeated() {
    let wrong = [
        "CANARY",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQ0FOQVJZ\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nQ0FOQVJZ\n-----END EC PRIVATE KEY-----",
    ];
    for text in wrong {
        let error = RsaKey::from_pem(&secret(text)).err().unwrap();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}
