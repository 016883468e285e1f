//! The list of skips, held against made-up runs.

use super::*;

const LIST: &str = r#"
[[check]]
machine = "linux"
check = "keychain"
reason = "only macOS has one"
[[check]]
machine = "macos"
check = "cgroups"
reason = "only Linux has them"
"#;

fn judge(skipped: &[&str]) -> Verdict {
    let skips: Vec<Skip> = skipped.iter().map(|check| Skip::new(check, "why")).collect();
    Listed::parse(LIST).unwrap().judge(&BTreeSet::from(["linux"]), &skips)
}

#[test]
fn a_skip_that_is_listed_for_this_machine_is_fine() {
    assert_eq!(judge(&["keychain"]), Verdict::default());
}

#[test]
fn a_skip_that_is_listed_for_another_machine_only_is_unlisted() {
    let verdict = judge(&["keychain", "cgroups", "postgres"]);
    assert_eq!(verdict.unlisted.len(), 2);
    assert!(verdict.stale.is_empty());
}

#[test]
fn a_listed_check_that_does_run_is_stale() {
    assert_eq!(
        judge(&[]).stale,
        ["`keychain` does run here; take its stale line out of docs/checks/not-here.toml"]
    );
}

#[test]
fn a_list_with_an_unknown_machine_key_or_no_reason_is_refused() {
    for (good, bad) in [("\"linux\"", "\"amiga\""), ("reason", "because"), ("only macOS has one", " ")] {
        assert!(Listed::parse(&LIST.replacen(good, bad, 1)).is_err(), "{bad}");
    }
    assert!(Listed::parse("").is_ok());
}

#[test]
fn the_list_of_this_repository_can_be_read() {
    assert!(Listed::parse(include_str!("../../../../../docs/checks/not-here.toml")).is_ok());
}
