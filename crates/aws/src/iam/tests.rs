//! Requests to IAM as they are sent, and answers as they are read.

use super::*;
use crate::wire::fake::{Answer, Fake, key, open, wire};

#[tokio::test]
async fn the_user_of_a_key_is_found() {
    let user = "<User><Path>/</Path><UserName>alice</UserName><UserId>AIDA</UserId><Arn>arn:aws:iam::1:user/alice</Arn></User>";
    let fake = Fake::start([Answer::result("GetUser", user)]);
    let (wire, _) = wire();
    let (endpoint, key) = (fake.endpoint(), key());
    let found = Iam::new(&wire, &endpoint, &key).user(None).await.unwrap();
    assert_eq!((found.name.as_str(), found.arn.as_str()), ("alice", "arn:aws:iam::1:user/alice"));
    let seen = fake.only();
    assert_eq!(seen.value("Version").as_deref(), Some("2010-05-08"));
    assert!(seen.value("UserName").is_none());
    assert!(seen.header("authorization").unwrap().contains("/iam/aws4_request"));
}

#[tokio::test]
async fn a_new_key_comes_with_its_secret() {
    let created = "<AccessKey><UserName>alice</UserName><AccessKeyId>AKIACANARY0000000003</AccessKeyId>\
        <Status>Active</Status><SecretAccessKey>CANARY-new</SecretAccessKey></AccessKey>";
    let fake = Fake::start([Answer::result("CreateAccessKey", created)]);
    let (wire, _) = wire();
    let (endpoint, key) = (fake.endpoint(), key());
    let new = Iam::new(&wire, &endpoint, &key).create_access_key(Some("alice")).await.unwrap();
    assert_eq!((new.access_key_id.as_str(), new.user_name.as_str()), ("AKIACANARY0000000003", "alice"));
    assert_eq!(open(&new.secret_access_key), "CANARY-new");
    assert_eq!(fake.only().value("UserName").as_deref(), Some("alice"));
}

#[tokio::test]
async fn a_key_that_is_gone_already_is_deleted() {
    let done = "<DeleteAccessKeyResponse><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></DeleteAccessKeyResponse>";
    let fake = Fake::start([
        Answer::ok(done),
        Answer::fault(404, "NoSuchEntity", "The Access Key with id AKIA cannot be found."),
        Answer::fault(403, "AccessDenied", "no"),
    ]);
    let (wire, _) = wire();
    let (endpoint, key) = (fake.endpoint(), key());
    let iam = Iam::new(&wire, &endpoint, &key);
    assert_eq!(iam.delete_access_key("AKIACANARY0000000001", None).await.unwrap(), Deleted::Now);
    assert_eq!(iam.delete_access_key("AKIACANARY0000000001", None).await.unwrap(), Deleted::Before);
    assert_eq!(iam.delete_access_key("AKIA", None).await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(fake.seen()[0].value("AccessKeyId").as_deref(), Some("AKIACANARY0000000001"));
}

#[tokio::test]
async fn a_key_is_made_inactive() {
    let fake = Fake::start([Answer::ok("<UpdateAccessKeyResponse/>")]);
    let (wire, _) = wire();
    let (endpoint, key) = (fake.endpoint(), key());
    let iam = Iam::new(&wire, &endpoint, &key);
    iam.update_access_key("AKIACANARY0000000001", KeyStatus::Inactive, None).await.unwrap();
    assert_eq!(fake.only().value("Status").as_deref(), Some("Inactive"));
}

#[tokio::test]
async fn all_pages_of_keys_are_read() {
    let page = |id: &str, status: &str, more: &str| {
        Answer::result(
            "ListAccessKeys",
            &format!(
                "<AccessKeyMetadata><member><UserName>alice</UserName><AccessKeyId>{id}</AccessKeyId>\
                 <Status>{status}</Status><CreateDate>2020-01-01T00:00:00Z</CreateDate></member></AccessKeyMetadata>{more}"
            ),
        )
    };
    let fake = Fake::start([
        page("AKIA1", "Active", "<IsTruncated>true</IsTruncated><Marker>m/1</Marker>"),
        page("AKIA2", "Inactive", "<IsTruncated>false</IsTruncated>"),
    ]);
    let (wire, _) = wire();
    let (endpoint, key) = (fake.endpoint(), key());
    let keys = Iam::new(&wire, &endpoint, &key).access_keys(None).await.unwrap();
    let facts: Vec<(&str, KeyStatus)> =
        keys.iter().map(|key| (key.access_key_id.as_str(), key.status)).collect();
    assert_eq!(facts, [("AKIA1", KeyStatus::Active), ("AKIA2", KeyStatus::Inactive)]);
    assert_eq!(keys[0].created, Some("2020-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(fake.seen()[1].value("Marker").as_deref(), Some("m/1"));
}

#[tokio::test]
async fn a_key_that_was_never_used_has_no_last_use() {
    let of = |inner: &str| {
        Answer::result(
            "GetAccessKeyLastUsed",
            &format!(
                "<UserName>alice</UserName><AccessKeyLastUsed>{inner}<ServiceName>N/A</ServiceName></AccessKeyLastUsed>"
            ),
        )
    };
    let fake = Fake::start([
        of(""),
        of("<LastUsedDate>2026-01-31T12:00:00Z</LastUsedDate>"),
        of("<LastUsedDate>yesterday</LastUsedDate>"),
    ]);
    let (wire, _) = wire();
    let (endpoint, key) = (fake.endpoint(), key());
    let iam = Iam::new(&wire, &endpoint, &key);
    assert_eq!(iam.last_used("AKIACANARY0000000001").await.unwrap(), None);
    assert!(iam.last_used("AKIACANARY0000000001").await.unwrap().is_some());
    assert!(iam.last_used("AKIACANARY0000000001").await.unwrap_err().to_string().contains("no time"));
}
