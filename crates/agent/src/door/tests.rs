//! What the door says of itself. Whole calls are tested through the binary.

use super::*;

#[test]
fn the_status_tells_where_the_doors_are() {
    let doors = BTreeMap::from([("gateway".to_owned(), "http://127.0.0.1:8080".to_owned())]);
    let told = status(State::Sealed, &doors);
    assert_eq!(told["state"], "sealed");
    assert_eq!(told["doors"]["gateway"], "http://127.0.0.1:8080");
    assert_eq!(told["pid"], std::process::id());
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status(State::Unsealed, &doors)["state"], "unsealed");
}

#[test]
fn a_malformed_target_is_not_repeated() {
    let error = "/v1/../xoxb-CANARY".parse::<Target>().unwrap_err();
    assert!(!unquoted(&error).contains("CANARY"));
    assert!(unquoted(&error).contains("without `.` and `..` segments"));
}

#[test]
fn answers_are_kept_by_nobody() {
    let reply = json_reply(&json!({}));
    assert_eq!(reply.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(reply.headers()[header::CONTENT_TYPE], "application/json");
}
