//! A cookie alone is no session.

use super::*;

#[test]
fn a_session_is_a_cookie_and_the_word_of_its_page() {
    let (cookie, word) = halves("dws1.own.word").unwrap();
    assert_eq!((cookie, word), ("dws1.own", "word"));
    assert!(Presented::new(cookie, Some(word)).unwrap().into_value() == "dws1.own.word");
    for without in [None, Some("")] {
        let refusal = Presented::new(cookie, without).err().unwrap();
        assert_eq!(refusal.code, Code::Unauthenticated);
        assert!(refusal.hint.is_some_and(|hint| hint.contains("X-CSRF-Token")));
    }
    assert!(Presented::new("acme_api_x", Some(word)).is_err(), "a key is no session");
    assert_eq!((halves("dws1.own"), halves("dws1.own."), halves("acme.api.x")), (None, None, None));
}
