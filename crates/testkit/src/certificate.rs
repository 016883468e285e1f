//! Certificates that sign themselves, for what only has to hold one.

use rcgen::generate_simple_self_signed;

/// A certificate for a name and its key, both in PEM, made afresh.
///
/// # Panics
/// When the name can't stand in a certificate.
#[must_use]
pub fn self_signed(name: &str) -> (String, String) {
    let made = generate_simple_self_signed(vec![name.to_owned()]).expect("the test kit works");
    (made.cert.pem(), made.signing_key.serialize_pem())
}
