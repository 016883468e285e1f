//! Tests of the module `text`.

use super::*;

#[test]
fn only_the_canonical_form_is_read() {
    assert_eq!(from_base64url(&to_base64url(b"\xff\xfe")).unwrap(), b"\xff\xfe");
    assert!(from_base64url("__9").is_err(), "trailing bits that are not zero");
    assert!(from_base64url("_-4=").is_err());
    assert_eq!(from_hex(&to_hex(&[0, 171])).unwrap(), [0, 171]);
    assert!(from_hex("AB").is_err());
    assert!(from_hex("abc").is_err());
}
