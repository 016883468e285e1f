//! RFC 2202 and RFC 4231, test case 2 of each.

use super::*;
use crate::to_hex;

#[test]
fn the_examples_of_the_rfcs_hold() {
    let of = |hash| to_hex(&hmac(hash, b"Jefe", &[b"what do ya want ", b"for nothing?"]));
    assert_eq!(of(HmacHash::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_eq!(of(HmacHash::Sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!(
        of(HmacHash::Sha512),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
         caeab1a34d4a6b4b636e070a38bce737"
    );
}
