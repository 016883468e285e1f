//! Plans as they are written, and the numbers of their calls.

use std::collections::BTreeMap;

use catalog::Catalog;
use model::{Code, Risk};
use proptest::prelude::*;

use super::file::Expect;
use super::performed::Performed;
use super::row::{Plan, Which, once};
use super::{File, checked, filled};

fn read(text: &str, given: &[(&str, &str)]) -> Result<(Plan, Risk), model::Refusal> {
    let given: BTreeMap<_, _> =
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    checked(filled(File::read(text, "plan.yaml")?, &given)?, &Catalog::builtin())
}

const POST: &str = "summary: Say hello in ${channel}
parameters: {channel: {about: where}, text: {default: hello}}
steps:
  - id: say
    preconditions: [{operation: slack/auth.test, expect: {json: {ok: true}}}]
    operation: slack/chat.post
    inputs: {channel: \"${channel}\", username: \"${text}, costs $${5}\"}
    verify: [{operation: slack/auth.test}, {operation: slack/auth.test}]
    rollback: {operation: slack/chat.delete, inputs: {channel: \"${channel}\", ts: \"1\"}}
  - {id: look, operation: slack/auth.test, stage: verify}
";

#[test]
fn parameters_are_filled_in_and_the_risk_is_the_highest() {
    let (plan, risk) = read(POST, &[("channel", "C1")]).unwrap();
    assert_eq!(plan.summary, "Say hello in C1");
    assert_eq!(plan.steps[0].act.inputs["username"], "hello, costs ${5}");
    assert_eq!(risk, Risk::High);
    let missing = read(POST, &[]).unwrap_err();
    assert_eq!(
        (missing.code, missing.message.as_str()),
        (Code::BadRequest, "the parameter `channel` is missing")
    );
    let unknown = read(POST, &[("channel", "C1"), ("chanel", "C2")]).unwrap_err();
    assert!(unknown.message.contains("`chanel`"), "{unknown:?}");
}

#[test]
fn a_parameter_can_never_become_more_than_a_text() {
    let (plan, _) = read(POST, &[("channel", "C1\",username:\"x"), ("text", "}, {id: more")]).unwrap();
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(plan.steps[0].act.inputs["channel"], "C1\",username:\"x");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let one = |step: &str| format!("summary: S\nsteps:\n  - {{id: a, {step}}}\n");
    for (text, said) in [
        (one("operation: slack/chat.pst"), "step `a`: `slack` has no operation `chat.pst`"),
        (one("operation: nothing/here"), "step `a`:"),
        (one("operation: doorward/approval.decide"), "not on Doorward itself"),
        (one("operation: slack/chat.post, stage: verify, inputs: {channel: C1}"), "no step of the stage `verify`"),
        (one("operation: slack/chat.post"), "missing"),
        (one("operation: slack/auth.test, verify: [{operation: slack/chat.post, inputs: {channel: C1}}]"), "only read"),
        (one("operation: slack/auth.test, inputs: {nme: x}"), "nme"),
        (one("operation: slack/auth.test, inputs: {\"a\": \"${b}\"}"), "names no parameter"),
        (one("operation: slack/auth.test, verfy: []"), "plan.yaml:3"),
        (one("operation: slack/auth.test, expect: {within: soon}"), "within"),
        ("summary: S\nsteps: []\n".to_owned(), "steps"),
        ("summary: S\nsteps:\n  - {id: a, operation: slack/auth.test}\n  - {id: a, operation: slack/auth.test}\n".to_owned(), "two steps"),
    ] {
        let refusal = read(&text, &[]).unwrap_err();
        assert_eq!(refusal.code, Code::BadRequest, "{text}");
        assert!(refusal.message.contains(said), "{said} in {}", refusal.message);
    }
}

#[test]
fn the_digest_is_of_what_is_done_and_not_of_how_it_is_written() {
    let digest = |text: &str| read(text, &[("channel", "C1")]).unwrap().0.digest().unwrap();
    let other = POST.replace("{default: hello}", "{default:   \"hello\"}");
    assert_eq!(digest(POST), digest(&other));
    for (from, to) in
        [("hello}", "hullo}"), ("id: look", "id: lock"), ("ok: true", "ok: 1"), ("ts: \"1\"", "ts: \"2\"")]
    {
        assert!(POST.contains(from), "{from}");
        assert_ne!(digest(POST), digest(&POST.replacen(from, to, 1)), "{from}");
    }
}

#[test]
fn each_call_has_a_number_of_its_own() {
    let (plan, _) = read(POST, &[("channel", "C1")]).unwrap();
    let all: Vec<_> = (0..6).map(|nth| plan.place(nth).map(|(at, _, which)| (at, which)).unwrap()).collect();
    let wanted = [
        (0, Which::Precondition(0)),
        (0, Which::Act),
        (0, Which::Verify(0)),
        (0, Which::Verify(1)),
        (0, Which::Rollback),
        (1, Which::Act),
    ];
    assert_eq!(all, wanted);
    for (nth, (at, which)) in wanted.into_iter().enumerate() {
        assert_eq!(plan.number(at, which).map(usize::from), Some(nth));
    }
    assert!(plan.place(6).is_none());
}

proptest! {
    #[test]
    fn the_counters_of_two_calls_are_two(plan: [u8; 16], other: [u8; 16], nth: u16, more: u16) {
        prop_assume!((plan, nth) != (other, more));
        let id = model::PlanId::from_bytes;
        prop_assert_ne!(once(id(plan), nth), once(id(other), more));
    }
}

fn holds(expect: &str, status: Option<i64>, exit: Option<i64>, output: serde_json::Value) -> bool {
    let expect: Expect = serde_json::from_str(expect).unwrap();
    let evidence = model::EvidenceId::from_bytes([0; 16]);
    let failed = status.is_some_and(|got| got >= 300) || exit.is_some_and(|got| got > 1);
    let failed = failed.then(|| "it was not done".to_owned());
    expect.holds(&Performed { evidence, status, exit, failed, output }).is_ok()
}

#[test]
fn an_expectation_holds_only_where_the_answer_says_so() {
    let output = || serde_json::json!({"a": {"b": [1, "two", true]}, "n": null});
    assert!(holds("{}", Some(200), None, output()) && holds("{}", None, Some(0), output()));
    assert!(!holds("{}", Some(404), None, output()) && !holds("{}", Some(302), None, output()));
    assert!(!holds("{}", None, Some(2), output()));
    // What a program ends with may mean more than one thing; what it means is judged where it ended.
    assert!(holds("{}", None, Some(1), output()) && holds(r#"{"exit": 2}"#, None, Some(2), output()));
    assert!(holds(r#"{"status": 404}"#, Some(404), None, output()));
    assert!(!holds(r#"{"status": 200}"#, None, Some(0), output()));
    assert!(holds(
        r#"{"json": {"a.b.0": 1, "a.b.1": "two", "a.b.2": true, "a.b": "*"}}"#,
        Some(200),
        None,
        output()
    ));
    for wrong in [
        r#"{"json": {"a.b.3": "*"}}"#,
        r#"{"json": {"n": "*"}}"#,
        r#"{"json": {"a.b.1": "2"}}"#,
        r#"{"contains": "three"}"#,
    ] {
        assert!(!holds(wrong, Some(200), None, output()), "{wrong}");
    }
    assert!(holds(r#"{"contains": "two"}"#, Some(200), None, output()));
}

/// The playbooks that are shipped, with values that their operations take.
#[test]
fn every_playbook_that_is_shipped_is_a_plan() {
    let at = |name: &str| catalog::Written {
        name: name.parse().unwrap(),
        file: "layer".into(),
        line: 1,
        text: format!("name: {name}\nextends: {name}\ndomain: {name}.example\n").into(),
    };
    let written = ["kubernetes", "argocd", "prometheus", "grafana", "vault", "helm"].map(at);
    let catalog = Catalog::layered(None, &written, &[]).unwrap();
    let values = [
        ("namespace", "shop"),
        ("name", "shop"),
        ("before", "1"),
        ("replicas", "3"),
        ("healthy", "vector(1)"),
        ("app", "shop"),
        ("revision", "main"),
        ("history", "7"),
        ("release", "shop"),
        ("chart", "oci://charts.example/shop"),
        ("version", "1.2.3"),
        ("former", "4"),
        ("workload", "shop"),
        ("alert", "ShopDown"),
        ("at", "2026-11-29T12:00:00Z"),
        ("role", "shop"),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/playbooks");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = File::read(&std::fs::read_to_string(&path).unwrap(), "playbook").unwrap();
        let given = values.iter().filter(|(name, _)| file.parameters.contains_key(*name));
        let given: BTreeMap<_, _> =
            given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (plan, _) = checked(filled(file, &given).unwrap(), &catalog)
            .unwrap_or_else(|refusal| panic!("{path:?}: {refusal:?}"));
        let shown = serde_json::to_string(&plan).unwrap();
        assert!(!shown.contains("${"), "{path:?}: {shown}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}
