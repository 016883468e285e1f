//! What is doubtful in a file is an error with a line.

use model::{Method, Target};

use super::*;
use crate::catalog::house;
use crate::layer::integration;

const HEAD: &str = "name: x
title: X
docs: https://example.com
base_url: https://api.example.com
secrets: {token: {title: T}}
auth: [{scheme: bearer, secret: token}]
limits: {connect: 5s, head: 30s, total: 2m, idle: 30s}
";
const LOOK: &str = "operations:
  look: {title: Look, access: read, risk: low, match: {method: GET, path: /look}}
";

fn problem(text: &str) -> String {
    integration(text, "x.yaml", "x").unwrap_err().to_string()
}

fn operations(text: &str) -> String {
    problem(&format!("{HEAD}operations:\n{text}"))
}

#[test]
fn a_small_file_is_enough() {
    let x = integration(&format!("{HEAD}{LOOK}"), "x.yaml", "x").unwrap();
    assert_eq!(x.hosts(), ["api.example.com"]);
    assert_eq!(x.secrets()["token"].reference.as_str(), "store:x/token");
    assert_eq!(x.limits().body, 1 << 20);
}

#[test]
fn operations_that_could_be_one_request_are_refused() {
    let two = |a: &str, b: &str| {
        operations(&format!(
            "  a: {{title: A, access: read, risk: low, match: {{method: GET, path: \"{a}\"}}}}\n  \
             b: {{title: B, access: read, risk: low, match: {{method: GET, path: \"{b}\"}}}}\n"
        ))
    };
    let message = "x.yaml:10: `a` and `b` could match the same request, and neither is narrower";
    assert_eq!(two("/p/{x}", "/p/{y}"), message);
    assert_eq!(two("/p/{x}/c", "/p/b/{y}"), message);
    assert_eq!(two("/p/c", "/p/c"), message);
}

#[test]
fn the_narrower_operation_wins_and_never_falls_through_to_the_wider() {
    let text = format!(
        "{HEAD}operations:\n  \
         wide: {{title: W, access: read, risk: low, match: {{method: GET, path: \"/p/{{x}}\"}}, query: [q]}}\n  \
         narrow: {{title: N, access: read, risk: low, match: {{method: GET, path: /p/all}}}}\n"
    );
    let x = integration(&text, "x.yaml", "x").unwrap();
    let route = |path: &str| {
        let target: Target = path.parse().unwrap();
        x.route(Method::Get, &target).operation().map(|found| found.name().to_string())
    };
    assert_eq!(route("/p/all").as_deref(), Some("narrow"));
    assert_eq!(route("/p/one?q=1").as_deref(), Some("wide"));
    assert_eq!(route("/p/all?q=1"), None);
}

#[test]
fn unknown_words_are_errors_with_a_line_and_the_nearest_word() {
    assert_eq!(
        problem(&format!("{HEAD}{LOOK}hots: [a]\n")),
        "x.yaml:10: the key `hots` is unknown; did you mean `hosts`"
    );
    let text = format!("{HEAD}{LOOK}").replace("scheme: bearer", "scheme: baerer");
    assert!(problem(&text).starts_with("x.yaml:6: `baerer` is none of"), "{}", problem(&text));
    assert!(problem(&text).ends_with("did you mean `bearer`"));
    let text = format!("{HEAD}{LOOK}").replace("secret: token", "secret: tokn");
    assert_eq!(problem(&text), "x.yaml:6: there is no secret `tokn` in `secrets`; did you mean `token`");
    let text = format!("{HEAD}{LOOK}capabilities:\n  c: {{title: C, allow: [{{operation: loook}}]}}\n");
    assert!(
        problem(&text).ends_with("there is no operation `loook`; did you mean `look`"),
        "{}",
        problem(&text)
    );
}

#[test]
fn booleans_are_true_or_false() {
    for wrong in ["yes", "on", "no", "1"] {
        let text = format!("{HEAD}{LOOK}dangerous_allow_private: {wrong}\n");
        assert!(integration(&text, "x.yaml", "x").is_err(), "{wrong}");
    }
}

#[test]
fn a_secret_where_a_reference_belongs_is_an_error_that_does_not_repeat_it() {
    for (wrong, shown) in [
        ("token: xoxb-CANARY-1", "store:NAME"),
        ("token: {default: xoxb-CANARY-1}", "store:NAME"),
        ("token: ''", "store:NAME"),
        ("token:", "store:NAME"),
        ("token: {default: ''}", "store:NAME"),
        ("token: {default: }", "store:NAME"),
        ("token: 12345678", "store:NAME"),
        ("token: {value: xoxb-CANARY-1}", "the key `value` is unknown"),
        ("token: {xoxb-CANARY-1: a}", "(not shown) is unknown"),
        ("token: [xoxb-CANARY-1]", "store:NAME"),
    ] {
        let text =
            format!("{HEAD}{LOOK}").replace("secrets: {token: {title: T}}", &format!("secrets:\n  {wrong}"));
        let problem = problem(&text);
        assert!(problem.contains(shown), "{wrong}: {problem}");
        assert!(!problem.contains("CANARY") && !problem.contains("12345678"), "{problem}");
        assert!(problem.starts_with("x.yaml:6") || problem.starts_with("x.yaml:5"), "{problem}");
    }
    let text = format!("{HEAD}{LOOK}headers: {{x-api-key: xoxb-CANARY-1}}\n");
    assert!(problem(&text).contains("describe it under `auth`") && !problem(&text).contains("CANARY"));
}

#[test]
fn time_outs_have_no_default() {
    for name in ["connect: 5s, ", "head: 30s, ", "total: 2m, "] {
        let text = format!("{HEAD}{LOOK}").replace(name, "");
        assert!(problem(&text).contains("is missing"), "{}", problem(&text));
    }
    assert!(problem(&format!("{HEAD}{LOOK}").replace("5s", "5")).contains("a number with a unit"));
}

#[test]
fn a_credential_never_goes_over_plain_http_to_a_public_host() {
    let text = format!("{HEAD}{LOOK}").replace("https://api.example.com", "http://127.0.0.1:9000");
    assert!(problem(&text).contains("plain http"));
    let allowed = format!("{text}dangerous_allow_private: true\n");
    let x = integration(&allowed, "x.yaml", "x").unwrap();
    assert!(x.dangerous_allow_private());
    assert_eq!((x.authority().port(), x.hosts()), (9000, ["127.0.0.1".to_owned()].as_slice()));
}

#[test]
fn an_address_with_a_password_is_refused_and_not_repeated() {
    let text =
        format!("{HEAD}{LOOK}").replace("https://api.example.com", "https://ada:CANARY@api.example.com");
    assert!(
        problem(&text).contains("`base_url` is") && !problem(&text).contains("CANARY"),
        "{}",
        problem(&text)
    );
}

#[test]
fn a_built_in_file_cannot_loosen_anything() {
    let text = format!("{HEAD}{LOOK}");
    assert!(house("x", &text, None).is_ok());
    for loose in ["dangerous_allow_private: true\n", "tls_insecure_skip_verify: true\n"] {
        assert!(house("x", &format!("{text}{loose}"), None).is_err());
    }
    assert!(house("x", &text.replace("{token: {title: T}}", "{token: 'store:y/token'}"), None).is_err());
    assert!(house("y", &text, None).is_err());
    assert!(house("x", "name: x\ntitle: X\ndocs: d\ninternal: true\noperations: {}\n", None).is_err());
}

#[test]
fn an_address_of_the_users_own_has_to_be_given() {
    let text = format!("{HEAD}{LOOK}").replace("https://api.example.com", "https://{domain}/api/v3");
    assert!(matches!(house("x", &text, None), Err(Error::Domain { .. })));
    let x = integration(&format!("{text}domain: ghe.example.com\n"), "x.yaml", "x").unwrap();
    assert_eq!((x.authority().host(), x.base_path()), ("ghe.example.com", "/api/v3"));
    for wrong in ["evil.com/x?", "a@b", "A.example", "''", "a b"] {
        assert!(integration(&format!("{text}domain: {wrong}\n"), "x.yaml", "x").is_err(), "{wrong}");
    }
}

#[test]
fn a_probe_is_a_read_of_the_file() {
    let probe = |request: &str| {
        problem(&format!("{HEAD}{LOOK}probe: {{request: {request}, expect: {{status: 200}}}}\n"))
    };
    assert!(probe("GET /other").contains("access is `read`"));
    assert!(probe("POST /look").contains("access is `read`"));
}

#[test]
fn an_operation_that_makes_no_sense_is_refused() {
    let one = |rest: &str| operations(&format!("  a: {{title: A, access: write, risk: low, {rest}}}\n"));
    for (wrong, shown) in [
        ("match: {method: HEAD, path: /a}", "HEAD belongs"),
        ("match: {method: get, path: /a}", "not a valid method"),
        ("match: {method: POST, path: /a}, inputs: {x: {in: body}}", "inputs in the body need"),
        ("match: {method: POST, path: /a}, inputs: {x: {in: path}}", "in the path by its name"),
        ("match: {method: POST, path: /a}, inputs: {x: {}}", "needs `in:"),
        ("match: {method: POST, path: /a}, resource: \"{x}\"", "a kind and what it is"),
        ("match: {method: POST, path: /a}, resource: \"a:{x}\"", "no input `x`"),
        (
            "match: {method: POST, path: \"/a/{x}\"}, inputs: {x: {in: path, pattern: \"(\"}}",
            "regular expression",
        ),
        ("resource: \"*\"", "the key `match` is missing"),
    ] {
        let problem = one(wrong);
        assert!(problem.contains(shown), "{wrong}: {problem}");
    }
    assert!(
        operations("  unknown: {title: A, access: read, risk: low, match: {method: GET, path: /a}}\n")
            .contains("no operation describes")
    );
}

#[test]
fn credentials_in_query_and_path_are_not_the_callers() {
    let text = format!("{HEAD}{LOOK}").replace("scheme: bearer", "scheme: query, name: api_key");
    let x = integration(&text, "x.yaml", "x").unwrap();
    let call = |x: &Integration, path: &str| {
        let target: Target = path.parse().unwrap();
        let asked =
            crate::Asked { method: Method::Get, target: &target, content_types: &[], body: Some(b"") };
        x.call(model::EvidenceId::from_bytes([0; 16]), &asked)
    };
    assert!(call(&x, "/look?api_key=mine").is_err());
    assert!(call(&x, "/elsewhere?API_KEY=mine").is_err());
    assert_eq!(
        crate::cases::canary(&x, &call(&x, "/look").unwrap()).url,
        "https://api.example.com/look?api_key=CANARY-token"
    );
    let text = format!("{HEAD}{LOOK}").replace("scheme: bearer", "scheme: path, prefix: bot");
    let x = integration(&text, "x.yaml", "x").unwrap();
    for path in ["/look", "/bot123/look"] {
        let call = call(&x, path).unwrap();
        assert_eq!(call.operation().as_str(), "look");
        assert_eq!(crate::cases::canary(&x, &call).url, "https://api.example.com/botCANARY-token/look");
    }
}

#[test]
fn operations_of_one_path_are_told_apart_by_what_their_bodies_always_have() {
    let two = |a: &str, b: &str| {
        integration(
            &format!(
                "{HEAD}operations:\n  \
                 a: {{title: A, access: read, risk: low, match: {{method: POST, path: /q}}, body: json{a}}}\n  \
                 b: {{title: B, access: write, risk: high, match: {{method: POST, path: /q}}, body: json{b}}}\n"
            ),
            "x.yaml",
            "x",
        )
    };
    assert!(two(", fixed: {kind: x}", ", fixed: {kind: z}").is_ok());
    assert!(two(", fixed: {kind: x}", "").is_ok());
    let same = (", fixed: {kind: x}", ", fixed: {kind: x}");
    for (a, b) in [("", ""), same, (", fixed: {kind: x}", ", fixed: {sort: z}")] {
        assert!(two(a, b).unwrap_err().to_string().contains("could match the same request"), "{a} {b}");
    }
    let taken = two(", fixed: {kind: x}, inputs: {kind: {in: body}}", ", fixed: {kind: z}").unwrap_err();
    assert!(taken.to_string().contains("`fixed` and an input both write `kind`"), "{taken}");
}

#[test]
fn of_several_paths_none_is_there_twice() {
    let paths = |paths: &str| {
        let matches = format!("{{method: GET, path: {paths}}}");
        operations(&format!("  a: {{title: A, access: read, risk: low, match: {matches}}}\n"))
    };
    assert!(paths("[\"/a/{x}\", \"/a/{x}\"]").contains("one path or several, each once"));
    assert!(paths("[]").contains("one path or several, each once"));
}

#[test]
fn a_built_in_file_names_hosts_by_each_call_only_where_all_that_goes_out_is_signed() {
    let text = |auth: &str| {
        format!(
            "name: x\ntitle: X\ndocs: https://example.com\nbase_url: https://*.example.com\n\
             secrets: {{a: {{}}, b: {{}}}}\nauth: [{auth}]\n\
             limits: {{connect: 5s, head: 30s, total: 2m, idle: 30s}}\n{LOOK}"
        )
    };
    assert!(house("x", &text("{scheme: sigv4, access_key_id: a, secret_access_key: b}"), None).is_ok());
    let loose =
        house("x", &text("{scheme: basic, username_secret: a, password_secret: b}"), None).unwrap_err();
    assert!(loose.to_string().contains("cannot loosen anything"), "{loose}");
}

#[test]
fn what_is_secret_is_no_evidence() {
    let problem = operations(
        "  a: {title: A, access: read, risk: low, match: {method: GET, path: /a}, hides: [data], \
         evidence: {x: data.key}}\n",
    );
    assert!(problem.ends_with("operation `a`: `data.key` is secret, so it is no evidence"), "{problem}");
}
