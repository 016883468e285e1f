//! Tests of the module `resource`.

use super::*;

fn named(text: &str) -> String {
    text.parse::<ResourceName>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

#[test]
fn a_name_has_one_spelling() {
    assert_eq!(named("secret:/db/primary"), "secret:/db/primary");
    assert_eq!(named("secret:/db/%70rimary"), "secret:/db/primary");
    assert_eq!(named("secret:/db/a%c3%a9"), "secret:/db/a%C3%A9");
    assert_eq!(named("secret:*"), "secret:/*");
    assert_eq!(named("secret:/*"), "secret:/*");
    assert_eq!(named("op:/slack/chat.post"), "op:/slack/chat.post");
    assert_eq!(named("op:/slack/*"), "op:/slack/*");
    assert_eq!(named("op:/slack/chat.*"), "op:/slack/chat.*");
    assert_eq!(named("op:/sl*"), "op:/sl*");
    assert_eq!(named("log:/deploy"), "log:/deploy");
    assert_eq!(named("tool:/migrate"), "tool:/migrate");
}

#[test]
fn what_could_be_read_in_another_way_is_refused() {
    for text in [
        "",
        "*",
        "secret",
        "secret:",
        "secret:/",
        "secret:db",
        "SECRET:/db",
        "secrets:/db",
        "sec*",
        "secret:/db/",
        "secret://db",
        "secret:/a//b",
        "secret:/./db",
        "secret:/a/../db",
        "secret:/a/%2e%2e/db",
        "secret:/a/%2E%2E%2Fdb",
        "secret:/a/..;x/db",
        "secret:/db%2Fprimary",
        "secret:/db%2fprimary",
        "secret:/db%2F*",
        "secret:/a%5Cb",
        "secret:/a\\b",
        "secret:/a%00b",
        "secret:/a%0Ab",
        "secret:/a b",
        "secret:/é",
        "secret:/e%CC%81",
        "secret:/a%E2%80%8Bb",
        "secret:/a%EF%BC%8Fb",
        "secret:/a%252e%252e/b",
        "secret:/a%",
        "secret:/a%2",
        "secret:/a%2*",
        "secret:/a?x=1",
        "secret:/a#b",
        "secret:/a*b",
        "secret:/**",
        "secret:/*/*",
        "secret:/../*",
        "op:/slack",
        "op:/Slack/chat.post",
        "op:/slack/chat.post/x",
        "op:/slack/chat*post",
        "op:/sl%61ck/Chat",
    ] {
        assert!(text.parse::<ResourceName>().is_err(), "{text}");
    }
    assert!(format!("secret:/{}", "a".repeat(600)).parse::<ResourceName>().is_err());
}

#[test]
fn a_prefix_covers_what_begins_like_it_and_a_name_only_itself() {
    let name = |text: &str| text.parse::<ResourceName>().unwrap();
    assert!(name("secret:*").covers(&name("secret:/db/primary")));
    assert!(name("secret:/db/*").covers(&name("secret:/db/primary")));
    assert!(name("secret:/db/*").covers(&name("secret:/db/p*")));
    assert!(!name("secret:/db/p*").covers(&name("secret:/db/*")));
    assert!(!name("secret:/db/*").covers(&name("secret:/db")));
    assert!(!name("secret:/db").covers(&name("secret:/db/*")));
    assert!(!name("secret:*").covers(&name("op:/slack/*")));
    assert_eq!(name("secret:/db/*").path(), "db/*");
    assert_eq!(name("secret:/db/*").kind(), ResourceKind::Secret);
}
