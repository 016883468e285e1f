//! Requests to the portal as they are sent, and answers as they are read.

use super::*;
use crate::wire::fake::{Answer, Fake, open, secret, wire};

#[tokio::test]
async fn the_credentials_of_a_role_are_given_for_the_access_token() {
    let answer = r#"{"roleCredentials":{"accessKeyId":"ASIACANARY0000000004","secretAccessKey":"CANARY-s","sessionToken":"CANARY-t","expiration":1795341600000}}"#;
    let fake = Fake::start([Answer::ok(answer)]);
    let (wire, _) = wire();
    let (endpoint, token) = (fake.endpoint(), secret("CANARY-access"));
    let lease =
        Portal::new(&wire, &endpoint, &token).role_credentials("111122223333", "Read Only").await.unwrap();
    assert_eq!(lease.access_key_id, "ASIACANARY0000000004");
    assert_eq!(open(&lease.secret_access_key), "CANARY-s");
    assert_eq!(lease.expiration, Some(Timestamp::from_millis(1_795_341_600_000)));
    let seen = fake.only();
    assert!(seen.target.starts_with("/federation/credentials?"), "{}", seen.target);
    assert_eq!(seen.query("role_name").as_deref(), Some("Read Only"));
    assert_eq!(seen.query("account_id").as_deref(), Some("111122223333"));
    assert_eq!(seen.header("x-amz-sso_bearer_token"), Some("CANARY-access"));
    assert!(seen.header("authorization").is_none());
}

#[tokio::test]
async fn an_ended_sign_in_is_told_from_a_refusal() {
    for (status, kind, out) in [(401, "UnauthorizedException", true), (403, "ForbiddenException", false)] {
        let fake =
            Fake::start([Answer::status(status, r#"{"message":"no"}"#).with("x-amzn-errortype", kind)]);
        let (wire, _) = wire();
        let (endpoint, token) = (fake.endpoint(), secret("t"));
        let error = Portal::new(&wire, &endpoint, &token).role_credentials("1", "r").await.err().unwrap();
        assert_eq!(was_signed_out(&error), out);
        assert!(error.to_string().contains(kind), "{error}");
        assert_eq!(error.hint().is_some(), out);
    }
}

#[tokio::test]
async fn accounts_and_roles_are_listed_to_the_last_page() {
    let fake = Fake::start([
        Answer::ok(
            r#"{"accountList":[{"accountId":"1","accountName":"one","emailAddress":"a@b"}],"nextToken":"n+1"}"#,
        ),
        Answer::ok(r#"{"accountList":[{"accountId":"2","accountName":"two"}],"nextToken":null}"#),
        Answer::ok(r#"{"roleList":[{"roleName":"Admin","accountId":"1"},{"roleName":"ReadOnly"}]}"#),
    ]);
    let (wire, _) = wire();
    let (endpoint, token) = (fake.endpoint(), secret("t"));
    let portal = Portal::new(&wire, &endpoint, &token);
    let accounts = portal.accounts().await.unwrap();
    assert_eq!(accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(portal.roles("1").await.unwrap(), ["Admin", "ReadOnly"]);
    assert_eq!(fake.seen()[1].query("next_token").as_deref(), Some("n+1"));
}

#[tokio::test]
async fn signing_out_tells_aws() {
    let fake = Fake::start([Answer::ok("")]);
    let (wire, _) = wire();
    let (endpoint, token) = (fake.endpoint(), secret("t"));
    Portal::new(&wire, &endpoint, &token).logout().await.unwrap();
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/logout"));
}

#[tokio::test]
async fn incomplete_credentials_are_refused() {
    for answer in [
        "{}",
        r#"{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"s","sessionToken":"t"}}"#,
        r#"{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"","sessionToken":"t","expiration":1}}"#,
        r#"{"roleCredentials":{"accessKeyId":"","secretAccessKey":"s","sessionToken":"t","expiration":1}}"#,
    ] {
        let fake = Fake::start([Answer::ok(answer)]);
        let (wire, _) = wire();
        let (endpoint, token) = (fake.endpoint(), secret("t"));
        let error = Portal::new(&wire, &endpoint, &token).role_credentials("1", "r").await.err();
        assert!(matches!(error, Some(Error::Reply { .. })), "{answer}");
    }
}
