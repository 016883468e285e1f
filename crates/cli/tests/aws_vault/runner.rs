//! The runner is run itself, on a script that stands for the binary.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::case::Case;
use crate::run::{self, Binary};

/// A program that stores keys as files, says what it is told, and asks who it is.
const PROGRAM: &str = r#"#!/bin/sh
case $1 in
add) shift 3; mkdir -p "$AWS_VAULT_FILE_DIR"; echo "$AWS_ACCESS_KEY_ID" >"$AWS_VAULT_FILE_DIR/$1" ;;
say) printf '%s' "$2"; printf '%s' "$3" >&2 ;;
end) exit "$2" ;;
die) kill -9 $$ ;;
wait) sleep 600 ;;
env) env | sort ;;
edit) printf '%s' "$2" >"$AWS_CONFIG_FILE" ;;
ask) printf 'name? '; read name; stty -echo; printf 'secret? '; read secret; stty echo; echo; echo "$name has $secret" ;;
call) shift; curl -s -d "$*" "$AWS_ENDPOINT_URL/" ;;
esac
"#;

struct Bench {
    _folder: TempDir,
    binary: Binary,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program: PathBuf = folder.path().join("program");
        testkit::program(&program, PROGRAM);
        let binary = Binary::linked(&program);
        Self { _folder: folder, binary }
    }

    /// What differs when this is the only step of a case.
    fn step(&self, step: &Value) -> Vec<String> {
        self.case(&json!({ "steps": [step] }))
    }

    fn case(&self, with: &Value) -> Vec<String> {
        let mut whole = json!({"id": "a/b", "title": "t", "origin": "here", "verdict": "keep"});
        whole.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let case: Case = serde_json::from_value(whole).unwrap();
        run::run(&case, &self.binary, None)
    }
}

#[test]
fn a_case_that_holds_has_no_differences() {
    let bench = Bench::new();
    let none: Vec<String> = Vec::new();
    let said = json!({"argv": ["say", "{WORK} {ENDPOINT}", "loud"], "expect": {"rc": 0, "stdout": "{WORK} {ENDPOINT}",
        "stdout_contains": ["/av-"], "stdout_lacks": ["loud"], "stdout_match": "http://127.*:\\d+$",
        "stderr": "loud", "stderr_contains": ["ou"], "stderr_lacks": ["quiet"], "stderr_match": "^l.*d$", "calls": []}});
    assert_eq!(bench.step(&said), none);
    assert_eq!(bench.step(&json!({"argv": ["end", "7"], "expect": {"rc": 7}})), none);
    assert_eq!(bench.step(&json!({"argv": ["die"], "expect": {"rc": -9}})), none);
    assert_eq!(bench.step(&json!({"shell": "{BIN} say a; {BIN} say b", "expect": {"stdout": "ab"}})), none);
    let stored = json!({"config": "old\n", "vault": {"a": "AKIACANARY0000000001"}, "files": {"bin/x": "#!/bin/sh\necho x"},
        "steps": [{"argv": ["edit", "new"], "expect": {"config_after": "new", "keys_match": ["a"], "keys_count": 1,
            "files_match": {"keys/a": "^AKIACANARY0000000001\n$"}, "files_absent": ["keys/b"]}},
            {"shell": "x", "expect": {"stdout": "x\n"}}]});
    assert_eq!(bench.case(&stored), none);
}

#[test]
fn each_kind_of_difference_is_found() {
    let bench = Bench::new();
    for (expect, found) in [
        (json!({"rc": 1}), "rc=0, want 1"),
        (json!({"stdout": "b"}), "stdout is \"a\", want \"b\""),
        (json!({"stdout_contains": ["b"]}), "stdout lacks \"b\""),
        (json!({"stdout_lacks": ["a"]}), "stdout must not contain \"a\""),
        (json!({"stdout_match": "^b"}), "stdout does not match"),
        (json!({"stderr": ""}), "stderr is \"e\", want \"\""),
        (json!({"stderr_lacks": ["e"]}), "stderr must not contain"),
        (json!({"calls": [{"api": "sts.AssumeRole"}]}), "calls [], want [\"sts.AssumeRole\"]"),
        (json!({"keys_match": ["a.*"]}), "no stored key matches"),
        (json!({"keys_count": 1}), "0 stored keys, want 1"),
        (json!({"config_after": "x"}), "config is \"<missing>\""),
        (json!({"files_match": {"f": "x"}}), "f: \"<missing>\" does not match"),
        (json!({"files_absent": ["bin"]}), "bin must not be there"),
    ] {
        let with = json!({"files": {"bin/x": ""}, "steps": [{"argv": ["say", "a", "e"], "expect": expect}]});
        let differences = bench.case(&with);
        assert!(differences.len() == 1 && differences[0].contains(found), "{found}: {differences:?}");
    }
}

#[test]
fn what_takes_too_long_is_ended_and_told() {
    let late = json!({"argv": ["wait"], "timeout": 0, "expect": {"rc": 0}});
    assert!(Bench::new().step(&late)[0].contains("rc=timeout, want 0"));
}

#[test]
fn a_command_sees_nothing_of_the_environment_of_the_test() {
    let differences = Bench::new().step(&json!({"argv": ["env"], "expect": {
        "stdout_contains": ["HOME={WORK}\n", "AWS_REGION=us-east-1\n", "AWS_VAULT_BACKEND=file\n"],
        "stdout_lacks": ["CARGO", "XDG_", "DOORWARD"]}}));
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn calls_are_compared_in_order_with_all_that_was_said_of_them() {
    let bench = Bench::new();
    let call = "Action=AssumeRole&RoleArn=arn:aws:iam::111111111111:role/A&RoleSessionName=name\
                &Tags.member.1.Key=a&Tags.member.1.Value=b&TransitiveTagKeys.member.1=a";
    let differences = |expected: Value| {
        bench.case(&json!({"server": {"lenient": ["signature"]},
            "steps": [{"argv": ["call", call], "expect": {"calls": expected}}]}))
    };
    let fits = json!([{"api": "sts.GetCallerIdentity", "optional": true}, {"api": "sts.AssumeRole", "signed_by": null,
        "params": {"RoleSessionName": "name"}, "params_match": {"RoleArn": "role/A$"}, "absent": ["SerialNumber"],
        "tags": {"a": "b"}, "transitive": ["a"]}]);
    assert_eq!(differences(fits), Vec::<String>::new());
    for (expected, found) in [
        (json!([]), "want []"),
        (json!([{"api": "sts.AssumeRole"}, {"api": "sts.AssumeRole"}]), "calls [\"sts.AssumeRole\"]"),
        (json!([{"api": "sts.AssumeRole", "signed_by": "AKIA"}]), "signed_by=None, want Some(\"AKIA\")"),
        (
            json!([{"api": "sts.AssumeRole", "params": {"RoleSessionName": "x"}}]),
            "RoleSessionName=Some(\"name\")",
        ),
        (json!([{"api": "sts.AssumeRole", "params_match": {"RoleArn": "B"}}]), "does not match"),
        (json!([{"api": "sts.AssumeRole", "absent": ["RoleArn"]}]), "RoleArn should be absent"),
        (json!([{"api": "sts.AssumeRole", "tags": {}}]), "tags {\"a\": \"b\"}, want {}"),
        (json!([{"api": "sts.AssumeRole", "transitive": []}]), "transitive [\"a\"], want []"),
    ] {
        let differences = differences(expected);
        assert!(differences.len() == 1 && differences[0].contains(found), "{found}: {differences:?}");
    }
}

#[test]
fn a_conversation_waits_for_each_prompt() {
    let bench = Bench::new();
    let step = |wait: &str| {
        json!({"argv": ["ask"], "timeout": 300, "tty": [{"wait": wait, "say": "it\n"}, {"wait": "secret\\? ", "say": "hush\n"}],
            "expect": {"rc": 0, "stdout_match": "name\\? it\n.*secret\\? \nit has hush\n$"}})
    };
    assert_eq!(bench.step(&step("name\\? ")), Vec::<String>::new());
    let mut never = step("never");
    never["timeout"] = json!(1);
    assert!(bench.step(&never)[0].contains("nothing matched \\\"never\\\""), "{:?}", bench.step(&never));
}
