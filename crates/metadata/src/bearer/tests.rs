//! Making, taking and comparing.

use super::*;

fn given(text: &str) -> Result<Bearer, Error> {
    Bearer::given(Zeroizing::new(text.as_bytes().to_vec()))
}

#[test]
fn a_generated_one_has_forty_characters_and_is_never_the_same() {
    let (one, other) = (Bearer::generate().unwrap(), Bearer::generate().unwrap());
    one.lend(|text| assert!(text.len() == 40 && text.iter().all(u8::is_ascii_graphic)));
    assert!(other.lend(|text| one.shown(text)).is_none());
}

#[test]
fn only_the_same_text_is_a_proof() {
    let bearer = given("canary-token").unwrap();
    assert!(bearer.shown(b"canary-token").is_some());
    for wrong in ["canary-tokem", "canary-toke", "canary-tokens", "", "Bearer canary-token"] {
        assert!(bearer.shown(wrong.as_bytes()).is_none(), "{wrong}");
    }
}

#[test]
fn what_could_not_stand_in_a_header_is_refused() {
    for text in ["", "a b", "a\nb", "a\"b", "a\\b", "ä"] {
        assert!(given(text).is_err(), "{text:?}");
    }
    assert!(given(&"a".repeat(Bearer::MOST)).is_ok());
    assert!(given(&"a".repeat(Bearer::MOST + 1)).is_err());
}
