//! Commands are made of inputs, and no input is ever an option.

use model::{Code, Inputs};

use crate::layer::integration;
use crate::{Integration, Slot, Text};

const HEAD: &str = "name: x
title: X
docs: https://example.com
base_url: https://api.example.com/v1
secrets: {token: {title: T}}
auth: [{scheme: bearer, secret: token}]
limits: {connect: 5s, head: 30s, total: 2m, idle: 30s}
cli: {program: tool, version: [version]}
operations:
";

fn tool(operation: &str) -> Integration {
    integration(&format!("{HEAD}{operation}"), "x.yaml", "x").unwrap()
}

fn inputs(pairs: &[(&str, &str)]) -> Inputs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn argv(tool: &Integration, pairs: &[(&str, &str)]) -> Result<Vec<String>, Code> {
    let cli = tool.operations().values().next().unwrap().cli().unwrap();
    let command = cli.command(&inputs(pairs)).map_err(|refusal| refusal.code)?;
    Ok(command.args.iter().map(Text::to_string).collect())
}

#[test]
fn an_argument_that_names_an_absent_input_is_left_out() {
    let tool = tool(
        "  do: {title: D, access: read, risk: low, http: none, why: w, inputs: {a: {pattern: \"[a-z]+\"}, b: {}, \
                     all: {type: boolean}, ids: {type: list, pattern: \"[0-9]+\"}}, cli: {args: [do, [--a, \"{a}\"], \"--b={b}\", \
                     {when: all, args: [--everything]}, {unless: all, args: [--some]}, \"{ids...}\"]}}\n",
    );
    assert_eq!(argv(&tool, &[]).unwrap(), ["do", "--some"]);
    assert_eq!(argv(&tool, &[("all", "false")]).unwrap(), ["do", "--some"]);
    let all = [("a", "x"), ("b", "-y"), ("all", "true"), ("ids", "[\"1\",\"2\"]")];
    assert_eq!(argv(&tool, &all).unwrap(), ["do", "--a", "x", "--b=-y", "--everything", "1", "2"]);
    assert_eq!(argv(&tool, &[("b", "")]).unwrap(), ["do", "--some"]);
    assert_eq!(argv(&tool, &[("c", "x")]).unwrap_err(), Code::BadRequest);
}

#[test]
fn a_value_is_never_an_option_and_never_a_place() {
    let tool = tool(
        "  do: {title: D, access: read, risk: low, http: none, why: w, inputs: {a: {}, b: {}}, \
                     cli: {args: [do, \"--b={b}\", --, \"{a}\"]}}\n",
    );
    assert_eq!(
        argv(&tool, &[("a", "--rm"), ("b", "{folder}")]).unwrap(),
        ["do", "--b={folder}", "--", "--rm"]
    );
    let cli = tool.operations().values().next().unwrap().cli().unwrap();
    let command = cli.command(&inputs(&[("a", "{folder}"), ("b", "{file:x}")])).unwrap();
    assert!(command.args.iter().all(|arg| arg.slots().next().is_none()));
}

#[test]
fn what_half_holds_under_a_condition_is_refused() {
    let tool = tool(
        "  do: {title: D, access: read, risk: low, http: none, why: w, inputs: {a: {pattern: \"[a-z]+\"}, b: {}}, \
                     cli: {args: [do, {when: b, args: [\"{a}.{b}\"]}]}}\n",
    );
    assert_eq!(argv(&tool, &[("b", "x")]).unwrap_err(), Code::BadRequest);
    assert_eq!(argv(&tool, &[("a", "y"), ("b", "x")]).unwrap(), ["do", "y.x"]);
}

#[test]
fn no_text_of_five_hundred_becomes_an_option() {
    let tool = tool(
        "  do: {title: D, access: read, risk: low, http: none, why: w, inputs: {a: {pattern: \"[^-].*\"}, b: {}, c: {}}, \
                     cli: {args: [do, \"{a}\", [--b, \"x{b}\"], --, \"{c}\"]}}\n",
    );
    let heads = [
        "-",
        "--",
        "-o",
        "--flag=",
        ";",
        "$(id)",
        "`id`",
        "&&",
        "|",
        "\n-x",
        "'",
        "\"",
        "{file:x}",
        "\u{2010}x",
        "\u{ff0d}x",
        "../",
        "/etc/",
        "@",
        "=",
        " -x",
    ];
    let tails = [
        "", "a", "x=1", "rm -rf /", "$HOME", "\n", "\\", "*", "?", "~", "\u{202e}", "%00", "-", "--", "\t",
        "#", "!", "<a>", "{}", "[0]", "é", "0", "null", "true", "\r\n",
    ];
    let mut count = 0;
    for head in heads {
        for tail in tails {
            count += 1;
            let text = format!("{head}{tail}");
            match argv(&tool, &[("a", &text), ("b", &text), ("c", &text)]) {
                Ok(args) => {
                    let [verb, first, flag, second, dashes, third] = args.as_slice() else {
                        panic!("{args:?}")
                    };
                    assert_eq!((verb.as_str(), flag.as_str(), dashes.as_str()), ("do", "--b", "--"));
                    assert!(
                        !first.starts_with('-') && *second == format!("x{text}") && *third == text,
                        "{args:?}"
                    );
                }
                Err(code) => assert!(code == Code::BadRequest && text.starts_with('-'), "{text:?}"),
            }
        }
    }
    assert_eq!(count, 500);
}

#[test]
fn braces_are_written_twice() {
    let text = Text::parse("{{a: {secret:token}}}").unwrap();
    assert_eq!(text.fill(|slot| Some(format!("<{slot}>"))).unwrap(), "{a: <secret:token>}");
    assert_eq!(text.slots().collect::<Vec<_>>(), [&Slot::Secret("token".to_owned())]);
    for wrong in ["{", "}", "{A}", "{file:}", "{file:a/b}", "{file:..}", "{env:x}", "{a b}"] {
        assert!(Text::parse(wrong).is_err(), "{wrong}");
    }
}
