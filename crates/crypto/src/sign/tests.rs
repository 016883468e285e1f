//! Tests of the module `sign`.

use super::*;
use crate::{from_hex, to_hex};

#[test]
fn the_signature_is_that_of_rfc_8032() {
    // RFC 8032, section 7.1, test 2.
    let seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
    let key = SigningKey::from_seed(seed.try_into().unwrap()).unwrap();
    assert_eq!(
        to_hex(key.public().as_bytes()),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    assert!(
        to_hex(&key.sign(&[0x72]))
            .starts_with("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")
    );
    assert!(key.public().verify(&[0x72], &key.sign(&[0x72])).is_ok());
}

#[test]
fn a_changed_message_is_refused() {
    let key = SigningKey::generate().unwrap();
    assert!(key.public().verify(b"other", &key.sign(b"message")).is_err());
}
