//! Tests of the module `envelope`.

#![expect(clippy::disallowed_methods, reason = "tests look at what was opened")]

use proptest::prelude::*;

use super::*;

const HERE: Place<'static> =
    Place { tenant: "local", subject: "slack/token", version: 3, kind: Kind::Secret };

#[test]
fn what_was_sealed_opens_in_its_place() {
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(b"xoxb-CANARY", &HERE).unwrap();
    assert!(key.open(&sealed, &HERE).unwrap().expose(|b| b == b"xoxb-CANARY"));
    assert!(!sealed.as_bytes().windows(6).any(|w| w == b"CANARY"));
}

#[test]
fn it_opens_nowhere_else() {
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(b"x", &HERE).unwrap();
    for elsewhere in [
        Place { tenant: "loca", subject: "lslack/token", ..HERE },
        Place { tenant: "other", ..HERE },
        Place { subject: "slack/other", ..HERE },
        Place { version: 2, ..HERE },
        Place { kind: Kind::House, ..HERE },
    ] {
        assert_eq!(key.open(&sealed, &elsewhere).err(), Some(Error::Open));
    }
    assert_eq!(DataKey::generate().unwrap().open(&sealed, &HERE).err(), Some(Error::Open));
}

#[test]
fn two_seals_of_one_text_differ() {
    let key = DataKey::generate().unwrap();
    assert_ne!(key.seal(b"x", &HERE).unwrap(), key.seal(b"x", &HERE).unwrap());
}

#[test]
fn the_parameters_of_a_wrapping_are_authenticated() {
    let (wrap, key) = (WrapKey::generate().unwrap(), DataKey::generate().unwrap());
    let place = Place { kind: Kind::Key, ..HERE };
    let wrapped = wrap.wrap(&key, &place, b"cost 3").unwrap();
    assert!(wrap.unwrap(&wrapped, &place, b"cost 3").is_ok());
    assert!(wrap.unwrap(&wrapped, &place, b"cost 1").is_err());
}

proptest! {
    #[test]
    fn any_change_is_found(plain in proptest::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let key = DataKey::generate().unwrap();
        let mut bytes = key.seal(&plain, &HERE).unwrap().as_bytes().to_vec();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(key.open(&Sealed::from_bytes(bytes.clone()), &HERE).is_err());
        bytes.truncate(place);
        prop_assert!(key.open(&Sealed::from_bytes(bytes), &HERE).is_err());
    }
}
