//! Certificates that OpenSSL wrote, and what is not DER.

use proptest::prelude::*;

use super::*;
use crate::{from_hex, to_hex};

/// A certificate of OpenSSL, and the public key that OpenSSL finds in it.
const CERTIFICATE: &str = "3082017030820115a003020102021451f463af864b909505c33ba28fb76ce048f4a640300a06082a8648ce3d040302300c310a300806035504030c01783020170d3236313132393133313435355a180f32313236313130353133313435355a300c310a300806035504030c01783059301306072a8648ce3d020106082a8648ce3d03010703420004ce7bb2a111f524939b5d70e7fc97a7a2c68e60b1e5b1de068b0b69fdc341c62b56d2177e96a545cb593305842e6944644a71c6de89c16298f0820d16138259eea3533051301d0603551d0e041604143a3fb30382795d570a730b4eacbe4bfd9aa70098301f0603551d230418301680143a3fb30382795d570a730b4eacbe4bfd9aa70098300f0603551d130101ff040530030101ff300a06082a8648ce3d0403020349003046022100a294b882db4fce6ac134955f5fcf2744d3d3257838d0c775488f75ce7e56d63c022100986e7c8802bd95e0718fb9c18aa300fb45fb5b2b757c420ee656886905e20041";
const KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004ce7bb2a111f524939b5d70e7fc97a7a2c68e60b1e5b1de068b0b69fdc341c62b56d2177e96a545cb593305842e6944644a71c6de89c16298f0820d16138259ee";

#[test]
fn the_public_key_of_a_certificate_is_found() {
    let certificate = from_hex(CERTIFICATE).unwrap();
    assert_eq!(to_hex(public_key_of_certificate(&certificate).unwrap()), KEY);
    for length in 0..certificate.len() {
        assert!(public_key_of_certificate(&certificate[..length]).is_none(), "cut at {length}");
    }
    let longer = [certificate.as_slice(), &[0]].concat();
    assert!(public_key_of_certificate(&longer).is_none());
}

#[test]
fn lengths_have_one_form() {
    assert!(element(&[0x30, 0x81, 0x01, 0x00]).is_none(), "one byte would do");
    assert!(element(&[0x30, 0x82, 0x00, 0x80]).is_none(), "a leading zero");
    assert!(element(&[0x30, 0x80, 0x00, 0x00]).is_none(), "without an end");
    assert!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_none());
}

#[test]
fn numbers_stay_positive() {
    assert_eq!(to_hex(&rsa_public_key(&[0, 0, 0x81], &[1, 0, 1])), "3009020200810203010001");
    assert_eq!(to_hex(&rsa_public_key(&[], &[])), "3006020100020100");
    let long = rsa_public_key(&[0xff; 256], &[3]);
    assert_eq!(to_hex(long.get(..9).unwrap()), "308201080282010100");
}

proptest! {
    #[test]
    fn a_changed_certificate_never_breaks_the_reader(at in 0_usize..300, with: u8) {
        let mut certificate = from_hex(CERTIFICATE).unwrap();
        if let Some(byte) = certificate.get_mut(at) {
            *byte ^= with;
        }
        let _ = public_key_of_certificate(&certificate);
    }
}
