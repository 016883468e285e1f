//! Requests to STS as they are sent, and answers as they are read.

use super::*;
use crate::wire::fake::{Answer, Fake, key, open, secret, session, wire};

const CREDENTIALS: &str = "<Credentials><AccessKeyId>ASIACANARY0000000009</AccessKeyId>\
    <SecretAccessKey>CANARY/+=&amp;</SecretAccessKey><SessionToken>CANARY-token</SessionToken>\
    <Expiration>2026-11-22T10:00:00Z</Expiration></Credentials>";

#[tokio::test]
async fn a_session_is_asked_for_with_duration_and_code() {
    let fake = Fake::start([Answer::result("GetSessionToken", CREDENTIALS)]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let mfa = Mfa { serial: "arn:aws:iam::111111111111:mfa/alice", code: "123456" };
    let hour = Some(Duration::from_secs(3600));
    let lease = Sts::new(&wire, &endpoint).session_token(&key(), hour, Some(mfa)).await.unwrap();
    assert_eq!(lease.access_key_id, "ASIACANARY0000000009");
    assert_eq!(open(&lease.secret_access_key), "CANARY/+=&");
    assert_eq!(open(lease.session_token.as_ref().unwrap()), "CANARY-token");
    assert_eq!(lease.expiration, Some("2026-11-22T10:00:00Z".parse().unwrap()));
    let expected = [
        ("Action", "GetSessionToken"),
        ("Version", "2011-06-15"),
        ("DurationSeconds", "3600"),
        ("SerialNumber", "arn:aws:iam::111111111111:mfa/alice"),
        ("TokenCode", "123456"),
    ];
    assert_eq!(fake.only().form(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(fake.only().header("x-amz-security-token").is_none());
}

#[tokio::test]
async fn a_role_is_assumed_with_everything_that_narrows_it() {
    let user = "<AssumedRoleUser><Arn>arn:aws:sts::111111111111:assumed-role/A/s</Arn></AssumedRoleUser>";
    let fake = Fake::start([Answer::result("AssumeRole", &format!("{CREDENTIALS}{user}"))]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let ask = AssumeRole {
        role_arn: "arn:aws:iam::111111111111:role/A",
        session_name: "s",
        duration: Some(Duration::from_secs(900)),
        external_id: Some("x 1"),
        tags: &[("team".to_owned(), "a=b&c".to_owned()), ("env".to_owned(), String::new())],
        transitive_tags: &["team".to_owned()],
        source_identity: Some("alice"),
        policy: Some("{\"Version\":\"2012-10-17\"}"),
        policy_arns: &["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()],
        mfa: None,
    };
    let assumed = Sts::new(&wire, &endpoint).assume_role(&session(), &ask).await.unwrap();
    assert_eq!(assumed.arn, "arn:aws:sts::111111111111:assumed-role/A/s");
    let seen = fake.only();
    for (name, value) in [
        ("RoleArn", "arn:aws:iam::111111111111:role/A"),
        ("RoleSessionName", "s"),
        ("DurationSeconds", "900"),
        ("ExternalId", "x 1"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a=b&c"),
        ("Tags.member.2.Key", "env"),
        ("Tags.member.2.Value", ""),
        ("TransitiveTagKeys.member.1", "team"),
        ("SourceIdentity", "alice"),
        ("Policy", "{\"Version\":\"2012-10-17\"}"),
        ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ] {
        assert_eq!(seen.value(name).as_deref(), Some(value), "{name}");
    }
    assert!(seen.value("SerialNumber").is_none() && seen.value("TokenCode").is_none());
}

#[tokio::test]
async fn what_is_empty_is_not_sent() {
    let fake = Fake::start([Answer::result("AssumeRole", CREDENTIALS)]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let ask = AssumeRole { role_arn: "r", session_name: "s", external_id: Some(""), ..AssumeRole::default() };
    let assumed = Sts::new(&wire, &endpoint).assume_role(&key(), &ask).await.unwrap();
    assert_eq!(assumed.arn, "");
    let names: Vec<String> = fake.only().form().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Action", "Version", "RoleArn", "RoleSessionName"]);
}

#[tokio::test]
async fn a_web_identity_is_not_signed() {
    let fake = Fake::start([Answer::result("AssumeRoleWithWebIdentity", CREDENTIALS)]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let token = secret("eyJ.CANARY.sig");
    let ask = WebIdentity {
        role_arn: "arn:aws:iam::111111111111:role/A",
        session_name: "n",
        token: &token,
        duration: None,
        policy: None,
        policy_arns: &[],
    };
    Sts::new(&wire, &endpoint).assume_role_with_web_identity(&ask).await.unwrap();
    let seen = fake.only();
    assert_eq!(seen.value("WebIdentityToken").as_deref(), Some("eyJ.CANARY.sig"));
    assert!(seen.header("authorization").is_none());
}

#[tokio::test]
async fn a_federated_session_is_asked_for_with_its_policy() {
    let fake = Fake::start([Answer::result("GetFederationToken", CREDENTIALS)]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let ask = Federation { name: "alice", duration: None, policy: Some("{}"), policy_arns: &[] };
    Sts::new(&wire, &endpoint).federation_token(&key(), &ask).await.unwrap();
    let seen = fake.only();
    assert_eq!(seen.value("Name").as_deref(), Some("alice"));
    assert_eq!(seen.value("Policy").as_deref(), Some("{}"));
}

#[tokio::test]
async fn an_answer_that_is_incomplete_or_to_something_else_is_refused() {
    let without = |part: &str| CREDENTIALS.replace(part, "Other");
    for answer in [
        Answer::ok("hello"),
        Answer::ok("<GetSessionTokenResponse/>"),
        Answer::result("AssumeRole", CREDENTIALS),
        Answer::result("GetSessionToken", ""),
        Answer::result("GetSessionToken", &without("AccessKeyId")),
        Answer::result("GetSessionToken", &without("SecretAccessKey")),
        Answer::result("GetSessionToken", &without("SessionToken")),
        Answer::result("GetSessionToken", &without("Expiration")),
        Answer::result("GetSessionToken", &CREDENTIALS.replace("2026-11-22T10:00:00Z", "soon")),
        Answer::result("GetSessionToken", &CREDENTIALS.replace("CANARY-token", "")),
    ] {
        let fake = Fake::start([answer.clone()]);
        let (wire, _) = wire();
        let endpoint = fake.endpoint();
        let error = Sts::new(&wire, &endpoint).session_token(&key(), None, None).await.err();
        assert!(matches!(error, Some(Error::Reply { .. })), "{answer:?}");
        assert!(!error.unwrap().to_string().contains("CANARY"));
    }
}
