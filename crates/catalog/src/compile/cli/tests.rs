//! What a file may not say of its program and its commands.

use crate::layer::integration;

const HEAD: &str = "name: x
title: X
docs: https://example.com
base_url: https://api.example.com
secrets: {token: {title: T}}
auth: [{scheme: bearer, secret: token}]
limits: {connect: 5s, head: 30s, total: 2m, idle: 30s}
";

fn problem(text: &str) -> String {
    integration(&format!("{HEAD}{text}"), "x.yaml", "x").unwrap_err().to_string()
}

fn program(text: &str) -> String {
    problem(&format!("cli: {text}\noperations: {{}}\n"))
}

fn operation(inputs: &str, cli: &str) -> Result<(), String> {
    let text = format!(
        "{HEAD}cli: {{program: tool, files: {{rc: \"{{credential}}\"}}}}\noperations:\n  do: {{title: D, access: read, risk: low, http: none, \
         why: w, inputs: {inputs}, cli: {cli}}}\n"
    );
    integration(&text, "x.yaml", "x").map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn an_input_that_could_be_read_as_an_option_is_refused_when_the_file_is_read() {
    let wrong = operation("{a: {}}", "{args: [do, \"{a}\"]}").unwrap_err();
    assert!(
        wrong.starts_with("x.yaml:10: operation `do`: the input `a` could be read as an option"),
        "{wrong}"
    );
    for (inputs, args) in [
        ("{a: {pattern: \".*\"}}", "[do, \"{a}\"]"),
        ("{a: {pattern: \"[a-z]*-?[0-9]\"}}", "[do, \"{a}\"]"),
        ("{a: {pattern: \"x|-y\"}}", "[do, \"{a}\"]"),
        ("{a: {pattern: \"(?i)\\\\W+\"}}", "[do, \"{a}\"]"),
        ("{a: {type: integer}}", "[do, [--count, \"{a}\"]]"),
        ("{a: {type: list}}", "[do, \"{a...}\"]"),
        ("{a: {}, b: {pattern: x}}", "[do, [\"{b}\", --], \"{a}\"]"),
        ("{a: {}, b: {}}", "[do, {when: b, args: [--]}, \"{a}\"]"),
        ("{a: {}}", "[do, \"{a}\", --]"),
    ] {
        assert!(operation(inputs, &format!("{{args: {args}}}")).is_err(), "{inputs} {args}");
    }
    for (inputs, args) in [
        ("{a: {}}", "[do, \"--a={a}\"]"),
        ("{a: {}}", "[do, --, \"{a}\"]"),
        ("{a: {pattern: \"[a-z0-9][a-z0-9-]*\"}}", "[do, \"{a}\"]"),
        ("{a: {pattern: \"x?y\"}}", "[do, \"{a}\"]"),
        ("{a: {type: integer, pattern: \"[0-9]+\"}}", "[do, [--count, \"{a}\"]]"),
        ("{a: {type: boolean}}", "[do, \"{a}\"]"),
        ("{a: {type: json}}", "[do, [--data, \"{a}\"]]"),
        ("{a: {type: list, pattern: \"i-[0-9]+\"}}", "[do, --ids, \"{a...}\"]"),
    ] {
        assert_eq!(operation(inputs, &format!("{{args: {args}}}")), Ok(()), "{inputs} {args}");
    }
}

#[test]
fn what_a_command_names_has_to_be_there() {
    for (inputs, cli, wanted) in [
        ("{name: {}}", "{args: [\"--n={nane}\"]}", "there is no input `nane`; did you mean `name`"),
        ("{name: {}}", "{args: [\"{file:rx}\"]}", "there is no file `rx`"),
        ("{name: {}}", "{args: [\"--n={secret:token}\"]}", "a secret never stands in an argument"),
        ("{name: {}}", "{args: [\"--n={credential}\"]}", "a secret never stands in an argument"),
        ("{name: {}}", "{args: [x], stdin: \"{credential}\"}", "hold inputs only"),
        ("{name: {}}", "{args: [x], files: {rc: \"{name}\"}}", "is none of the program's"),
        ("{name: {}}", "{args: [x], files: {a/b: \"{name}\"}}", "a file's name is made of"),
        ("{name: {required: true}}", "{args: [x]}", "the command does not name the input `name`"),
        ("{name: {}}", "{args: [\"--n={name...}\"]}", "is for an input of `type: list`"),
        ("{name: {type: list}}", "{args: [\"--n={name}\"]}", "stands in arguments as `{name...}`"),
        ("{name: {}}", "{args: [x], evidence: {id: \"line:1\"}}", "is for output that is text"),
        ("{name: {}}", "{args: [x], output: text, evidence: {id: a.b}}", "a dotted path for JSON"),
        ("{name: {}}", "{args: [x], ignores: [name], stdin: \"{name}\"}", "which the command names too"),
        ("{name: {}}", "{program: /bin/sh, args: [x]}", "without a path"),
        ("{host: {}}", "{args: [x]}", "stands for something else"),
        ("{name: {}}", "{args: [\"--{name}\"]}", "cannot be the name of an option"),
        ("{name: {}}", "{args: [x], stdin: \"{request_body}\"}", "is for an operation with `body: json`"),
        ("{name: {}}", "{args: [[]]}", "a list of arguments is empty"),
        ("{name: {}}", "{args: [{args: [x]}]}", "have `when` or `unless`"),
        ("{name: {}}", "{args: [{wen: name, args: [x]}]}", "the key `wen` is unknown; did you mean `when`"),
        ("{name: {}}", "{args: [x], stdinn: y}", "the key `stdinn` is unknown; did you mean `stdin`"),
    ] {
        let problem = operation(inputs, cli).unwrap_err();
        assert!(problem.contains(wanted), "{cli}: {problem}");
    }
}

#[test]
fn a_program_gets_no_stored_secret_by_its_environment() {
    for (text, wanted) in [
        ("{program: x, environment: {TOKEN: \"{secret:token}\"}}", "never stands in the environment"),
        ("{program: x, environment: {TOKEN: \"{credential}\"}}", "never stands in the environment"),
        ("{program: x, environment: {LD_PRELOAD: /x}}", "does not say what is loaded"),
        ("{program: x, environment: {PATH: /x}}", "does not say what is loaded"),
        ("{program: x, environment: {A: \"{file:rc}\"}}", "there is no file `rc`"),
        ("{program: x, environment: {A: \"{lease:token}\"}}", "needs `lease`"),
        (
            "{program: x, lease: aws-credential, environment: {A: \"{lease:token}\"}}",
            "did you mean `aws-credentials`",
        ),
        ("{program: x, lease: aws-credentials}", "lends nothing"),
        (
            "{program: x, lease: aws-credentials, environment: {A: \"{lease:access_key}\"}}",
            "did you mean `access_key_id`",
        ),
        (
            "{program: x, files: {rc: \"{secret:tokn}\"}}",
            "there is no secret `tokn` in `secrets`; did you mean `token`",
        ),
        ("{program: x, environment: {A: \"{files}\"}}", "there are none"),
        ("{program: x, files: {rc: \"{folder}\"}}", "only"),
        ("{program: x, files: {rc: \"{files}\"}}", "only"),
        ("{program: x y}", "without a path"),
    ] {
        let problem = program(text);
        assert!(problem.starts_with("x.yaml:8: `cli`: ") && problem.contains(wanted), "{text}: {problem}");
    }
    assert_eq!(program("{porgram: x}"), "x.yaml:8: the key `porgram` is unknown; did you mean `program`");
}

#[test]
fn an_operation_has_requests_or_says_why_it_has_none() {
    let operation = |text: &str| {
        problem(&format!(
            "cli: {{program: tool}}\noperations:\n  do: {{title: D, access: read, risk: low, {text}}}\n"
        ))
    };
    assert!(operation("cli: {args: [x]}").contains("the key `match` is missing"));
    assert!(operation("http: none, cli: {args: [x]}").contains("`http: none` and `why` go together"));
    assert!(operation("http: none, why: w").contains("there is a `cli` and no `match`"));
    assert!(
        operation("http: none, why: w, match: {method: GET, path: /}, cli: {args: [x]}")
            .contains("no `match`")
    );
}
