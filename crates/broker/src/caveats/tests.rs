//! Tests of caveats as people write them.

use super::*;

fn words(pairs: &[(&str, &str)]) -> Inputs {
    pairs.iter().map(|(word, value)| ((*word).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_word_can_be_read() {
    let values = [
        ("integrations", "slack, github"),
        ("operations", "slack/chat.*"),
        ("access", "read"),
        ("resources", "channel:C1,repo:octo/*"),
        ("hosts", "slack.com"),
        ("methods", "GET,POST"),
        ("paths", "/api/v1"),
        ("not_before", "2026-11-22T09:00:00Z"),
        ("expires", "15m"),
        ("hours", "mon-fri 09:00-17:00 Europe/Berlin"),
        ("cidr", "10.0.0.0/8"),
        ("environment", "production"),
        ("rate", "10/1m"),
        ("uses", "3"),
        ("purpose", "ticket-1"),
        ("holder", "uid=1000"),
        ("approval", "writes"),
    ];
    assert_eq!(values.map(|(word, _)| word), WORDS);
    assert_eq!(read(&words(&values), Timestamp::from_millis(0)).unwrap().len(), WORDS.len());
}

#[test]
fn expires_counts_from_now() {
    let caveats = read(&words(&[("expires", "15m")]), Timestamp::from_millis(1_000)).unwrap();
    assert_eq!(caveats, [Caveat::NotAfter(Timestamp::from_millis(901_000))]);
}

#[test]
fn what_is_not_understood_is_refused_by_its_name() {
    for (word, value) in [
        ("colour", "red"),
        ("access", "admin"),
        ("expires", "soon"),
        ("rate", "10"),
        ("rate", "10/1500ms"),
        ("uses", "0"),
        ("hours", "9-5"),
        ("hours", "mon 09:00-17:00 Atlantis/City"),
        ("holder", "name=root"),
        ("integrations", ""),
        ("methods", "get"),
    ] {
        let refusal = read(&words(&[(word, value)]), Timestamp::from_millis(0)).unwrap_err();
        assert_eq!(refusal.code, Code::BadRequest);
        assert!(refusal.message.contains(word), "{}", refusal.message);
    }
}
