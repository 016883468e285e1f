//! Messages with one reading, with two, and with none.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::lines::kind::{Kind, OPERATIONS};

fn read(text: &str) -> Result<(String, String, String), Unread> {
    let message = Message::read(text.as_bytes())?;
    Ok((message.kind.into_owned(), message.id.into_owned(), message.payload.to_owned()))
}

fn reason(text: &str) -> String {
    read(text).unwrap_err().reason
}

#[test]
fn a_message_has_a_type_an_id_and_a_payload() {
    let text = r#" {"version":"1.0","type":"ping_request","id":"msg_1","timestamp":"2026-11-29T10:00:00.123456789Z","payload":{"a":[1,{"b":null}]},"signature":""} "#;
    assert_eq!(
        read(text).unwrap(),
        ("ping_request".into(), "msg_1".into(), r#"{"a":[1,{"b":null}]}"#.into())
    );
    for text in [
        r#"{"version":"1.0","type":"ping_request","id":"1"}"#,
        r#"{"version":"1.0","type":"ping_request","id":"1","payload":null,"signature":null,"timestamp":null}"#,
    ] {
        assert_eq!(read(text).unwrap().2, "{}", "{text}");
    }
}

#[test]
fn a_message_with_two_readings_is_refused() {
    for (text, expected) in [
        (r#"{"version":"1.0","type":"a","type":"b","id":"1"}"#, "duplicate field `type`"),
        (r#"{"version":"1.0","type":"a","\u0074ype":"b","id":"1"}"#, "duplicate field `type`"),
        (r#"{"version":"1.0","type":"a","id":"1","payload":{"ttl":1,"ttl":2}}"#, "duplicate field `ttl`"),
        (r#"{"version":"1.0","type":"a","id":"1","payload":{"a":[{"b":1,"b":1}]}}"#, "duplicate field `b`"),
        (r#"{"version":"1.0","type":"a","id":"1","payload":{"a":1,"\u0061":2}}"#, "duplicate field `a`"),
    ] {
        assert_eq!(reason(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_message_is_named() {
    for (text, expected) in [
        ("{", "it ends too early"),
        ("{]", "it is not JSON (line 1, column 2)"),
        (r#"{"version":"1.0","type":"a","id":"1"} {}"#, "it is not JSON (line 1, column 39)"),
        ("[]", "it is not an object"),
        (r#"{"version":"1.0","type":"a"}"#, "missing field `id`"),
        (r#"{"version":"1.0","type":"a","id":""}"#, "`id` is text"),
        (r#"{"version":"1.0","type":"a","id":"a\nb"}"#, "`id` is text"),
        (r#"{"version":"1.0","type":"a","id":1}"#, "a value is of another kind"),
        (
            r#"{"version":"2.0","type":"a","id":"1"}"#,
            "the version is not one that is spoken here; send `1.0`",
        ),
        (r#"{"version":"1.0","type":"a","id":"1","paylod":{}}"#, "unknown field `paylod`"),
        (r#"{"version":"1.0","type":"a","id":"1","payload":[]}"#, "`payload` is not an object"),
        (r#"{"version":"1.0","type":"a","id":"1","payload":"x"}"#, "`payload` is not an object"),
        (r#"{"version":"1.0","type":"a","id":"1","signature":"MEUC"}"#, "signatures are not checked here"),
        (r#"{"version":"1.0","type":"a","id":"1","timestamp":"now"}"#, "`timestamp` is not a time"),
    ] {
        let said = reason(text);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
    assert_eq!(Message::read(b"{\"\xff\":1}").unwrap_err().reason, "it is not UTF-8");
}

#[test]
fn the_id_is_known_where_only_the_rest_is_wrong() {
    let unread = read(r#"{"version":"9","type":"a","id":"msg_7"}"#).unwrap_err();
    assert_eq!(unread.id, "msg_7");
    assert_eq!(read("{").unwrap_err().id, "");
}

#[test]
fn what_is_wrong_is_said_without_what_may_be_a_secret() {
    for text in [
        r#"{"version":"xoxb-CANARY","type":"a","id":"1"}"#,
        r#"{"version":{"xoxb-CANARY":1},"type":"a","id":"1"}"#,
        r#"{"version":"1.0","type":"a","id":"1","xoxb-CANARY":1}"#,
        r#"{"version":"1.0","type":"a","id":"1","payload":"xoxb-CANARY"}"#,
        r#"{"version":"1.0","type":"a","id":"1","payload":{"xoxb-CANARY":1,"xoxb-CANARY":1}}"#,
        r#"{"version":"1.0","type":"a","id":"1","signature":"xoxb-CANARY"}"#,
        r#"{"version":"1.0","type":"a","id":"1","timestamp":"xoxb-CANARY"}"#,
        r#"xoxb-CANARY"#,
    ] {
        assert!(!reason(text).contains("CANARY"), "{text}");
    }
}

#[test]
fn nesting_and_many_keys_are_bounded_but_not_forbidden() {
    let nested = |depth: usize| {
        let inner = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"version":"1.0","type":"a","id":"1","payload":{{"a":{inner}}}}}"#)
    };
    assert!(read(&nested(30)).is_ok());
    assert!(reason(&nested(31)).starts_with("it is nested deeper"));
    assert!(read(&nested(100_000)).is_err());
    let keys: Vec<String> = (0..200).map(|n| format!(r#""k{n}":1"#)).collect();
    let many = |keys: &[String]| {
        format!(r#"{{"version":"1.0","type":"a","id":"1","payload":{{{}}}}}"#, keys.join(","))
    };
    assert!(read(&many(&keys)).is_ok());
    assert_eq!(reason(&many(&[&keys[..], &[r#""k150":2"#.to_owned()]].concat())), "duplicate field `k150`");
}

#[test]
fn an_answer_is_one_line() {
    let mut line = Vec::new();
    write(&mut line, ("ping_response", "1"), Timestamp::from_millis(0), &json!({"message": "a\nb"})).unwrap();
    assert_eq!(
        String::from_utf8(line).unwrap(),
        "{\"version\":\"1.0\",\"type\":\"ping_response\",\"id\":\"1\",\"timestamp\":\"1970-01-01T00:00:00.000Z\",\
         \"payload\":{\"message\":\"a\\nb\"}}\n"
    );
}

/// Every message of the page that describes the protocol.
fn described() -> Vec<String> {
    let page = include_str!("../../../../../docs/concepts/agent-protocol.md");
    page.lines().filter(|line| line.starts_with("{\"version\"")).map(str::to_owned).collect()
}

/// Its requests; the fuzzing below begins from each.
fn corpus() -> Vec<String> {
    let asks = |line: &String| read(line).is_ok_and(|(kind, ..)| Kind::read(&kind).is_some());
    described().into_iter().filter(asks).collect()
}

#[test]
fn the_page_of_the_protocol_has_an_example_of_every_message_and_all_of_them_can_be_read() {
    let kinds: Vec<String> = corpus().iter().map(|line| read(line).unwrap().0).collect();
    let own =
        ["ping_request", "status_request", "agent_status", "agent_stop", "agent_reload", "agent_config"];
    for kind in own.into_iter().chain(OPERATIONS.iter().map(|row| row.request)) {
        assert!(kinds.iter().any(|known| known == kind), "no example of `{kind}`");
    }
    assert_eq!(Kind::read("capability_steal"), None);
    let mut answers = 0;
    for line in described() {
        let message: serde_json::Value = serde_json::from_str(&line).unwrap();
        let kind = message["type"].as_str().unwrap();
        if Kind::read(kind).is_some() {
            continue;
        }
        let asked = corpus().iter().map(|line| read(line).unwrap()).find(|(_, id, _)| message["id"] == **id);
        let expected =
            asked.and_then(|(kind, ..)| Kind::read(&kind)).map_or("error_response", Kind::response);
        assert_eq!(kind, expected, "{line}");
        answers += 1;
    }
    assert!(answers > 10, "{answers}");
}

/// What serde_json makes of the same bytes, where it takes them at all.
fn plainly(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_what_was_written(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(message) = Message::read(&bytes) {
            let value = plainly(&bytes).unwrap();
            prop_assert_eq!(&value["type"], &*message.kind);
        }
    }

    #[test]
    fn a_changed_message_of_any_type_is_read_or_refused(
        line in proptest::sample::select(corpus()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut bytes = line.into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        match Message::read(&bytes) {
            Ok(message) => {
                let value = plainly(&bytes).unwrap();
                prop_assert_eq!(&value["type"], &*message.kind);
                prop_assert_eq!(&value["id"], &*message.id);
                let payload: serde_json::Value = serde_json::from_str(message.payload).unwrap();
                let written = if value["payload"].is_null() { json!({}) } else { value["payload"].clone() };
                prop_assert_eq!(written, payload);
            }
            Err(unread) => prop_assert!(!unread.reason.contains('\n') && unread.reason.len() < 400),
        }
    }
}
