//! What services really answer, and what they must not.

use super::*;

const NOW: u64 = 1_700_000_000_000;

fn answered(status: u16, body: &str) -> Answered<'_> {
    Answered {
        place: "https://idp.example.com/token",
        status,
        body: body.as_bytes(),
        asked: Timestamp::from_millis(NOW),
        hide: &str::to_owned,
    }
}

fn seconds(body: &str) -> u64 {
    (answered(200, body).oauth2().unwrap_or_else(|error| panic!("{error}")).token.ends.millis() - NOW) / 1000
}

#[test]
fn the_end_is_read_from_a_number_a_text_or_a_date() {
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_in":300}"#), 300);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_in":"300"}"#), 300);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_in":300.0}"#), 300);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1"}"#), 60);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_in":99999999}"#), 86_400);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_on":"1700000600","expires_in":"1"}"#), 600);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_on":"11/14/2023 22:23:20 +00:00"}"#), 600);
    assert_eq!(seconds(r#"{"access_token":"CANARY-1","expires_on":"11/14/2023 23:23:20 +01:00"}"#), 600);
}

#[test]
fn what_is_no_token_is_refused() {
    for body in [
        r#"{"access_token":""}"#,
        r#"{"access_token":"two words"}"#,
        r#"{"access_token":"CANARY\r\nx: y"}"#,
        r#"{"token":"CANARY-1"}"#,
        r#"{"access_token":"CANARY-1","expires_on":"1"}"#,
        "<html>",
    ] {
        assert!(answered(200, body).oauth2().is_err(), "{body}");
    }
    assert!(answered(302, r#"{"access_token":"CANARY-1"}"#).oauth2().is_err());
    let error = answered(400, r#"{"error":"invalid_grant","error_description":"expired"}"#).oauth2();
    assert!(
        matches!(error, Err(Error::Refused(fault)) if fault.code == "invalid_grant" && fault.message == "expired")
    );
}

#[test]
fn a_new_refresh_token_is_given_and_a_token_of_github_ends_at_its_time() {
    let granted = answered(200, r#"{"access_token":"CANARY-1","refresh_token":"CANARY-2"}"#).oauth2();
    assert!(granted.unwrap_or_else(|error| panic!("{error}")).refresh.is_some());
    let token = answered(201, r#"{"token":"ghs_CANARY","expires_at":"2023-11-14T23:13:20Z"}"#).github();
    assert_eq!(token.unwrap_or_else(|error| panic!("{error}")).ends.millis(), NOW + 3_600_000);
    assert!(answered(200, "not.a token").bare().is_err());
}

#[test]
fn what_was_sent_is_hidden_before_a_text_is_cut() {
    let long = format!("{}CANARY-secret", "x".repeat(295));
    let body = format!(r#"{{"error":"CANARY-secret","error_description":"{long}\nmore"}}"#);
    let hide = |text: &str| text.replace("CANARY-secret", "[masked]");
    let answered = Answered { hide: &hide, ..answered(400, &body) };
    let Err(Error::Refused(fault)) = answered.oauth2() else { panic!("a refusal was expected") };
    assert_eq!((fault.code.as_str(), fault.message.len()), ("[masked]", 300));
    assert!(fault.message.ends_with("x[mask"), "{fault}");
}
