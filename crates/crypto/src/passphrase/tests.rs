//! Tests of the module `passphrase`.

use super::*;
use crate::{DataKey, Place};

#[test]
fn the_same_passphrase_gives_the_same_key_and_another_does_not() {
    let key = DataKey::generate().unwrap();
    let place = Place { tenant: "local", subject: "dek", version: 1, kind: crate::Kind::Key };
    let wrapped = stretch(b"correct horse", &[1; 32], Cost::FLOOR).unwrap().wrap(&key, &place, b"").unwrap();
    assert!(stretch(b"correct horse", &[1; 32], Cost::FLOOR).unwrap().unwrap(&wrapped, &place, b"").is_ok());
    assert!(stretch(b"correct hors", &[1; 32], Cost::FLOOR).unwrap().unwrap(&wrapped, &place, b"").is_err());
    assert!(stretch(b"correct horse", &[2; 32], Cost::FLOOR).unwrap().unwrap(&wrapped, &place, b"").is_err());
}

#[test]
fn a_cheaper_cost_than_the_floor_is_refused() {
    let cheap = Cost { memory: 8, passes: 1, lanes: 1 };
    assert_eq!(stretch(b"x", &[0; 32], cheap).err(), Some(Error::Stretch));
}
