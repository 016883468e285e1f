//! The hash of one piece and that of several are the same hash.

use super::*;

#[test]
fn pieces_are_hashed_as_if_they_were_one() {
    let whole = b"the quick brown fox jumps over the lazy dog".repeat(7);
    let known = sha256(&[&whole]);
    for at in [0, 1, 63, 64, 65, whole.len()] {
        let (head, tail) = whole.split_at(at);
        assert_eq!(sha256(&[head, tail]), known, "cut at {at}");
    }
}

#[test]
fn the_hash_is_that_of_the_standard() {
    // FIPS 180-4, example of one block.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(crate::to_hex(&sha256(&[b"abc"])), abc);
    assert_eq!(crate::to_hex(&sha256(&[b"a", b"", b"bc"])), abc);
}
