//! Tests of the module `print`, against what aws-vault prints.

use super::*;

const LONG_LIVED: Shown<'static> = Shown {
    profile: "llamas",
    access_key_id: "ABC",
    secret_access_key: "secret-of-ABC",
    session_token: None,
    expiration: None,
    region: None,
};

fn session() -> Shown<'static> {
    Shown {
        profile: "p",
        access_key_id: "ASIAFAKE000000000001",
        secret_access_key: "secret-1",
        session_token: Some("token-1/+=="),
        expiration: Some("2026-11-22T09:00:00.999Z".parse().unwrap()),
        region: Some("us-east-1"),
    }
}

fn printed(shown: &Shown<'_>, format: ExportFormat) -> String {
    export(shown, format).unwrap().as_str().to_owned()
}

#[test]
fn a_long_lived_key_leaves_out_what_it_does_not_have() {
    assert_eq!(
        printed(&LONG_LIVED, ExportFormat::Ini),
        "[llamas]\naws_access_key_id=ABC\naws_secret_access_key=secret-of-ABC\n"
    );
    assert_eq!(
        printed(&LONG_LIVED, ExportFormat::Json),
        "{\n  \"Version\": 1,\n  \"AccessKeyId\": \"ABC\",\n  \"SecretAccessKey\": \"secret-of-ABC\"\n}\n"
    );
    assert_eq!(
        printed(&LONG_LIVED, ExportFormat::Env),
        "AWS_ACCESS_KEY_ID=ABC\nAWS_SECRET_ACCESS_KEY=secret-of-ABC\n"
    );
}

#[test]
fn a_session_is_printed_whole_in_every_form() {
    let lines = "AWS_ACCESS_KEY_ID=ASIAFAKE000000000001\nAWS_SECRET_ACCESS_KEY=secret-1\nAWS_SESSION_TOKEN=token-1/+==\n\
                 AWS_CREDENTIAL_EXPIRATION=2026-11-22T09:00:00Z\nAWS_REGION=us-east-1\nAWS_DEFAULT_REGION=us-east-1\n";
    assert_eq!(printed(&session(), ExportFormat::Env), lines);
    let exported: String = lines.lines().map(|line| format!("export {line}\n")).collect();
    assert_eq!(printed(&session(), ExportFormat::ExportEnv), exported);
    assert_eq!(
        printed(&session(), ExportFormat::Json),
        "{\n  \"Version\": 1,\n  \"AccessKeyId\": \"ASIAFAKE000000000001\",\n  \"SecretAccessKey\": \"secret-1\",\n  \
         \"SessionToken\": \"token-1/+==\",\n  \"Expiration\": \"2026-11-22T09:00:00Z\"\n}\n"
    );
    assert_eq!(
        printed(&session(), ExportFormat::Ini),
        "[p]\naws_access_key_id=ASIAFAKE000000000001\naws_secret_access_key=secret-1\naws_session_token=token-1/+==\n\
         aws_credential_expiration=2026-11-22T09:00:00Z\nregion=us-east-1\n"
    );
}

#[test]
fn what_a_shell_would_read_otherwise_is_quoted() {
    let odd = Shown { secret_access_key: "a b$(id)'c", ..LONG_LIVED };
    let text = printed(&odd, ExportFormat::ExportEnv);
    assert!(text.ends_with("export AWS_SECRET_ACCESS_KEY='a b$(id)'\\''c'\n"), "{text}");
    let sourced = std::process::Command::new("/bin/sh")
        .args(["-c", "eval \"$1\"; printf %s \"$AWS_SECRET_ACCESS_KEY\"", "sh", &text])
        .output()
        .unwrap();
    assert_eq!(sourced.stdout, odd.secret_access_key.as_bytes());
}

#[test]
fn json_escapes_what_it_has_to() {
    let odd = Shown { secret_access_key: "a\"b\\c\nd\u{7f}é", ..LONG_LIVED };
    let text = printed(&odd, ExportFormat::Json);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["SecretAccessKey"], odd.secret_access_key);
    assert_eq!(read["Version"], 1);
}

#[test]
fn a_line_end_in_a_value_makes_no_second_line() {
    let odd = Shown { session_token: Some("t\nAWS_PROFILE=evil"), ..LONG_LIVED };
    for format in [ExportFormat::Env, ExportFormat::ExportEnv, ExportFormat::Ini] {
        let error = export(&odd, format).unwrap_err().to_string();
        assert!(error.contains("session_token") || error.contains("SESSION_TOKEN"), "{error}");
        assert!(!error.contains("evil"));
    }
    let name = Shown { profile: "a]\n[b", ..LONG_LIVED };
    assert_eq!(export(&name, ExportFormat::Ini), Err(Unprintable("profile")));
}

#[test]
fn the_buffer_never_grows() {
    let long = "'".repeat(5000);
    let odd = Shown { secret_access_key: &long, session_token: Some(&long), ..session() };
    for format in [ExportFormat::ExportEnv, ExportFormat::Json, ExportFormat::Ini] {
        assert_eq!(export(&odd, format).unwrap().capacity(), reserve(&odd));
    }
}

#[test]
fn the_table_is_that_of_the_peer() {
    let row = |profile: &str, credentials: &str| Row {
        profile: Some(profile.to_owned()).filter(|name| !name.is_empty()),
        credentials: Some(credentials.to_owned()).filter(|name| !name.is_empty()),
        sessions: Vec::new(),
    };
    let text = table(&[row("p", "p"), row("q", ""), row("", "zz")]);
    assert_eq!(
        text,
        "Profile                  Credentials              Sessions                 \n\
         =======                  ===========              ========                 \n\
         p                        p                        -                        \n\
         q                        -                        -                        \n\
         -                        zz                       -                        \n"
    );
}

#[test]
fn a_long_cell_widens_its_column_only() {
    let sessions = vec!["sts.GetSessionToken:59m53s".to_owned(), "oidc:my-sso".to_owned()];
    let text = table(&[Row { profile: Some("ä".repeat(30)), credentials: None, sessions }]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].starts_with(&format!("{}  -{}sts.", "ä".repeat(30), " ".repeat(24))));
    assert!(lines[2].ends_with("sts.GetSessionToken:59m53s, oidc:my-sso  "));
    assert!(lines.iter().all(|line| line.chars().count() == 32 + 25 + 41));
}

#[test]
fn a_name_does_not_steer_the_terminal() {
    let text = table(&[Row { profile: Some("a\x1b[2J\tb\nc".to_owned()), ..Row::default() }]);
    assert_eq!(text.lines().count(), 3);
    assert!(!text.contains(['\x1b', '\t']));
}
