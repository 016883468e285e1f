//! Payloads from what was typed.

use super::*;

#[test]
fn a_request_says_what_was_typed_and_nothing_else() {
    let wanted = Wanted {
        resource: Some("secret:/db".into()),
        actions: vec!["read".into()],
        constraints: Some(r#"{"environment":{"stage":"test"}}"#.into()),
        ..Wanted::default()
    };
    let expected = json!({
        "resource": "secret:/db", "actions": ["read"], "constraints": { "environment": { "stage": "test" } },
    });
    assert_eq!(wanted.payload(None).unwrap(), expected);
    let narrowed = Wanted { ttl: Some(60), ..Wanted::default() }.payload(Some("cap_1")).unwrap();
    assert_eq!(narrowed, json!({ "capability_id": "cap_1", "ttl": 60 }));
}

#[test]
fn a_file_is_for_another_program_so_it_gets_a_bearer() {
    let output = Output { file: Some("capability.json".into()), ..Output::default() };
    let payload = Wanted { output, ..Wanted::default() }.payload(None).unwrap();
    assert_eq!(payload, json!({ "bearer": true }));
}

#[test]
fn json_that_is_none_or_no_object_names_its_flag() {
    for typed in ["{", "[]", "7", "\"xoxb-CANARY\""] {
        let wanted = Wanted { context: Some(typed.into()), ..Wanted::default() };
        let failure = wanted.payload(None).unwrap_err();
        assert!(failure.message.contains("--context") && !failure.message.contains("CANARY"), "{failure}");
        assert_eq!(failure.exit_status(), 2);
    }
}

#[test]
fn a_use_is_a_request_a_tool_a_secret_or_a_line() {
    let request = Use::Request {
        integration: "slack".into(),
        method: "POST".into(),
        path: "/api".into(),
        headers: vec!["content-type: application/json".into()],
        data: Some(b"{}".to_vec()),
    };
    let (kind, payload) = request.message("cap_1").unwrap();
    assert_eq!(kind, "capability_use");
    assert_eq!(payload["request"]["headers"]["content-type"], "application/json");
    assert_eq!(payload["request"]["body"], "{}");
    let Use::Request { integration, method, path, headers, .. } = request else { panic!("another use") };
    let request = Use::Request { integration, method, path, headers, data: Some(vec![0xff]) };
    assert_eq!(request.message("cap_1").unwrap().1["request"]["body_base64"], "/w==");
    let (kind, payload) =
        Use::Tool { name: "backup".into(), inputs: vec!["a=b=c".into()] }.message("cap_1").unwrap();
    assert_eq!((kind, &payload["tool"]["inputs"]["a"]), ("capability_use", &json!("b=c")));
    assert!(Use::Tool { name: "backup".into(), inputs: vec!["a".into()] }.message("cap_1").is_err());
    let (kind, payload) = Use::Reveal { resource: None }.message("cap_1").unwrap();
    assert_eq!((kind, payload), ("secret_read", json!({ "capability_id": "cap_1" })));
    let log = Use::Log { message: "hi".into(), fields: vec![], resource: Some("log:/app".into()) };
    let expected = json!({ "capability_id": "cap_1", "message": "hi", "resource": "log:/app" });
    assert_eq!(log.message("cap_1").unwrap(), ("log_append", expected));
}

#[test]
fn a_file_is_for_its_owner_and_a_group_at_most() {
    let rights = |mode: Option<&str>, group: Option<&str>| {
        let output =
            Output { file: Some("f".into()), mode: mode.map(Into::into), group: group.map(Into::into) };
        output.rights()
    };
    assert!(
        rights(None, None).is_ok()
            && rights(Some("0640"), Some("0")).is_ok()
            && rights(None, Some("root")).is_ok()
    );
    for mode in ["0644", "0604", "0700", "0060", "0200", "rw", ""] {
        assert!(rights(Some(mode), None).is_err(), "{mode}");
    }
    assert!(Output { mode: Some("0640".into()), ..Output::default() }.rights().is_err());
}
