//! Flags in every order and form, and mistakes that repeat nothing.

use super::*;

fn words(typed: &[&str]) -> Words {
    let typed: Vec<String> = typed.iter().map(|word| (*word).to_owned()).collect();
    Words::split(&typed, &["json", "quick"])
}

fn flags() -> Vec<Flag> {
    vec![
        Flag::new("file", "FILE", "the file"),
        Flag::new("token", "REFERENCE", "where the token is").required(true).repeats(),
        Flag::switch("quick", "be quick"),
    ]
}

#[test]
fn flags_stand_before_between_and_behind_words_with_one_dash_or_two() {
    for typed in [
        ["-file", "a.yaml", "slack", "--token", "env:T"].as_slice(),
        &["slack", "-token=env:T", "--file=a.yaml"],
        &["--file", "a.yaml", "-token", "env:T", "--", "slack"],
    ] {
        let parted = words(typed);
        assert_eq!(parted.words, ["slack"], "{typed:?}");
        let given = parted.check(&flags()).unwrap();
        assert_eq!((given.one("file"), given.one("token")), (Some("a.yaml"), Some("env:T")), "{typed:?}");
    }
}

#[test]
fn a_switch_takes_no_word_and_can_be_turned_off() {
    let parted = words(&["-quick", "slack"]);
    assert_eq!((parted.words.len(), parted.check(&flags()).unwrap().one("quick")), (1, Some("true")));
    assert_eq!(words(&["-quick=false"]).check(&flags()).unwrap().one("quick"), Some("false"));
    assert!(words(&["-quick=perhaps"]).check(&flags()).is_err());
}

#[test]
fn a_wrong_flag_is_met_with_the_nearest_one_and_no_value_is_repeated() {
    let said = words(&["-tokn", "xoxb-CANARY"]).check(&flags()).unwrap_err();
    assert_eq!(
        (said.message.as_str(), said.hint.as_deref()),
        ("there is no flag `-tokn`", Some("did you mean `-token`?"))
    );
    let said = words(&["-sk-live-CANARY0"]).check(&flags()).unwrap_err();
    assert!(!said.message.contains("CANARY"), "{said}");
    assert!(words(&["-file"]).check(&flags()).unwrap_err().message.contains("FILE"));
    assert!(words(&["-file", "a", "-file", "b"]).check(&flags()).is_err());
    assert_eq!(words(&["-token", "a", "-token", "b"]).check(&flags()).unwrap().all("token").count(), 2);
}

#[test]
fn what_is_missing_is_named() {
    let said = words(&[]).check(&flags()).unwrap().complete(&flags()).unwrap_err();
    assert_eq!(said.message, "`-token REFERENCE` is missing");
}
