//! A canary that is not found proves nothing; these do.

use super::*;

#[test]
fn no_two_canaries_are_the_same_and_each_says_where_it_is_from() {
    let (one, two) = (plant("slack"), plant("slack"));
    assert_ne!(one, two);
    assert!(one.starts_with("xoxb-CANARY-slack-"));
    assert_eq!(one.len() % 3, 0);
}

#[test]
fn a_canary_is_found_in_every_encoding_within_other_bytes() {
    let canary = plant("a");
    for (name, needle) in encodings(&canary) {
        let hidden = [&b"\x00before"[..], &needle, b"behind\xff"].concat();
        assert!(found(&hidden, &canary).is_some(), "{name}");
    }
    assert_eq!(found(b"", &canary), None);
    assert_eq!(found(&canary.as_bytes()[..canary.len() - 1], &canary), None);
    assert_eq!(found(plant("a").as_bytes(), &canary), None);
}

#[test]
fn base_64_is_found_wherever_the_canary_starts_and_ends() {
    let canary = plant("basic");
    for before in ["", "u", "us", "use", "user:"] {
        for behind in ["", ":", "::"] {
            let text = format!("{before}{canary}{behind}");
            for engine in [
                base64::engine::general_purpose::STANDARD,
                base64::engine::general_purpose::URL_SAFE,
                base64::engine::general_purpose::STANDARD_NO_PAD,
            ] {
                assert!(found(engine.encode(&text).as_bytes(), &canary).is_some(), "{before}|{behind}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "a canary is in a reply, as reversed")]
fn a_canary_that_is_seen_fails_the_test_without_being_printed() {
    let canary = plant("a");
    let reversed: String = canary.chars().rev().collect();
    assert_absent(reversed, "a reply");
}
