//! Nobody can write for another page.

use super::*;

#[test]
fn what_changes_something_needs_the_token_of_the_very_session() {
    let (own, other) = ("dws1.own", "dws1.other");
    let token = csrf(own.as_bytes());
    assert!(Presented::writing(own.as_bytes(), Some(token.as_bytes())).is_ok());
    for wrong in [None, Some(csrf(other.as_bytes())), Some(String::new()), Some(own.to_owned())] {
        let refusal = Presented::writing(own.as_bytes(), wrong.as_deref().map(str::as_bytes)).err().unwrap();
        assert_eq!(refusal.code, Code::Denied);
    }
    assert!(Presented::reading(b"acme_api_x").is_err(), "a key is no session");
}
