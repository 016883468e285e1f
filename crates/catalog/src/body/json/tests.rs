//! What two readers might read differently is refused.

use super::*;

fn problem(body: &[u8]) -> String {
    read(body).unwrap_err().message
}

#[test]
fn a_key_written_twice_is_refused_at_any_depth() {
    assert_eq!(problem(br#"{"a":1,"a":1}"#), "the body is not strict JSON: a key is written twice");
    assert_eq!(
        problem(br#"[{"x":{"a":1,"\u0061":2}}]"#),
        "the body is not strict JSON: a key is written twice"
    );
}

#[test]
fn nothing_may_stand_behind_the_value() {
    assert_eq!(problem(b"{} x"), "the body is not strict JSON: something stands behind the value");
    assert_eq!(problem(b"{}{}"), "the body is not strict JSON: something stands behind the value");
    assert!(read(b" {} \n").is_ok());
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    assert_eq!(problem(b"{\"a\":\"\xff\"}"), "the body is not strict JSON: it is not UTF-8");
    assert!(read(b"\xef\xbb\xbf{}").is_err());
    assert!(read(br#"{"a":"\ud800"}"#).is_err());
}

#[test]
fn sixty_four_levels_are_the_most() {
    let nested = |levels: usize| [vec![b'['; levels - 1], b"1".to_vec(), vec![b']'; levels - 1]].concat();
    assert!(read(&nested(64)).is_ok());
    assert_eq!(problem(&nested(65)), "the body is not strict JSON: it has more than 64 levels");
    assert!(read(&nested(5000)).is_err());
}

#[test]
fn large_whole_numbers_keep_every_digit() {
    let body =
        read(br#"{"id":9007199254740993,"most":18446744073709551615,"more":18446744073709551616}"#).unwrap();
    assert_eq!(body.at("id").unwrap().text().unwrap(), "9007199254740993");
    assert_eq!(body.at("most").unwrap().text().unwrap(), "18446744073709551615");
    assert_eq!(body.at("more").unwrap().text(), None);
}

#[test]
fn a_message_does_not_repeat_the_body() {
    assert!(!problem(b"{\"xoxb-CANARY-1\": xoxb-CANARY-2}").contains("CANARY"));
}
