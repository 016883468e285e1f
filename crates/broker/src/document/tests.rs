//! Bodies are read as they are everywhere, but for keys that are there twice.

use super::*;

#[test]
fn a_body_is_read_as_it_is_and_says_each_thing_once() {
    let body = r#"{"a": [1, -2, 1.5, null, true, "x\n"], "b": {"a": {}}, "big": 18446744073709551615}"#;
    assert_eq!(read(body.as_bytes()).unwrap(), serde_json::from_str::<Value>(body).unwrap());
    for body in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"c":1,"d":2,"c":3}}]"#] {
        let error = read(body.as_bytes()).unwrap_err();
        assert!(says_twice(&error), "{error}");
    }
    for body in ["", "{", "{} {}", "{'a': 1}", "[1,]", "\u{feff}{}"] {
        let error = read(body.as_bytes()).unwrap_err();
        assert!(!says_twice(&error), "{body}: {error}");
    }
    assert!(read(&[b'"', 0xff, b'"']).is_err());
    assert!(read("[".repeat(10_000).as_bytes()).is_err(), "there is an end to how deep it may be");
}
