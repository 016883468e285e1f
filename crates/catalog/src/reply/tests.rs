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

#[test]
fn every_value_at_a_path_is_kept_and_counted() {
    let body = br#"{"items": [{"id": "a", "spans": [1, 2]}, {"id": "b", "spans": [3]}], "last": [1, 5],
        "map": {"x": {"k": 1}, "y": {"k": 2}}, "none": []}"#;
    let field = |path: &str| {
        let wanted = BTreeMap::from([("it".to_owned(), Origin::parse(path).unwrap())]);
        fields(&wanted, &|_| None, body).into_iter().next().map(|(_, text)| text)
    };
    assert_eq!(field("items.*.id").unwrap(), "a b");
    assert_eq!(field("items.#").unwrap(), "2");
    assert_eq!(field("items.*.spans.#").unwrap(), "3");
    assert_eq!(field("last.-1").unwrap(), "5");
    assert_eq!(field("items.-1.id").unwrap(), "b");
    assert_eq!(field("map.*.k").unwrap(), "1 2");
    assert_eq!(field("none.#").unwrap(), "0");
    assert_eq!((field("none.*.id"), field("absent.#"), field("items.*.absent")), (None, None, None));
    for wrong in ["", "a..b", "a.#.b", "a.**", "#.a"] {
        assert!(Origin::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_a_program_prints_is_read_as_it_is_written() {
    let wanted = |text: &str| BTreeMap::from([("it".to_owned(), Origin::parse_printed(text).unwrap())]);
    let read = |text: &str, output, stdout: &[u8]| printed(&wanted(text), output, stdout);
    let one = |text: &str| vec![("it".to_owned(), text.to_owned())];
    assert_eq!(read("line:-1", Output::Text, b"a\n\n  b \n\n"), one("b"));
    assert_eq!(read("line:1", Output::Text, b"a\nb\n"), one("a"));
    assert_eq!(read("line:3", Output::Text, b"a\nb\n"), []);
    assert_eq!(read("-1.v", Output::Lines, b"{\"v\": 1}\n{\n\"v\": 2}\nnonsense"), one("2"));
    assert_eq!(read("#", Output::Lines, b""), one("0"));
    assert_eq!(read("v", Output::Json, b"{\"v\": 1} {\"v\": 2}"), []);
    for wrong in ["line:0", "line:x", "header:date"] {
        assert!(Origin::parse_printed(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_secret_is_taken_out_and_what_cannot_be_read_is_not_given() {
    let hides = ["auth.token".to_owned(), "data".to_owned(), "items.*.key".to_owned()];
    let body = br#"{"auth": {"token": "CANARY", "id": 1}, "data": {"a": {"b": ["CANARY", 2, null]}},
        "items": [{"key": "CANARY"}, {"id": 7}]}"#;
    let shown = String::from_utf8(without(&hides, &[], body).unwrap()).unwrap();
    assert!(!shown.contains("CANARY"), "{shown}");
    let value: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(value["data"]["a"]["b"], serde_json::json!(["(hidden)", "(hidden)", null]));
    assert_eq!((&value["auth"]["id"], &value["items"][1]["id"]), (&1.into(), &7.into()));
    for unread in [&b"CANARY"[..], b"{\"data\": \"CANARY\"", b"{\"data\": 1, \"data\": \"CANARY\"}"] {
        let refusal = without(&hides, &[], unread).unwrap_err();
        assert!(refusal.code == Code::UpstreamReply && !refusal.message.contains("CANARY"));
    }
    assert_eq!(without(&hides, &[], b" \n").unwrap(), b" \n");
    assert_eq!(without(&[], &[], b"CANARY").unwrap(), b"CANARY");
}

#[test]
fn a_reply_that_says_it_was_not_done_is_told() {
    let expect = BTreeMap::from([("data.ok".to_owned(), true.into()), ("errors".to_owned(), Value::Null)]);
    assert_eq!(unmet(&expect, br#"{"data": {"ok": true}}"#), None);
    assert_eq!(unmet(&expect, br#"{"data": {"ok": true}, "errors": null}"#), None);
    assert_eq!(
        unmet(&expect, br#"{"data": {"ok": false}}"#).unwrap(),
        "`data.ok` of the reply is not `true`"
    );
    assert_eq!(unmet(&expect, br#"{"data": {"ok": true}, "errors": []}"#).unwrap(), "the reply has `errors`");
    assert_eq!(unmet(&expect, b"<html>").unwrap(), "the reply is not JSON");
    assert_eq!(unmet(&BTreeMap::new(), b"<html>"), None);
}

#[test]
fn each_of_several_has_to_say_that_it_was_done() {
    let each = BTreeMap::from([("data.*.status".to_owned(), "success".into())]);
    assert_eq!(unmet(&each, br#"{"data": [{"status": "success"}, {"status": "success"}]}"#), None);
    for not in [r#"{"data": [{"status": "success"}, {"status": "error"}]}"#, r#"{"data": []}"#, "{}"] {
        assert_eq!(
            unmet(&each, not.as_bytes()).unwrap(),
            "`data.*.status` of the reply is not `\"success\"`",
            "{not}"
        );
    }
    let none = BTreeMap::from([("data.*.userErrors.*".to_owned(), Value::Null)]);
    assert_eq!(unmet(&none, br#"{"data": {"a": {"userErrors": []}, "b": null}}"#), None);
    let one = br#"{"data": {"a": {"userErrors": []}, "b": {"userErrors": [{"message": "x"}]}}}"#;
    assert_eq!(unmet(&none, one).unwrap(), "the reply has `data.*.userErrors.*`");
}

#[test]
fn silence_is_no_denial() {
    let expect = BTreeMap::from([("ok".to_owned(), true.into()), ("errors".to_owned(), Value::Null)]);
    for denies in
        [r#"{"ok": false}"#, r#"{"ok": "true"}"#, r#"{"ok": null}"#, r#"{"ok": true, "errors": ["x"]}"#]
    {
        assert!(denied(&expect, denies.as_bytes()), "{denies}");
    }
    for silent in ["{}", r#"{"ok": true}"#, "[]", "<html>", "", r#"{"ok": false, "ok": true}"#] {
        assert!(!denied(&expect, silent.as_bytes()), "{silent}");
    }
    assert!(!denied(&BTreeMap::new(), br#"{"ok": false}"#));
}

#[test]
fn fields_of_xml_are_every_element_of_a_name() {
    let body = br#"<?xml version="1.0"?><!-- x --><r:Stop xmlns:r="urn:a>b"><id>7 &lt;&#x41;&amp;</id><set><item><i>i-1</i><s><n>off</n></s></item>
        <item><i>i-2</i><s><n><![CDATA[<on>]]></n></s></item><none/></set></r:Stop>"#;
    let field =
        |path: &str| read(path, str::from_utf8(body).unwrap()).into_iter().next().map(|(_, text)| text);
    assert_eq!(field("Stop.set.item.i").unwrap(), "i-1 i-2");
    assert_eq!(field("Stop.set.item.s.n").unwrap(), "off <on>");
    assert_eq!(field("Stop.id").unwrap(), "7 <A&");
    assert_eq!(
        (field("Stop.set.item.#").unwrap(), field("Stop.set.other.#").unwrap()),
        ("2".to_owned(), "0".to_owned())
    );
    for absent in ["Other.id", "Stop.set", "Stop.set.none", "set.item.i", "Stop.set.item.*"] {
        assert_eq!(field(absent), None, "{absent}");
    }
    let deep = format!("{}{}", "<a>".repeat(70), "</a>".repeat(70));
    for broken in [
        "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
        "<a>&e;</a>",
        "<a><b></a></b>",
        "<a>",
        "<a></a><b></b>",
        "a<a></a>",
        "<a>1</a>x",
        deep.as_str(),
        "<>1</>",
        "<a x=\"></a>",
    ] {
        assert!(read("a", broken).is_empty(), "{broken}");
    }
}

#[test]
fn bytes_in_base64_are_kept_in_the_digits_that_people_write() {
    let field =
        |text: &str| read("hex:spans.0.traceId", &format!("{{\"spans\": [{{\"traceId\": \"{text}\"}}]}}"));
    let hex = "2f3e0cee77ae5dc9c17ade3689eb2e54";
    for text in [crypto::to_base64(&crypto::from_hex(hex).unwrap()).as_str(), hex] {
        assert_eq!(field(text)[0].1, hex, "{text}");
    }
    assert_eq!(field("no id")[0].1, "no id");
    assert!(Origin::parse("hex:spans.*.traceId").is_err());
}

#[test]
fn what_is_large_is_kept_as_its_digest_and_its_lines() {
    let body = r#"{"manifest": "a\nb\nc\n", "config": {"b": 1, "a": [true]}}"#;
    let field = |origin: &str| read(origin, body).into_iter().next().map(|(_, text)| text);
    assert_eq!(field("lines:manifest").unwrap(), "3");
    assert_eq!(field("sha256:manifest").unwrap(), crypto::to_hex(&crypto::sha256(&[b"a\nb\nc\n"])));
    assert_eq!(field("sha256:config").unwrap(), crypto::to_hex(&crypto::sha256(&[br#"{"a":[true],"b":1}"#])));
    assert_eq!((field("sha256:absent"), field("lines:config")), (None, None));
    for wrong in ["sha256:", "sha256:a.*", "lines:a.#", "sha256:header:x", "lines:lines:a"] {
        assert!(Origin::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_no_path_leads_to_is_left_out() {
    let shows = ["name", "info.status", "info.resources.*.*.metadata.name", "hooks.*.kind", "config"]
        .map(str::to_owned);
    let body = br#"{"name": "web", "more": "CANARY", "config": {"a": [1]}, "info": {"status": "deployed", "notes": "CANARY",
        "resources": {"v1/Secret": [{"data": {"pw": "CANARY"}, "metadata": {"name": "db", "annotations": {"a": "CANARY"}}}]}},
        "hooks": [{"kind": "Job", "manifest": "CANARY"}, "CANARY"]}"#;
    let shown = without(&[], &shows, body).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&shown).unwrap(),
        serde_json::json!({
            "name": "web", "config": {"a": [1]}, "hooks": [{"kind": "Job"}],
            "info": {"status": "deployed", "resources": {"v1/Secret": [{"metadata": {"name": "db"}}]}}
        })
    );
    let each = ["*.name".to_owned()];
    assert_eq!(
        without(&[], &each, br#"[{"name": "a", "x": "CANARY"}, "CANARY"]"#).unwrap(),
        br#"[{"name":"a"}]"#
    );
    assert_eq!(without(&[], &each, br#""CANARY""#).unwrap(), b"null");
    let both = ["data".to_owned()];
    let kept = without(&both, &both, br#"{"data": {"pw": "CANARY"}, "more": "CANARY"}"#).unwrap();
    assert_eq!(kept, br#"{"data":{"pw":"(hidden)"}}"#);
    assert!(without(&[], &each, b"CANARY").is_err());
}
