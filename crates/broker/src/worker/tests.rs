//! Tests of the random bytes behind ids.

use std::collections::HashSet;

use super::*;

#[test]
fn random_bytes_are_given_once_and_then_no_more() {
    let mut bytes = [0; 10 * IDS];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(at / 10).unwrap();
    }
    let mut random = Random { bytes, used: 0 };
    let given: HashSet<[u8; 10]> = std::iter::from_fn(|| random.next()).collect();
    assert_eq!(given.len(), IDS);
    assert_eq!(random.next(), None);
}
