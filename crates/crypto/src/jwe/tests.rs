//! Sealed messages, and the example of RFC 7517.

use super::*;

const STRETCH: Stretch<'_> = Stretch { salt: b"twelve bytes", rounds: 1_000 };
const HEADER: &[u8] = br#"{"alg":"PBES2-HS256+A128KW"}"#;

#[test]
fn what_was_sealed_opens_with_the_same_passphrase_only() {
    let message = seal(b"correct horse", HEADER, STRETCH, b"battery staple").unwrap();
    assert_eq!(open(b"correct horse", &message, STRETCH).unwrap().as_slice(), b"battery staple");
    assert_eq!(open(b"correct hors", &message, STRETCH).unwrap_err(), Error::Forged);
    assert_eq!(header(&message).unwrap(), HEADER);
}

#[test]
fn an_empty_passphrase_and_an_empty_message_work() {
    let message = seal(b"", HEADER, STRETCH, b"").unwrap();
    assert!(open(b"", &message, STRETCH).unwrap().is_empty());
}

#[test]
fn a_message_that_was_changed_anywhere_does_not_open() {
    let message = seal(b"p", HEADER, STRETCH, b"a plain text").unwrap();
    let parts: Vec<&str> = message.split('.').collect();
    for at in 0..parts.len() {
        let mut changed = parts.clone();
        let bytes = from_base64url(parts[at]).unwrap();
        let flipped = to_base64url(&bytes.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>());
        changed[at] = &flipped;
        assert!(open(b"p", &changed.join("."), STRETCH).is_err(), "part {at}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    for text in ["", "a", "a.b.c.d", "a.b.c.d.e.f", "!.!.!.!.!", "...."] {
        assert!(open(b"p", text, STRETCH).is_err(), "{text}");
    }
}

#[test]
fn rounds_out_of_bounds_and_short_salts_are_refused() {
    for rounds in [0, 999, 10_000_001, u32::MAX] {
        let stretch = Stretch { rounds, ..STRETCH };
        assert_eq!(seal(b"p", HEADER, stretch, b"x").unwrap_err(), Error::Stretch);
    }
    let stretch = Stretch { salt: b"short", ..STRETCH };
    assert_eq!(seal(b"p", HEADER, stretch, b"x").unwrap_err(), Error::Stretch);
}

/// The message of RFC 7517, appendix C: the same algorithm for the key, another one for the content, so it ends where the
/// key has been unwrapped.
#[test]
fn the_wrapped_key_of_the_standard_s_example_unwraps() {
    let salt = from_base64url("2WCTcJZ1Rvd_CJuJripQ1w").unwrap();
    let wrapped = from_base64url("TrqXOwuNUfDV9VPTNbyGvEJ9JMjefAVn-TR1uIxR9p6hsRQh9Tk7BA").unwrap();
    let key = wrapping_key(
        b"Thus from my lips, by yours, my sin is purged.",
        Stretch { salt: &salt, rounds: 4096 },
    )
    .unwrap();
    let mut unwrapped = [0; 32];
    key.unwrap(&wrapped, &mut unwrapped).unwrap();
    let expected = [
        111, 27, 25, 52, 66, 29, 20, 78, 92, 176, 56, 240, 65, 208, 82, 112, 161, 131, 36, 55, 202, 236, 185,
        172, 129, 23, 153, 194, 195, 48, 253, 182,
    ];
    assert_eq!(unwrapped, expected);
}
