//! Tests of the module `mac`.

use super::*;
use crate::{from_hex, to_hex};

#[test]
fn the_tag_is_that_of_rfc_4231() {
    // RFC 4231, test case 2, with the key padded to 32 bytes with zeros, which HMAC does itself.
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");
    let tag = MacKey::new(key).tag(&[b"what do ya want ", b"for nothing?"]);
    assert_eq!(to_hex(&tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[test]
fn a_wrong_tag_is_refused() {
    let key = MacKey::generate().unwrap();
    let mut tag = key.tag(&[b"x"]);
    tag[31] ^= 1;
    assert_eq!(key.verify(&[b"x"], &tag).unwrap_err(), Error::Forged);
    assert!(key.verify(&[b"x"], &from_hex("00").unwrap()).is_err());
}

#[test]
fn keys_for_two_purposes_differ() {
    let key = MacKey::generate().unwrap();
    assert_ne!(key.derive("a", b"bc").tag(&[]), key.derive("ab", b"c").tag(&[]));
}
