//! Refusals as replies.

use std::time::Duration;

use super::*;
use crate::body::{Bounds, collect_bounded};

fn evidence() -> EvidenceId {
    EvidenceId::from_bytes([1; 16])
}

async fn text(reply: Response<Body>) -> String {
    let soon = Duration::from_secs(1);
    let bytes =
        collect_bounded(reply.into_body(), Bounds { bytes: 10_000, frame: soon, whole: soon }).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_refusal_says_everything_that_it_knows_and_nothing_else() {
    let refusal = Refusal::new(Code::Denied, "`notes.add` is not allowed")
        .hint("ask for `--access write`")
        .recorded(evidence());
    let reply = reply(&refusal);
    assert_eq!(reply.status(), 403);
    assert_eq!(reply.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(reply.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(reply.headers()[REFUSAL], "denied");
    assert_eq!(reply.headers()[EVIDENCE], evidence().to_string());
    assert!(!reply.headers().contains_key(header::WWW_AUTHENTICATE));
    let expected = format!(
        r#"{{"type":"urn:doorward:refusal:denied","title":"denied","status":403,"detail":"`notes.add` is not allowed","code":"denied","fault":"caller","retry":"no","hint":"ask for `--access write`","evidence":"{}"}}"#,
        evidence()
    );
    assert_eq!(text(reply).await, expected);
}

#[tokio::test]
async fn what_a_message_contains_cannot_leave_its_string() {
    let refusal = Refusal::new(Code::BadRequest, "a \"b\" \\ \n\u{7f}\u{1b} ü");
    let shown = text(reply(&refusal)).await;
    assert!(shown.contains(r#""detail":"a \"b\" \\ \u000a\u007f\u001b ü","#), "{shown}");
    assert_eq!(grpc(&refusal).headers()["grpc-message"], "a \"b\" \\ %0A%7F%1B %C3%BC");
}

#[tokio::test]
async fn a_caller_who_may_come_back_is_told_when_rounded_up() {
    let wait = Retry::After(Duration::from_millis(2100));
    let reply = reply(&Refusal::new(Code::RateLimited, "too many calls").retry(wait));
    assert_eq!(reply.headers()[header::RETRY_AFTER], "3");
    assert!(text(reply).await.contains(r#""retry":"after","retry_after":3}"#));
}

#[test]
fn whoever_is_not_proven_is_told_how_to_be() {
    for code in [Code::Unauthenticated, Code::Expired, Code::Revoked] {
        let reply = reply(&Refusal::new(code, "no"));
        assert_eq!(reply.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"doorward\"");
    }
}

#[test]
fn another_status_is_told_in_head_and_body_alike() {
    let refusal = Refusal::new(Code::BadRequest, "no such method");
    assert_eq!(reply_as(&refusal, StatusCode::METHOD_NOT_ALLOWED).status(), 405);
    assert!(json(&refusal, StatusCode::METHOD_NOT_ALLOWED).contains(r#""status":405,"#));
}

#[test]
fn every_code_has_a_status_of_grpc_of_its_own_choice() {
    for code in Code::ALL {
        let reply = grpc(&Refusal::new(code, "no"));
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()[REFUSAL], code.as_str());
        assert_eq!(grpc_status(code) == 2, code == Code::OutcomeUnknown, "{code}");
        assert!(status(code) != StatusCode::INTERNAL_SERVER_ERROR);
    }
}
