//! Tests of reading one key of a file.

use super::*;

fn line(text: &str) -> Result<Option<String>, Wrong> {
    let found = line_key(text.as_bytes(), "KEY")?;
    Ok(found.map(|value| String::from_utf8(value.to_vec()).unwrap()))
}

fn json(text: &str) -> Result<Option<String>, Wrong> {
    let found = json_at(text.as_bytes(), &["KEY"])?;
    Ok(found.map(|value| String::from_utf8(value.to_vec()).unwrap()))
}

#[test]
fn lines_are_read_as_a_shell_would() {
    for (text, expected) in [
        ("KEY=value", "value"),
        ("# KEY=no\n\n  export KEY = value  \r\n", "value"),
        ("KEY=a#b # comment", "a#b"),
        ("KEY='a # b' # comment", "a # b"),
        (r#"KEY="a \"b\" \\ \$c\n" "#, "a \"b\" \\ $c\n"),
        ("KEY=a=b==", "a=b=="),
        ("KEY=", ""),
        ("KEY=''", ""),
        ("KEYS=no\nKEY=yes\nXKEY=no", "yes"),
        ("KEY=$HOME", "$HOME"),
    ] {
        assert_eq!(line(text), Ok(Some(expected.to_owned())), "{text}");
    }
    assert_eq!(line("OTHER=x"), Ok(None));
    assert_eq!(line(""), Ok(None));
}

#[test]
fn lines_that_two_readers_would_read_differently_are_errors() {
    assert_eq!(line("KEY=a\nKEY=b"), Err(Wrong::Twice));
    for text in ["KEY", "KEY='a", "KEY=\"a", "KEY='a'b", r#"KEY="\x""#, "just text\nKEY=a"] {
        assert_eq!(line(text), Err(Wrong::Form), "{text}");
    }
}

#[test]
fn json_is_one_object_of_which_one_string_is_kept() {
    assert_eq!(json(r#"{"a":[1,{"KEY":"no"}],"KEY":"y\u00e9s"}"#), Ok(Some("yés".to_owned())));
    assert_eq!(json(r#"{"KE\u0059":"yes"}"#), Ok(Some("yes".to_owned())));
    assert_eq!(json(r#"{"a":1}"#), Ok(None));
    assert_eq!(json(r#"{"KEY":"a","KEY":"b"}"#), Err(Wrong::Twice));
    for text in ["", "[]", "\"KEY\"", r#"{"KEY":1}"#, r#"{"KEY":null}"#, r#"{"KEY":"a"} x"#, r#"{"KEY":"a""#]
    {
        assert_eq!(json(text), Err(Wrong::Form), "{text}");
    }
}

#[test]
fn a_text_is_found_below_other_keys_and_what_stands_beside_it_is_of_any_kind() {
    let text = r#"{"a": {"n": 1, "b": {"list": [1], "KEY": "v", "other": null}}, "z": true}"#;
    let at = |path: &[&str]| json_at(text.as_bytes(), path).map(|found| found.map(|value| value.to_vec()));
    assert_eq!(at(&["a", "b", "KEY"]), Ok(Some(b"v".to_vec())));
    assert_eq!(at(&["a", "x", "KEY"]), Ok(None));
    assert_eq!(at(&["a", "b", "other"]), Err(Wrong::Form));
    assert_eq!(at(&["a", "b", "other", "KEY"]), Ok(None), "a deleted version is null");
    assert_eq!(at(&["a", "n"]), Err(Wrong::Form));
    assert_eq!(at(&[]), Err(Wrong::Form));
    let twice = br#"{"a": {"KEY": "x"}, "a": {"KEY": "y"}}"#;
    assert_eq!(json_at(twice, &["a", "KEY"]), Err(Wrong::Twice));
}
