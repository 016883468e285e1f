//! What programs and files may answer.

use super::*;
use crate::wire::fake::open;

fn program(command: &str) -> Program<'_> {
    Program { command, within: Duration::from_secs(120), without: &[] }
}

fn now() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

async fn given(json: &str) -> Result<Lease, Error> {
    program(&format!("printf %s '{json}'")).credentials(now()).await
}

#[tokio::test]
async fn a_session_is_read_with_its_end() {
    let lease = given(
        r#"{"Version":1,"AccessKeyId":"ASIACANARY0000000005","SecretAccessKey":"CANARY-s","SessionToken":"CANARY-t","Expiration":"2099-01-01T00:00:00Z","Other":1}"#,
    )
    .await
    .unwrap();
    assert_eq!(lease.access_key_id, "ASIACANARY0000000005");
    assert_eq!(open(&lease.secret_access_key), "CANARY-s");
    assert_eq!(open(lease.session_token.as_ref().unwrap()), "CANARY-t");
    assert_eq!(lease.expiration, Some("2099-01-01T00:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn token_and_end_may_be_missing_and_the_others_may_not() {
    for long_lived in [
        r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s"}"#,
        r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"","Expiration":null}"#,
    ] {
        let lease = given(long_lived).await.unwrap();
        assert!(lease.session_token.is_none() && lease.expiration.is_none(), "{long_lived}");
    }
    let error = given(r#"{"Version":1}"#).await.err().unwrap();
    assert!(
        error.to_string().ends_with("is missing the following fields: [AccessKeyId SecretAccessKey]"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn what_is_not_version_1_or_no_json_is_refused_without_being_repeated() {
    for bad in [
        "CANARY",
        "[]",
        r#"{"AccessKeyId":"AKIA","SecretAccessKey":"CANARY"}"#,
        r#"{"Version":2,"AccessKeyId":"AKIA","SecretAccessKey":"CANARY"}"#,
        r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","Expiration":"CANARY"}"#,
        r#"{"Version":"1","AccessKeyId":"AKIA","SecretAccessKey":"CANARY"}"#,
    ] {
        let error =
            Program { command: &format!("printf %s '{bad}'"), ..program("") }.credentials(now()).await.err();
        let Some(Error::Output { what, .. }) = error else { panic!("{bad}") };
        assert!(!what.contains("CANARY"), "{what}");
    }
}

#[tokio::test]
async fn credentials_that_have_ended_are_refused() {
    let ended = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"2001-01-01T00:00:00Z"}"#;
    let error = given(ended).await.err().unwrap();
    assert!(error.to_string().ends_with("expired at 2001-01-01T00:00:00.000Z"), "{error}");
}

#[tokio::test]
async fn a_failure_says_the_command_and_how_it_ended() {
    let error = program("exit 4").credentials(now()).await.err().unwrap();
    assert_eq!(error.to_string(), "running command \"exit 4\": exit status 4");
    let error = program("kill -9 $$").credentials(now()).await.err().unwrap();
    assert_eq!(error.to_string(), "running command \"kill -9 $$\": signal 9");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_stopped() {
    let slow = Program { within: Duration::from_millis(50), ..program("exec sleep 600") };
    let error = slow.credentials(now()).await.err().unwrap();
    assert!(matches!(error, Error::Late { .. }), "{error}");
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_stopped() {
    let error = program("exec yes CANARY").token(Edges::Trimmed).await.err().unwrap();
    assert!(error.to_string().ends_with("is larger than 262144 bytes"), "{error}");
}

#[tokio::test]
async fn a_program_does_not_get_what_is_withheld() {
    // Cargo sets it for tests.
    let command = "echo ${CARGO_PKG_NAME-none}";
    assert_eq!(open(&program(command).token(Edges::Trimmed).await.unwrap()), "aws");
    let withheld = Program { without: &["CARGO_PKG_NAME"], ..program(command) };
    assert_eq!(open(&withheld.token(Edges::Trimmed).await.unwrap()), "none");
}

#[tokio::test]
async fn a_token_is_trimmed_or_taken_as_it_is() {
    assert_eq!(open(&program("echo ' jwt '").token(Edges::Trimmed).await.unwrap()), "jwt");
    assert_eq!(open(&program("echo jwt").token(Edges::Kept).await.unwrap()), "jwt\n");
    assert!(matches!(program("echo").token(Edges::Kept).await, Err(Error::NoToken { .. })));
}

#[test]
fn a_token_file_is_read_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "a file of this test")]
        std::fs::write(&path, text).unwrap();
        path
    };
    let token = file("token", b"jwt\n");
    assert_eq!(open(&token_file(&token, Edges::Trimmed).unwrap()), "jwt");
    assert_eq!(open(&token_file(&token, Edges::Kept).unwrap()), "jwt\n");
    for bad in [file("empty", b" \n"), file("large", &vec![b'x'; MOST + 1]), folder.path().join("none")] {
        let error = token_file(&bad, Edges::Trimmed).err().unwrap();
        assert!(error.to_string().starts_with("could not read the token in `"), "{error}");
    }
}
