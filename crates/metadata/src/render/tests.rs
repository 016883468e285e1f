//! The bodies, byte by byte.

use memory::Secret;

use super::*;

fn lease(secret: &[u8], token: Option<&[u8]>) -> Lease {
    Lease {
        access_key_id: "AKIACANARY0000000001".to_owned(),
        secret_access_key: Secret::new(secret.to_vec()).unwrap(),
        session_token: token.map(|token| Secret::new(token.to_vec()).unwrap()),
        expiration: None,
    }
}

fn said(secret: &[u8], token: Option<&[u8]>) -> Result<(String, String), Refusal> {
    let (now, ends) =
        ("2026-11-22T09:00:00.5Z".parse().unwrap(), "2026-11-22T10:00:00.999Z".parse().unwrap());
    let Bodies { ec2, ecs } = bodies(&lease(secret, token), now, ends)?;
    Ok((String::from_utf8(ec2.to_vec()).unwrap(), String::from_utf8(ecs.to_vec()).unwrap()))
}

#[test]
fn a_lease_is_said_in_two_ways_with_whole_seconds() {
    let (ec2, ecs) = said(b"s/+=", Some(b"t")).unwrap();
    assert_eq!(
        ec2,
        r#"{"AccessKeyId":"AKIACANARY0000000001","Code":"Success","Expiration":"2026-11-22T10:00:00Z","LastUpdated":"2026-11-22T09:00:00Z","SecretAccessKey":"s/+=","Token":"t","Type":"AWS-HMAC"}"#.to_owned() + "\n"
    );
    assert_eq!(
        ecs,
        r#"{"AccessKeyId":"AKIACANARY0000000001","Expiration":"2026-11-22T10:00:00Z","SecretAccessKey":"s/+=","Token":"t"}"#.to_owned() + "\n"
    );
}

#[test]
fn a_key_without_a_session_has_an_empty_token_for_ec2_and_none_for_ecs() {
    let (ec2, ecs) = said(b"s", None).unwrap();
    assert!(ec2.contains(r#""Token":"","#) && !ecs.contains("Token"));
}

#[test]
fn strange_characters_are_escaped_without_growing_the_memory() {
    let strange = "\"\\\n\u{1}\u{7f}äß\u{2028}";
    let (ec2, _) = said(strange.as_bytes(), Some(strange.as_bytes())).unwrap();
    let read: serde_json::Value = serde_json::from_str(&ec2).unwrap();
    assert_eq!((read["SecretAccessKey"].as_str(), read["Token"].as_str()), (Some(strange), Some(strange)));
    let members = [("name", Some(strange)), ("other", Some(strange))];
    let bound: usize =
        members.iter().map(|(name, value)| name.len() + escaped(value.unwrap()) + 6).sum::<usize>() + 3;
    assert!(object(&members).unwrap().len() <= bound);
}

#[test]
fn what_is_not_text_is_refused_without_being_shown() {
    let refusal = said(&[0xff, b'x'], None).unwrap_err();
    assert_eq!(refusal.message, "the credentials that came are not text");
}
