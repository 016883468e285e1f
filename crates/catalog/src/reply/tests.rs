//! Evidence fields are short and cannot move a cursor.

use super::*;

fn read(origin: &str, body: &str) -> Vec<(String, String)> {
    let wanted = BTreeMap::from([("f".to_owned(), Origin::parse(origin).unwrap())]);
    fields(&wanted, &|name| (name == "x-id").then(|| "a\r\nb".to_owned()), body.as_bytes())
}

#[test]
fn fields_come_from_paths_lists_and_headers() {
    assert_eq!(read("a.0.b", r#"{"a":[{"b":12}]}"#)[0].1, "12");
    assert_eq!(read("header:X-Id", "")[0].1, "a\\u{d}\\u{a}b");
    assert!(read("a", "not json").is_empty());
    assert!(read("a", r#"{"a":{"b":1}}"#).is_empty());
}

#[test]
fn a_field_is_bounded_and_shows_what_hides() {
    let long = read("a", &format!(r#"{{"a":"{}"}}"#, "x".repeat(1000)));
    assert_eq!(long[0].1.chars().count(), 256);
    assert_eq!(read("a", "{\"a\":\"\\u001b[31m\u{202e}x\"}")[0].1, "\\u{1b}[31m\\u{202e}x");
    let escapes = read("a", &format!("{{\"a\":\"{}\"}}", "\\n".repeat(1000)));
    assert!(escapes[0].1.chars().count() <= 256);
}

#[test]
fn a_broken_origin_is_refused() {
    for wrong in ["", "a..b", "header:", "header:a b", "a b"] {
        assert!(Origin::parse(wrong).is_err(), "{wrong}");
    }
}
