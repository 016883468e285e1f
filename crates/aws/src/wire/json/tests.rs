//! JSON with secrets in it.

use super::*;
use crate::wire::fake::{open, secret};

#[derive(serde::Deserialize)]
struct Holder {
    #[serde(default, deserialize_with = "optional")]
    text: Option<SecretText>,
}

#[test]
fn a_text_goes_into_guarded_memory() {
    let read = |json: &str| serde_json::from_str::<Holder>(json).unwrap().text.map(|text| open(&text.0));
    assert_eq!(read(r#"{"text":"CANARY"}"#).as_deref(), Some("CANARY"));
    assert_eq!(read(r#"{"text":"a\/b\u0041"}"#).as_deref(), Some("a/bA"));
    for none in [r#"{"text":""}"#, r#"{"text":null}"#, "{}"] {
        assert_eq!(read(none), None, "{none}");
    }
    assert!(serde_json::from_str::<SecretText>("\"\"").is_err());
    assert!(serde_json::from_str::<Holder>(r#"{"text":5}"#).is_err());
}

#[test]
fn an_object_is_written_as_json_even_when_it_outgrows_its_room() {
    let long = "x".repeat(300);
    let object = Object::with_room(4)
        .text("a\"b", "c\\d\n\u{1}\u{e9}")
        .texts("list", &["1", "2"])
        .texts::<&str>("none", &[])
        .secret("s", &secret(&long))
        .unwrap()
        .end();
    let read: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(read, serde_json::json!({"a\"b": "c\\d\n\u{1}\u{e9}", "list": ["1", "2"], "s": long}));
    assert!(Object::with_room(9).secret("s", &memory::Secret::new(vec![0xff]).unwrap()).is_none());
}
