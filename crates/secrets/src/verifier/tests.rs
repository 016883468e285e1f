//! Tests of imprints and what matches them.

use super::*;
use crate::tests::fixture::secret;

fn key() -> Arc<MacKey> {
    Arc::new(MacKey::new([7; 32]))
}

#[test]
fn a_random_text_matches_its_own_imprint_only() {
    let imprint = Imprint::keyed(&key(), &secret("CANARY-0123456789")).unwrap();
    let verifier = Verifier::new(key(), imprint.clone());
    assert!(verifier.check(b"CANARY-0123456789").is_ok());
    for wrong in [b"".as_slice(), b"CANARY-012345678", b"CANARY-01234567899", b"canary-0123456789"] {
        assert_eq!(verifier.check(wrong).err(), Some(Mismatch));
    }
    let stranger = Verifier::new(Arc::new(MacKey::new([8; 32])), imprint);
    assert!(stranger.check(b"CANARY-0123456789").is_err());
}

#[test]
fn a_password_matches_its_own_imprint_only() {
    let imprint = Imprint::stretched(&key(), &secret("CANARY"), Cost::FLOOR).unwrap();
    let verifier = Verifier::new(key(), imprint.clone());
    assert!(verifier.check(b"CANARY").is_ok());
    assert!(verifier.check(b"CANARz").is_err());
    let Imprint::Stretched { salt, memory, lanes, tag, .. } = imprint else { unreachable!() };
    let cheaper = Imprint::Stretched { salt, memory, passes: 1, lanes, tag };
    assert!(Verifier::new(key(), cheaper).check(b"CANARY").is_err());
}

#[test]
fn what_is_too_little_to_imprint_is_refused() {
    assert!(Imprint::keyed(&key(), &secret("CANARY-01234567")).is_err());
    assert!(Imprint::stretched(&key(), &secret(""), Cost::FLOOR).is_err());
}

#[test]
fn an_imprint_is_stored_strictly_and_without_the_text() {
    let imprint = Imprint::keyed(&key(), &secret("CANARY-0123456789")).unwrap();
    let text = serde_json::to_string(&imprint).unwrap();
    assert!(!text.contains("CANARY"));
    assert_eq!(serde_json::from_str::<Imprint>(&text).unwrap(), imprint);
    assert!(serde_json::from_str::<Imprint>(&text.replacen('{', "{\"more\":1,", 1)).is_err());
    let broken = Imprint::Keyed { tag: "zz".into() };
    assert!(Verifier::new(key(), broken).check(b"CANARY-0123456789").is_err());
}
