//! A form of others, against a vector of its designers.

use super::*;

#[test]
fn what_was_sealed_by_others_opens_with_its_key_only() {
    // The Galois/Counter Mode of Operation (McGrew, Viega), test case 14: key and plain text of zeros.
    let sealed = crate::from_hex(
        "000000000000000000000000cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    )
    .unwrap();
    assert_eq!(*open_aes256_gcm(&[0; 32], &sealed).unwrap(), [0; 16]);
    assert!(open_aes256_gcm(&[1; 32], &sealed).is_err());
    let mut changed = sealed.clone();
    changed[20] ^= 1;
    assert!(open_aes256_gcm(&[0; 32], &changed).is_err());
    assert!(open_aes256_gcm(&[0; 32], &sealed[..11]).is_err());
}
