//! Tests of the module `session`.

#![expect(clippy::disallowed_methods, reason = "tests look at what was written")]

use super::*;
use crate::Lease;
use crate::oidc::{Registration, Token};
use memory::Secret;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

fn shown(secret: &Secret) -> String {
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn lease() -> Lease {
    Lease {
        access_key_id: KEY_ID.to_owned(),
        secret_access_key: secret("canary/secret+key"),
        session_token: Some(secret("canary-token==")),
        expiration: Some("2099-01-01T00:00:00Z".parse().unwrap()),
    }
}

fn key() -> Key {
    Key { kind: Kind::SessionToken, profile: "p".to_owned(), mfa: String::new(), fingerprint: [7; 32] }
}

#[test]
fn a_name_is_type_profile_device_and_end() {
    let name = Name {
        kind: Kind::SessionToken,
        profile: "sess/ion".to_owned(),
        mfa: "arn:aws:iam::111111111111:mfa/user".to_owned(),
        expires: Timestamp::from_millis(1_572_281_751_900),
    };
    let text = "sts.GetSessionToken,c2Vzcy9pb24,YXJuOmF3czppYW06OjExMTExMTExMTExMTptZmEvdXNlcg,1572281751";
    assert_eq!(name.to_string(), text);
    let Entry::Session(read) = Entry::of(text) else { panic!() };
    assert_eq!((read.profile, read.mfa, read.expires.millis()), (name.profile, name.mfa, 1_572_281_751_000));
}

#[test]
fn the_three_older_forms_are_known_and_stale() {
    let old = ["session,c2Vzc2lvbg,,1572281751", "blah session (61633665646639303539)", "session:p:mfa:1"];
    for name in old {
        assert_eq!(Entry::of(name), Entry::OldSession, "{name}");
    }
    assert_eq!(stale(old, NOW).count(), 3);
}

#[test]
fn a_name_that_is_no_session_is_that_of_keys() {
    for name in [
        "p",
        "a,b",
        "a,b,c,d",
        "sts.GetSessionToken,cA,,",
        "sts.GetSessionToken,c=A,,1",
        "session (1)",
        "session:x",
        "a session ()",
    ] {
        assert_eq!(Entry::of(name), Entry::Keys { profile: name.to_owned() }, "{name}");
    }
    assert_eq!(
        Entry::of("oidc:https://x/start"),
        Entry::SsoToken { start_url: "https://x/start".to_owned() }
    );
    assert_eq!(sso_token_entry("https://x/start"), "oidc:https://x/start");
}

#[test]
fn a_session_of_an_unknown_type_is_never_listed_as_keys() {
    let name = "sts.Later,cA,,1900000000";
    assert!(matches!(Entry::of(name), Entry::OtherSession { profile, .. } if profile == "p"));
    assert_eq!(of_profile([name], "p").count(), 1);
    assert_eq!(stale([name], NOW).count(), 0);
}

#[test]
fn ended_sessions_are_stale_and_keys_and_tokens_never() {
    let names = [
        "sts.GetSessionToken,cA,,1800000000",
        "sts.GetSessionToken,cA,,1800000001",
        "p",
        "oidc:https://x/start",
    ];
    assert_eq!(stale(names, NOW).collect::<Vec<_>>(), ["sts.GetSessionToken,cA,,1800000000"]);
}

#[test]
fn a_candidate_has_the_kind_profile_and_device_of_the_key_and_enough_time_left() {
    let names = [
        "sts.GetSessionToken,cA,,1800000300",
        "sts.GetSessionToken,cA,,1800000301",
        "sts.GetSessionToken,cA,,1800003600",
        "sts.GetSessionToken,cA,bQ,1800003600",
        "sts.AssumeRole,cA,,1800003600",
        "sts.GetSessionToken,cQ,,1800003600",
    ];
    let found = key().candidates(names, NOW, Duration::from_mins(5));
    let found: Vec<&str> = found.iter().map(|(entry, _)| *entry).collect();
    assert_eq!(found, ["sts.GetSessionToken,cA,,1800003600", "sts.GetSessionToken,cA,,1800000301"]);
}

#[test]
fn a_session_fits_only_the_key_it_was_made_for() {
    let read = |fingerprint: &Digest| {
        session_to_json(&lease(), fingerprint).unwrap().expose(session_from_json).unwrap()
    };
    assert!(key().fits(read(&[7; 32]), NOW, Duration::ZERO).is_some());
    assert!(key().fits(read(&[8; 32]), NOW, Duration::ZERO).is_none());
    let end: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
    assert!(key().fits(read(&[7; 32]), end, Duration::ZERO).is_none());
}

#[test]
fn a_session_that_aws_vault_kept_is_read_but_fits_no_key() {
    let json = br#"{"AccessKeyId":"ASIAFAKE000000000001","Expiration":"2099-01-01T00:00:00Z","SecretAccessKey":"s","SessionToken":"t"}"#;
    let kept = session_from_json(json).unwrap();
    assert_eq!((kept.lease.access_key_id.as_str(), kept.fingerprint), ("ASIAFAKE000000000001", None));
    assert!(key().fits(kept, NOW, Duration::ZERO).is_none());
}

#[test]
fn a_session_is_written_as_aws_vault_does_with_one_field_more() {
    assert_eq!(
        shown(&session_to_json(&lease(), &[7; 32]).unwrap()),
        format!(
            r#"{{"AccessKeyId":"{KEY_ID}","Expiration":"2099-01-01T00:00:00Z","SecretAccessKey":"canary/secret+key","SessionToken":"canary-token==","DoorwardFingerprint":"{}"}}"#,
            "07".repeat(32)
        )
    );
}

#[test]
fn keys_are_written_as_aws_vault_does() {
    let keys = Lease { session_token: None, expiration: None, ..lease() };
    assert_eq!(
        shown(&keys_to_json(&keys).unwrap()),
        format!(
            r#"{{"AccessKeyID":"{KEY_ID}","SecretAccessKey":"canary/secret+key","SessionToken":"","Source":"","CanExpire":false,"Expires":"0001-01-01T00:00:00Z","AccountID":""}}"#
        )
    );
}

#[test]
fn keys_of_either_kind_read_as_they_were_written() {
    let read = |lease: &Lease| keys_to_json(lease).unwrap().expose(keys_from_json).unwrap();
    let plain = read(&Lease { session_token: None, expiration: None, ..lease() });
    assert_eq!(
        (shown(&plain.secret_access_key), plain.session_token.is_none()),
        ("canary/secret+key".to_owned(), true)
    );
    assert_eq!(plain.expiration, None);
    let temporary = read(&lease());
    assert_eq!(temporary.session_token.map(|token| shown(&token)).as_deref(), Some("canary-token=="));
    assert_eq!(temporary.expiration, lease().expiration);
}

fn token() -> Token {
    Token {
        access: secret("canary-access"),
        refresh: Some(secret("canary-refresh")),
        expires: "2099-01-01T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn an_sso_token_is_written_as_aws_vault_does() {
    assert_eq!(
        shown(&token_to_json(&token(), None).unwrap()),
        r#"{"Token":{"AccessToken":"canary-access","ExpiresIn":0,"IdToken":null,"RefreshToken":"canary-refresh","TokenType":"Bearer","ResultMetadata":{}},"Expiration":"2099-01-01T00:00:00Z"}"#
    );
}

#[test]
fn an_sso_token_keeps_what_renews_it() {
    let registration = Registration {
        client_id: "cid".to_owned(),
        client_secret: secret("canary-client"),
        expires: "2098-01-01T00:00:00Z".parse().unwrap(),
    };
    let read = token_to_json(&token(), Some(&registration)).unwrap().expose(token_from_json).unwrap();
    assert_eq!(
        (shown(&read.token.access), read.token.expires),
        ("canary-access".to_owned(), token().expires)
    );
    assert_eq!(read.token.refresh.map(|refresh| shown(&refresh)).as_deref(), Some("canary-refresh"));
    let kept = read.registration.unwrap();
    assert_eq!((kept.client_id.as_str(), kept.expires), ("cid", registration.expires));
    assert_eq!(shown(&kept.client_secret), "canary-client");
}

#[test]
fn an_sso_token_that_aws_vault_stored_is_read() {
    let json = br#"{"Token":{"AccessToken":"canary","ExpiresIn":28800,"IdToken":null,"RefreshToken":null,"TokenType":"Bearer","ResultMetadata":{}},"Expiration":"2026-11-22T09:00:00.123456789+01:00"}"#;
    let read = token_from_json(json).unwrap();
    assert_eq!((shown(&read.token.access), read.token.refresh.is_none()), ("canary".to_owned(), true));
    assert_eq!(
        (rfc3339(read.token.expires).as_str(), read.registration.is_none()),
        ("2026-11-22T08:00:00Z", true)
    );
    assert!(matches!(
        token_from_json(br#"{"Token":{"AccessToken":""},"Expiration":"x"}"#),
        Err(Error::Missing { .. })
    ));
}

#[test]
fn what_can_not_be_read_is_never_repeated() {
    for json in [
        &b"garbage-canary"[..],
        br#"{"AccessKeyId":"canary"}"#,
        br#"{"AccessKeyId":"canary","Expiration":"canary","SecretAccessKey":"canary","SessionToken":"canary"}"#,
        br#"{"AccessKeyId":"canary","Expiration":"2099-01-01T00:00:00Z","SecretAccessKey":["canary"],"SessionToken":"t"}"#,
        br#"{"AccessKeyId":"canary","Expiration":"2099-01-01T00:00:00Z","SecretAccessKey":"","SessionToken":"t"}"#,
    ] {
        let Err(error) = session_from_json(json) else { panic!() };
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn credentials_without_a_token_are_no_session() {
    let keys = Lease { session_token: None, ..lease() };
    assert!(matches!(session_to_json(&keys, &[7; 32]), Err(Error::NoSession(_))));
}

#[test]
fn labels_are_those_of_aws_vault() {
    let name = |seconds: u64| key().name(NOW.after(Duration::from_secs(seconds)));
    assert_eq!(name(3593).label(NOW), "sts.GetSessionToken:59m53s");
    assert_eq!(name(3600).label(NOW), "sts.GetSessionToken:1h0m0s");
    assert_eq!(sso_label("https://example.awsapps.com/start#/", None), "oidc:example.awsapps.com");
    assert_eq!(sso_label("https://example.awsapps.com/start", Some("my-sso")), "oidc:my-sso");
    assert_eq!(keys_item_label("p"), "aws-vault (p)");
    assert_eq!(
        session_item_label("p", "2099-01-01T00:00:00Z".parse().unwrap()),
        "aws-vault session for p (expires 2099-01-01T00:00:00Z)"
    );
}

proptest! {
    #[test]
    fn a_name_that_was_written_reads_the_same(profile in ".+", mfa in ".*", seconds in 0_u64..5_000_000_000) {
        let expires = Timestamp::from_millis(seconds * 1000);
        let name = Name { kind: Kind::AssumeRole, profile, mfa, expires };
        prop_assert_eq!(Entry::of(&name.to_string()), Entry::Session(name));
    }

    #[test]
    fn any_text_is_some_entry(text in ".*") {
        let _ = Entry::of(&text);
    }

    #[test]
    fn any_secret_survives_its_json(text in ".+", token in ".+") {
        let kept = Lease { secret_access_key: secret(&text), session_token: Some(secret(&token)), ..lease() };
        let json = session_to_json(&kept, &[0; 32]).unwrap();
        let read = json.expose(session_from_json).unwrap();
        prop_assert_eq!(shown(&read.lease.secret_access_key), text);
        prop_assert_eq!(read.lease.session_token.map(|token| shown(&token)), Some(token));
    }
}
