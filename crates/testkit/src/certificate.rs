//! Certificates that sign themselves, for what only has to hold one.

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
    generate_simple_self_signed,
};

/// A certificate for a name and its key, both in PEM, made afresh.
///
/// # Panics
/// When the name can't stand in a certificate.
#[must_use]
pub fn self_signed(name: &str) -> (String, String) {
    let made = generate_simple_self_signed(vec![name.to_owned()]).expect("the test kit works");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// The same that may be named as an authority: some programs take nothing else for one.
///
/// # Panics
/// When the name can't stand in a certificate.
#[must_use]
pub fn own_authority(name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("the test kit works");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("the test kit works");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let cert = params.self_signed(&key).expect("the test kit works");
    (cert.pem(), key.serialize_pem())
}

/// An RSA key of 2048 bits, made afresh: private and public, both in PEM.
///
/// # Panics
/// When there are no random bytes.
#[must_use]
pub fn rsa_key() -> (String, String) {
    let made = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("the test kit works");
    (made.serialize_pem(), made.public_key_pem())
}
