//! Documents of the metadata services of EC2 and ECS.

use super::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000)
}

#[test]
fn documents_of_instances_and_containers_are_read() {
    let ec2 = br#"{"Code":"Success","LastUpdated":"x","Type":"AWS-HMAC","AccessKeyId":"ASIACANARY0000000001",
        "SecretAccessKey":"CANARY-s","Token":"CANARY-t","Expiration":"2099-01-01T00:00:00Z"}"#;
    let lease = document(ec2, now()).unwrap();
    assert_eq!(lease.access_key_id, "ASIACANARY0000000001");
    assert!(lease.session_token.is_some() && lease.expiration.is_some());
    let ecs = br#"{"RoleArn":"arn:aws:iam::1:role/r","AccessKeyId":"A","SecretAccessKey":"CANARY-s","Token":"CANARY-t",
        "Expiration":"2099-01-01T00:00:00Z"}"#;
    assert_eq!(document(ecs, now()).unwrap().access_key_id, "A");
}

#[test]
fn what_holds_no_credentials_is_refused_without_being_repeated() {
    for (body, shown) in [
        ("<html>CANARY</html>", "not the document"),
        (r#"{"Code":"Failed"}"#, "`Failed`"),
        (r#"{"Code":"CANARY with spaces"}"#, "not the document"),
        (r#"{"AccessKeyId":"A"}"#, "not the document"),
        (r#"{"AccessKeyId":"","SecretAccessKey":"CANARY"}"#, "not the document"),
        (r#"{"AccessKeyId":"A","SecretAccessKey":"CANARY","Expiration":"soon"}"#, "not the document"),
        (
            r#"{"AccessKeyId":"A","SecretAccessKey":"CANARY","Expiration":"2001-01-01T00:00:00Z"}"#,
            "ended at 2001",
        ),
    ] {
        let text = document(body.as_bytes(), now()).err().unwrap().to_string();
        assert!(text.contains(shown) && !text.contains("CANARY"), "{body}: {text}");
    }
}

#[test]
fn only_the_three_sources_of_the_sdks_are_known() {
    for text in ["Environment", "Ec2InstanceMetadata", "EcsContainer"] {
        assert_eq!(CredentialSource::read(text, None).unwrap().as_str(), text);
    }
    assert_eq!(CredentialSource::read("environment", None), None);
    assert_eq!(CredentialSource::read("", None), None);
}
