//! Conditions of what is waited for, one after the other.

use super::*;

fn poll(until: &[&[&str]], never: &[&[&str]]) -> Poll {
    let tests = |lists: &[&[&str]]| -> Vec<Vec<Test>> {
        lists.iter().map(|list| list.iter().map(|text| Test::parse(text).unwrap()).collect()).collect()
    };
    Poll {
        every: Duration::from_secs(1),
        within: "timeout".to_owned(),
        until: tests(until),
        never: tests(never),
    }
}

#[test]
fn what_is_waited_for_is_there_when_a_whole_list_holds() {
    let poll = poll(
        &[
            &["kind == \"A\"", "status.ready >= spec.wanted", "operation == null"],
            &["kind == \"B\"", "status.ready + spec.kept >= 2"],
        ],
        &[&["status.seen == true", "status.conditions.*.reason == \"Late\""]],
    );
    let seen = |body: &str| poll.seen(body.as_bytes());
    assert_eq!(seen(r#"{"kind": "A", "spec": {"wanted": 2}, "status": {"ready": 2}}"#), Seen::There);
    assert_eq!(seen(r#"{"kind": "A", "spec": {"wanted": 0}}"#), Seen::There, "what is not there is 0");
    assert_eq!(seen(r#"{"kind": "B", "spec": {"kept": 1}, "status": {"ready": 1}}"#), Seen::There);
    for (body, why) in [
        (
            r#"{"kind": "A", "spec": {"wanted": 2}, "status": {"ready": 1}}"#,
            "not yet `status.ready >= spec.wanted`",
        ),
        (
            r#"{"kind": "A", "spec": {"wanted": 2}, "status": {"ready": "2"}}"#,
            "not yet `status.ready >= spec.wanted`",
        ),
        (r#"{"kind": "A", "operation": {}}"#, "not yet `operation == null`"),
        (r#"{"kind": "B"}"#, "not yet `status.ready + spec.kept >= 2`"),
        ("{}", "not yet `kind == \"A\"`"),
        (
            r#"{"kind": "A", "spec": {"wanted": 1}, "status": {"conditions": [{"reason": "Late"}]}}"#,
            "not yet `status.ready >= spec.wanted`",
        ),
    ] {
        assert_eq!(seen(body), Seen::NotYet(why.to_owned()), "{body}");
    }
    let late =
        r#"{"kind": "A", "status": {"seen": true, "conditions": [{"reason": "Other"}, {"reason": "Late"}]}}"#;
    assert_eq!(seen(late), Seen::Never("`status.conditions.*.reason == \"Late\"`".to_owned()));
    assert_eq!(seen("<html>"), Seen::Never("the reply is not JSON".to_owned()));
}

#[test]
fn a_condition_that_cannot_be_meant_is_refused() {
    for odd in
        ["", "a", "a > b", "a == ", "a.* >= 1", "a >= \"1\"", "a. == 1", "a == {}", "1 >= b.*", "a >= 1 +"]
    {
        assert!(Test::parse(odd).is_err(), "{odd}");
    }
}
