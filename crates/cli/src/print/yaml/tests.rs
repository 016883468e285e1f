//! What is written as YAML is read back as the same value.

use serde_json::json;

use super::*;

#[test]
fn a_document_is_what_people_expect() {
    let value = json!({
        "status": "granted",
        "capability": { "id": "cap_1", "actions": ["read", "write"], "constraints": {}, "none": null },
        "list": [{ "a": 1, "b": [] }, "x: y"],
        "on": "off",
    });
    let expected = "status: granted\ncapability:\n  id: cap_1\n  actions:\n    - read\n    - write\n  constraints: {}\n  \
                    none: null\nlist:\n  -\n    a: 1\n    b: []\n  - \"x: y\"\n\"on\": \"off\"\n";
    let mut lines: Vec<String> = document(&value).lines().map(str::to_owned).collect();
    let mut wanted: Vec<&str> = expected.lines().collect();
    lines.sort();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert_eq!(document(&json!({})), "{}\n");
    assert_eq!(document(&json!("a")), "a\n");
}

#[test]
fn whatever_stands_in_a_text_stays_text() {
    for text in [
        "",
        " a",
        "1",
        "1e3",
        "0x1f",
        "null",
        "~",
        "true",
        "No",
        "a: b",
        "- a",
        "#x",
        "a\nb",
        "@x",
        "é",
        "2026-01-01",
        "secret:/db",
    ] {
        let value = json!({ "key": [text] });
        let read: Value = catalog::yaml::read(&document(&value), "it").unwrap();
        assert_eq!(read, value, "{text:?}");
    }
}
