//! Tests of the module `otp`.

use super::*;

const SHA1: &[u8] = b"12345678901234567890";
const SHA256: &[u8] = b"12345678901234567890123456789012";
const SHA512: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

#[test]
fn the_codes_are_those_of_rfc_4226_appendix_d() {
    let expected =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (counter, code) in (0_u64..).zip(expected) {
        assert_eq!(*hotp(SHA1, counter, Algorithm::Sha1, Digits::Six).unwrap(), code);
    }
}

#[test]
fn the_codes_are_those_of_rfc_6238_appendix_b() {
    let expected = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];
    for (time, sha1, sha256, sha512) in expected {
        assert_eq!(*totp(SHA1, time, 30, Algorithm::Sha1, Digits::Eight).unwrap(), sha1);
        assert_eq!(*totp(SHA256, time, 30, Algorithm::Sha256, Digits::Eight).unwrap(), sha256);
        assert_eq!(*totp(SHA512, time, 30, Algorithm::Sha512, Digits::Eight).unwrap(), sha512);
    }
}

#[test]
fn a_code_keeps_its_leading_zeros() {
    assert_eq!(*totp(SHA1, 1_111_111_109, 30, Algorithm::Sha1, Digits::Seven).unwrap(), "7081804");
    assert_eq!(*totp(SHA1, 1_111_111_109, 30, Algorithm::Sha1, Digits::Six).unwrap(), "081804");
}

#[test]
fn a_short_key_or_no_period_gives_no_code() {
    assert!(hotp(b"123456789", 0, Algorithm::Sha1, Digits::Six).is_err());
    assert!(totp(SHA1, 59, 0, Algorithm::Sha1, Digits::Six).is_err());
    assert_eq!(Digits::of(5), None);
    assert_eq!(Digits::of(9), None);
}

#[test]
fn base_32_is_that_of_rfc_4648() {
    let known = [
        ("", ""),
        ("MY======", "f"),
        ("MZXQ====", "fo"),
        ("MZXW6===", "foo"),
        ("MZXW6YQ=", "foob"),
        ("MZXW6YTB", "fooba"),
        ("MZXW6YTBOI======", "foobar"),
        ("mzxw 6ytb-oi", "foobar"),
    ];
    for (text, bytes) in known {
        assert_eq!(*from_base32(text.as_bytes()).unwrap(), bytes.as_bytes(), "{text}");
    }
}

#[test]
fn base_32_that_no_encoder_writes_is_refused() {
    for text in ["M", "MZX", "MZXW6Y", "MZ", "M1", "M0", "MY=A", "MÄ"] {
        assert!(from_base32(text.as_bytes()).is_err(), "{text}");
    }
}
